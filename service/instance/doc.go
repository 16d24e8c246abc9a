// Package instance knows the server processes of this machine: the record that each
// leaves while it runs, how one is started in the background, asked whether it answers,
// and stopped. It does not know what a server does; it may import config, log
// for the file of their console output, and private for the records.
package instance
