// Package queries holds every SQL statement, in *.sql files by noun with the code
// that sqlc makes of them beside it, and opens the database that they run on:
// SQLite within the process or Postgres outside. It imports schema, fault and private
// and nothing else of ours; no other package contains SQL.
//
// It is large because opening, copies, snapshots, repair and migrations of both engines
// need the connections that the statements run on.
package queries
