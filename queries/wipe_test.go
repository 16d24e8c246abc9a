package queries_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// A wipe leaves the schema, the secrets and the era; ids begin anew. It fails here
// when a new table is not in its list.
func TestWipeLeavesNothing(t *testing.T) {
	var empty dbtest.Template
	src := empty.Copy(t)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	execute(t, raw,
		"INSERT INTO counter (name, value) VALUES ('run', 7)",
		"INSERT INTO organization (name) VALUES ('A')", "INSERT INTO collaboration (name) VALUES ('C')",
		"INSERT INTO member (organization_id, collaboration_id) VALUES (1, 1)",
		"INSERT INTO authenticatable (type) VALUES ('user'), ('node')", `INSERT INTO "user" (id, organization_id) VALUES (1, 1)`,
		"INSERT INTO node (id, organization_id, collaboration_id) VALUES (2, 1, 1)", "INSERT INTO nodeconfig (node_id) VALUES (2)",
		"INSERT INTO role (name, organization_id) VALUES ('r', 1)", "INSERT INTO rule (name, operation, scope) VALUES ('n', 'VIEW', 'OWN')",
		"INSERT INTO user_role (user_id, role_id) VALUES (1, 1)", "INSERT INTO user_rule (user_id, rule_id) VALUES (1, 1)",
		"INSERT INTO role_rule (role_id, rule_id) VALUES (1, 1)", "INSERT INTO task (collaboration_id, initiator_id) VALUES (1, 1)",
		"INSERT INTO task (collaboration_id, parent_id) VALUES (1, 1)",
		"INSERT INTO result (task_id, organization_id) VALUES (1, 1)", "INSERT INTO payload (result_id) VALUES (1)",
		"INSERT INTO algorithmport (result_id) VALUES (1)",
	)
	err = db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error { return tx.InsertSecret(ctx, "s", []byte{1}) })
	if err != nil {
		t.Fatal(err)
	}
	wipe := func(ctx context.Context, tx *queries.Tx) error { return db.DeleteAll(ctx, tx) }
	undo := errors.New("undone")
	err = db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error { return errors.Join(wipe(ctx, tx), undo) })
	if n := count(t, raw, "payload"); n != 1 || !errors.Is(err, undo) {
		t.Errorf("undone, %d payloads are left: %v", n, err)
	}
	if err := db.InTx(t.Context(), wipe); err != nil {
		t.Fatal(err)
	}
	stays := map[string]int{"secret": 1, "counter": 1, "goose_db_version": count(t, raw, "goose_db_version")}
	for _, table := range tables(t, raw, db.Engine) {
		if n := count(t, raw, `"`+table+`"`); n != stays[table] {
			t.Errorf("%s has %d rows", table, n)
		}
	}
	for _, era := range []int64{1e9, 2e9} {
		var account queries.Account
		err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
			ids, err := tx.InsertAccounts(ctx, "user", `{"0":0}`)
			if err != nil {
				return err
			}
			if account, err = tx.HoldAccount(ctx, ids[0]); err != nil {
				return err
			}
			return db.DeleteAll(ctx, tx)
		})
		if err != nil || account.ID != 1 || account.AccessEra != era || account.RefreshGeneration != era {
			t.Errorf("the first account after a wipe: %+v, %v", account, err)
		}
	}
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// tables lists all tables of the schema.
func tables(t *testing.T, db *sql.DB, engine queries.Engine) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	if engine == queries.Postgres {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) < 19 {
		t.Fatalf("%d tables, %v", len(names), err)
	}
	return names
}
