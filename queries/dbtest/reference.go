package dbtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"vserver/queries"
)

// references are databases that real 3.x servers made, of invented data.
//
//go:embed testdata/*.gz testdata/*.json
var references embed.FS

// The databases of 3.x servers, one of each way to grow old. The last one is for Postgres.
const (
	Reference304         = "3.0.4"
	Reference330         = "3.3.0"
	Reference373         = "3.7.3"
	Reference3111        = "3.11.1"
	ReferenceUpgraded    = "3.3.0-upgraded-3.11.1"
	ReferenceImported    = "3.11.1-import-first"
	Reference373Postgres = "3.7.3-pg"
)

// ReferenceFiles are those for SQLite.
var ReferenceFiles = []string{Reference304, Reference330, Reference373, Reference3111, ReferenceUpgraded, ReferenceImported}

// Reference writes a database of a 3.x server to a file of its own.
func Reference(t testing.TB, name string) queries.Source {
	t.Helper()
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "default.sqlite")}
	if err := os.WriteFile(src.Path, unpacked(t, name+".sqlite.gz"), 0o600); err != nil {
		t.Fatal(err)
	}
	return src
}

// ReferenceFacts reads what is known of such a database, users and keys, into facts. Of some
// nothing is.
func ReferenceFacts(t testing.TB, name string, facts any) {
	t.Helper()
	text, err := references.ReadFile("testdata/" + name + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(text, facts)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Postgres is a database of the test on VSERVER_TEST_POSTGRES, without tables. A test that has none is
// skipped.
func Postgres(t testing.TB) queries.Source {
	t.Helper()
	dsn := os.Getenv(env)
	if dsn == "" {
		t.Skip("NOT TESTED: Postgres, since VSERVER_TEST_POSTGRES is not set")
	}
	name := newName()
	if err := admin(dsn, `CREATE DATABASE "`+name+`"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin(dsn, `DROP DATABASE "`+name+`" WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return queries.Source{Engine: queries.Postgres, DSN: named(dsn, name)}
}

// owner is a statement that needs the account of the server that the dump is of.
var owner = regexp.MustCompile(`(?m)^ALTER .* OWNER TO .*;$`)

// ReferencePostgres is a database of a 3.x server on VSERVER_TEST_POSTGRES. A test that has none is
// skipped.
func ReferencePostgres(t testing.TB) queries.Source {
	t.Helper()
	src := Postgres(t)
	dump := string(owner.ReplaceAll(unpacked(t, Reference373Postgres+".sql.gz"), nil))
	if err := onPostgres(src, func(ctx context.Context, c *pgx.Conn) error { return fill(ctx, c, dump) }); err != nil {
		t.Fatal(err)
	}
	return src
}

// fill runs what pg_dump wrote: statements, and rows that follow a COPY.
func fill(ctx context.Context, c *pgx.Conn, dump string) error {
	var statements strings.Builder
	lines := strings.Split(dump, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, `\`): // for psql
		case strings.HasPrefix(line, "COPY "):
			if _, err := c.Exec(ctx, statements.String()); err != nil {
				return fmt.Errorf("before %s: %w", line, err)
			}
			statements.Reset()
			var rows bytes.Buffer
			for i++; lines[i] != `\.`; i++ {
				rows.WriteString(lines[i] + "\n")
			}
			if _, err := c.PgConn().CopyFrom(ctx, &rows, strings.TrimSuffix(line, ";")); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		default:
			statements.WriteString(line + "\n")
		}
	}
	_, err := c.Exec(ctx, statements.String())
	return err
}

func unpacked(t testing.TB, name string) []byte {
	t.Helper()
	f, err := references.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
