package queries

import (
	"context"
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// generated returns every query that sqlc made, by name, and for lists the one that counts.
func generated(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.sql.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no generated queries found", err)
	}
	all := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			if lit, ok := v.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				all[v.Names[0].Name], err = strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
			}
			return true
		})
	}
	for name, q := range maps.Clone(all) {
		if strings.Contains(q, "OFFSET") {
			all[name+", counted"] = counting(q)
		}
	}
	return all
}

func TestEveryQueryPreparesOnSQLite(t *testing.T) {
	db, err := Open(t.Context(), Source{Engine: SQLite, Path: t.TempDir() + "/q.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, q := range generated(t) {
		for _, nils := range []uint64{0, 1<<63 - 1} {
			text, _ := rewrite(q, nils)
			st, err := db.pool.PrepareContext(t.Context(), text)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
				continue
			}
			_ = st.Close()
		}
	}
}

func TestEveryQueryPreparesOnPostgres(t *testing.T) {
	conn, _ := freshPostgres(t)
	for name, q := range generated(t) {
		if _, err := conn.Prepare(t.Context(), name, q); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// freshPostgres returns a connection to a migrated database that is dropped again.
func freshPostgres(t *testing.T) (*pgx.Conn, *DB) {
	t.Helper()
	dsn := os.Getenv("VSERVER_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("VSERVER_TEST_POSTGRES names no Postgres to test on")
	}
	admin, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := "vserver_engines_" + strconv.Itoa(os.Getpid()) + "_" + strings.ToLower(t.Name())
	if _, err := admin.Exec(t.Context(), `CREATE DATABASE "`+name+`"`); err != nil {
		t.Fatal(err)
	}
	config := admin.Config().Copy()
	config.Database = name
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	dsn = u.String()
	db, err := Open(t.Context(), Source{Engine: Postgres, DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		_ = conn.Close(ctx)
		_ = db.Close()
		if _, err := admin.Exec(ctx, `DROP DATABASE "`+name+`" WITH (FORCE)`); err != nil {
			t.Error(err)
		}
		_ = admin.Close(ctx)
	})
	return conn, db
}

// TestSchemasAgree compares tables, columns, nullability, primary keys, foreign
// keys, unique constraints and indexes of both engines.
func TestSchemasAgree(t *testing.T) {
	_, pg := freshPostgres(t)
	lite, err := Open(t.Context(), Source{Engine: SQLite, Path: t.TempDir() + "/s.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	defer lite.Close()
	a, b := describeSQLite(t, lite.pool), describePostgres(t, pg.pool)
	if len(a) < 15 {
		t.Errorf("only %d facts about SQLite's schema", len(a))
	}
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("SQLite (-) and Postgres (+) differ:\n%s", d)
	}
}

const sqliteFacts = `
SELECT m.name || '.' || c.name || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' required' ELSE '' END
  FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')
UNION ALL SELECT m.name || ' key ' || (SELECT group_concat(name) FROM (
    SELECT name FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk))
  FROM sqlite_schema m WHERE m.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE pk > 0)
UNION ALL SELECT m.name || '.' || f."from" || ' -> ' || f."table" || ' ' || lower(f.on_delete)
  FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
UNION ALL SELECT m.name || CASE WHEN i."unique" = 1 THEN ' unique ' ELSE ' index ' END || (SELECT group_concat(name) FROM (
    SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
  FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin <> 'pk'`

const postgresFacts = `
SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN ' required' ELSE '' END
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT i.indrelid::regclass::text ||
    CASE WHEN i.indisprimary THEN ' key ' WHEN i.indisunique THEN ' unique ' ELSE ' index ' END ||
    (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = 'public'
UNION ALL SELECT k.conrelid::regclass::text || '.' || a.attname || ' -> ' || k.confrelid::regclass::text || ' ' ||
    CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'a' THEN 'no action' ELSE k.confdeltype::text END
  FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] WHERE k.contype = 'f'`

func describeSQLite(t *testing.T, db *sql.DB) map[string]bool {
	t.Helper()
	return facts(t, db, sqliteFacts)
}

func describePostgres(t *testing.T, db *sql.DB) map[string]bool {
	t.Helper()
	return facts(t, db, postgresFacts)
}

// facts returns the rows of a description, without the engines' own tables.
func facts(t *testing.T, db *sql.DB, query string) map[string]bool {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]bool{}
	for rows.Next() {
		var fact string
		if err := rows.Scan(&fact); err != nil {
			t.Fatal(err)
		}
		fact = strings.ReplaceAll(fact, `"`, "")
		if !strings.HasPrefix(fact, "sqlite_") && !strings.HasPrefix(fact, "goose_") {
			all[fact] = true
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		t.Log(slices.Sorted(maps.Keys(all)))
	}
	return all
}
