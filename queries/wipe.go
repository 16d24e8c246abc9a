package queries

import (
	"context"
	"fmt"
	"strings"
)

// derived are tables that have nothing that does not follow from others.
var derived = []string{"extent", "name_page", "renamed"}

// wiped are the tables that Wipe empties: all but those of the server itself, those
// that point to others first.
var wiped = []string{
	"extent", "name_page", "renamed", "tally", "request_key", "leftover", "node_old_key", "event", "chunk", "stream", "payload", "algorithmport", "result", "task", "nodeconfig", "node", "user_rule", "user_role", "role_rule",
	"recovery_request", "recovery", "recovery_code", "mail", "failed_login", `"user"`, "authenticatable", "role", "rule", "member", "collaboration", "organization",
}

// ofServers are the tables about the servers themselves: not emptied, and not copied to another database.
var ofServers = []string{"attendance", "message", "replica"}

// DeleteAll removes all data in tx and has ids begin anew, as in a new database. Two
// things stay: the secrets, because running servers know them, and the era, which
// rises so that tokens of accounts that are gone do not fit those that get their ids.
func (db *DB) DeleteAll(ctx context.Context, tx *Tx) error {
	if err := tx.RaiseEra(ctx); err != nil {
		return fmt.Errorf("raising the era of tokens: %w", err)
	}
	if err := tx.DeleteCounters(ctx); err != nil {
		return fmt.Errorf("forgetting the counters: %w", err)
	}
	for _, statement := range db.wiping() {
		if _, err := tx.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// wiping returns the statements that empty the tables.
func (db *DB) wiping() []string {
	if db.Engine == Postgres {
		return []string{"TRUNCATE " + strings.Join(wiped, ", ") + " RESTART IDENTITY"}
	}
	var list []string
	for _, table := range wiped {
		list = append(list, "DELETE FROM "+table,
			"DELETE FROM sqlite_sequence WHERE name = '"+strings.Trim(table, `"`)+"'")
	}
	return list
}
