// Package daemon has the service manager of the operating system (systemd, launchd,
// that of Windows) run servers: the unit of an instance, its account and folders, its
// state, and what a server tells its manager. It may import config,
// instance for the files of a server without terminal, and private for the rights to files.
package daemon
