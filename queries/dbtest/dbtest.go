// Package dbtest makes real databases for tests: SQLite files, or databases of the
// Postgres that VSERVER_TEST_POSTGRES names. Only tests import it; it imports queries.
package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/ncruces/go-sqlite3/driver"

	"vserver/queries"
)

// env names the Postgres to test on; without it tests run on SQLite.
const env = "VSERVER_TEST_POSTGRES"

// Template is a prepared database that every test gets a copy of. The zero value
// is an empty one.
type Template struct {
	// Build fills the database once for the process, on its source.
	Build func(ctx context.Context, src queries.Source) error

	once sync.Once
	made queries.Source
	file []byte // what the SQLite file holds; the file itself is gone again
	mu   sync.Mutex
	free []queries.Source // Postgres: copies that no test uses at the moment
	err  error
}

// Copy returns a database for one test.
func (p *Template) Copy(t testing.TB) queries.Source {
	t.Helper()
	p.once.Do(func() { p.made, p.err = p.make() })
	if p.err != nil {
		t.Fatalf("making the template database: %v", p.err)
	}
	if p.made.Engine == queries.Postgres {
		return p.borrow(t)
	}
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "test.sqlite")}
	if err := os.WriteFile(src.Path, p.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return src
}

// OpenCopy returns a database for one test, open until the test ends.
func (p *Template) OpenCopy(t testing.TB) *queries.DB {
	t.Helper()
	db, err := queries.Open(t.Context(), p.Copy(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (p *Template) make() (queries.Source, error) {
	src, err := fresh()
	if err != nil {
		return src, err
	}
	if src.Engine == queries.SQLite {
		defer func() { _ = os.RemoveAll(filepath.Dir(src.Path)) }()
	}
	db, err := queries.Open(context.Background(), src)
	if err != nil {
		return src, err
	}
	if err := db.Close(); err != nil {
		return src, err
	}
	if p.Build != nil {
		if err := p.Build(context.Background(), src); err != nil {
			return src, err
		}
	}
	if src.Engine == queries.SQLite {
		p.file, err = os.ReadFile(src.Path)
		return src, err
	}
	return src, keep(src)
}

// fresh makes an empty database.
func fresh() (queries.Source, error) {
	if dsn := os.Getenv(env); dsn != "" {
		name := newName()
		err := admin(dsn, `CREATE DATABASE "`+name+`"`)
		return queries.Source{Engine: queries.Postgres, DSN: named(dsn, name)}, err
	}
	dir, err := os.MkdirTemp("", "vserver-template-")
	return queries.Source{Engine: queries.SQLite, Path: filepath.Join(dir, "template.sqlite")}, err
}

// admin runs one statement on the server's own database.
func admin(dsn, statement string) error {
	db, err := sql.Open("pgx", named(dsn, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

func newName() string { return "vserver_test_" + strings.ToLower(rand.Text()) }

func named(dsn, database string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn
	}
	u.Path = "/" + database
	return u.String()
}

func database(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

// Octets is a literal of a statement for what is stored as bytes.
func Octets(src queries.Source, text string) string {
	if src.Engine == queries.Postgres {
		return fmt.Sprintf(`CAST('\x%x' AS BYTEA)`, text)
	}
	return fmt.Sprintf(`x'%x'`, text)
}

// SQL opens a source for statements that no query of the server has.
func SQL(src queries.Source) (*sql.DB, error) {
	if src.Engine == queries.Postgres {
		return sql.Open("pgx", src.DSN)
	}
	return sql.Open("sqlite3", "file:"+(&url.URL{Path: src.Path}).EscapedPath()+"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(on)")
}

// Once skips a test in which the database has no part when the tests run on Postgres:
// it has run on SQLite.
func Once(t testing.TB) {
	t.Helper()
	if os.Getenv(env) != "" {
		t.Skip("the database has no part in it")
	}
}
