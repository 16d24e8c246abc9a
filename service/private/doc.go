// Package private makes files that only their account may read, by modes and, on Windows, by
// lists of rights (/docs/operating#other-systems), gives what root makes to the account whose
// folder it is in, and explains a refusal of the system. It touches files that others name,
// and imports nothing of ours.
package private
