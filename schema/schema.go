// Package schema holds what is stored: the goose migrations of both engines, with
// the same numbers and names, embedded in the binary. It imports nothing of ours;
// only package queries runs it.
package schema

import "embed"

// SQLite holds the migrations of the embedded engine below sqlite/.
//
//go:embed sqlite/*.sql
var SQLite embed.FS

// Postgres holds the migrations of the outside engine below postgres/.
//
//go:embed postgres/*.sql
var Postgres embed.FS
