// Package private makes files that only their account may read, gives what root makes
// to the account whose folder it is in, and explains a refusal of the system. It touches
// files that others name, and imports nothing of ours.
package private
