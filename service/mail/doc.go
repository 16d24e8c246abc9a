// Package mail sends mail to users: it writes the texts, talks to the mail server of the
// configuration, and takes what has to be sent out of the queue that core keeps in the
// database. It imports config for the settings, core for the queue, and fault; of other
// packages' work it leaves the wire to go-mail.
//
// A mail goes to one address over a connection of its own (/docs/mail).
package mail
