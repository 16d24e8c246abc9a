// Package upkeep is what an administrator does to a server beside running it: backup,
// restore, copies, changes of the schema, checks, the first user, configurations for nodes. It
// imports service, since it opens a database and takes an address as a server does, core
// and queries, config, instance, mail for a look at the mail server, vpn for one at the portal, and private for the
// files that it makes; nothing of it is part of a server that runs.
package upkeep
