// Package takeover makes a database of this server out of one of a vantage6 3.x server
// (/docs/takeover): it reads the old one by its structure, builds the new one beside it, proves it, puts it in place
// by one atomic step, and undoes that. It imports queries, which has the SQL, service, to open what was built as a
// server does, upkeep to copy that to another place, core and access for roles, config and private; nothing of it is part
// of a server that runs.
package takeover
