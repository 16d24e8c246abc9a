package queries

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"vserver/service/fault"
)

// Kind is what a database turns out to be.
type Kind string

// The kinds.
const (
	KindEmpty     Kind = "empty"      // none, an empty file, or one without tables: a first start may fill it
	KindOurs      Kind = "ours"       // of this program, whatever release
	KindReference Kind = "3.x server" // of a vantage6 server 3.x
	KindForeign   Kind = "foreign"    // anything else
	// KindUnfinished is one in Postgres that CopyDatabase has not finished.
	KindUnfinished Kind = "unfinished copy"
)

// Identity says what a database is.
type Identity struct {
	Kind   Kind `json:"kind"`
	Exists bool `json:"exists"` // also an empty file
	// Version is that of the schema, of KindOurs only; 0 where the tables were never made.
	Version int64 `json:"version"`
	// Generation is of KindReference only: the releases that leave such tables, "3.8 to 3.10".
	Generation string `json:"generation,omitempty"`
	// What says in words what a database is that is not ours.
	What string `json:"what,omitempty"`
}

// Usable reports whether this program may open the database as its own.
func (i Identity) Usable() bool { return i.Kind == KindEmpty || i.Kind == KindOurs }

// ForeignError is the error of whoever would open a database that is not this program's. It
// was left as it is.
type ForeignError struct {
	Identity
	Place string // the file, or database and host
}

// Error says what the database is and what to do.
func (e *ForeignError) Error() string {
	if e.Kind == KindReference {
		return fmt.Sprintf("%s is %s, and was left as it is: %s", e.Place, e.What, e.Remedy())
	}
	if e.Kind == KindUnfinished {
		return fmt.Sprintf("%s is %s: %s", e.Place, e.What, e.Remedy())
	}
	return fmt.Sprintf("%s is no database of this server but %s, and was left as it is: %s", e.Place, e.What, e.Remedy())
}

// Remedy says what to do.
func (e *ForeignError) Remedy() string {
	if e.Kind == KindReference {
		return "vserver takeover --check shows what would become of it, vserver takeover takes it over"
	}
	if e.Kind == KindUnfinished {
		return "repeat vserver copy, which begins it anew, or remove the tables"
	}
	return "give another uri in the configuration, or move that away"
}

// Identify says what a database is, and changes nothing: neither its bytes nor what lies beside
// it, whatever was left over there.
func Identify(ctx context.Context, src Source) (Identity, error) {
	if src.Engine == Postgres {
		return identifyPostgres(ctx, src.DSN)
	}
	if src.Seen.holds(src.Path) {
		return src.Seen.is, nil
	}
	return identifyFile(ctx, src)
}

// RequireOwn refuses a database that is neither empty nor this program's, with a ForeignError.
func RequireOwn(ctx context.Context, src Source) (Identity, error) {
	id, err := Identify(ctx, src)
	if err != nil {
		return id, err
	}
	if !id.Usable() {
		return id, &ForeignError{id, placeOf(src)}
	}
	return id, nil
}

// placeOf names a database to people, without its password.
func placeOf(src Source) string {
	if src.Engine == SQLite {
		return src.Path
	}
	settings, err := postgresConfig(src.DSN)
	if err != nil {
		return "the database of Postgres"
	}
	return fmt.Sprintf("the database %s of Postgres at %s", settings.Database, settings.Host)
}

// identifyTries is how often a file is looked at whose log somebody else begins anew meanwhile.
const (
	identifyTries = 5
	identifyPause = 50 * time.Millisecond
)

func identifyFile(ctx context.Context, src Source) (Identity, error) {
	id, err := identifyByBytes(src.Path)
	if err != nil || id.Kind != "" {
		return id, err
	}
	for try := 1; ; try++ {
		before := logHead(src.Path)
		id, err = identifyTables(src)
		if bytes.Equal(before, logHead(src.Path)) || try == identifyTries {
			return id, err
		}
		select {
		case <-ctx.Done():
			return id, ctx.Err()
		case <-time.After(identifyPause):
		}
	}
}

// logHead returns what changes when a log is begun anew.
func logHead(path string) []byte {
	f, err := os.Open(path + walSuffix)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 32)
	n, _ := io.ReadFull(f, head)
	return head[:n]
}

// liteMagic begins every SQLite file.
const liteMagic = "SQLite format 3\x00"

// identifyByBytes knows what is no SQLite database at all; the kind of one is empty.
func identifyByBytes(path string) (Identity, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Identity{Kind: KindEmpty}, nil
	case err != nil:
		return Identity{}, fmt.Errorf("looking at the database: %w", explained(err, path))
	case info.IsDir():
		return Identity{Kind: KindForeign, Exists: true, What: "a folder"}, nil
	case !info.Mode().IsRegular():
		return Identity{Kind: KindForeign, Exists: true, What: "no regular file"}, nil
	case info.Size() == 0:
		return Identity{Kind: KindEmpty, Exists: true}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return Identity{}, fmt.Errorf("opening %s: %w", path, explained(err, path))
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Identity{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if bytes.HasPrefix(head[:n], []byte(liteMagic)) {
		return Identity{Exists: true}, nil
	}
	what := looksLike(head[:n])
	if what == "" || strings.HasPrefix(liteMagic, string(head[:n])) {
		return Identity{Exists: true}, fmt.Errorf("reading %s: it does not begin like an SQLite file: %w", path, sqlite3.NOTADB)
	}
	return Identity{Kind: KindForeign, Exists: true, What: what}, nil
}

// PostgresDump is what Identify says of a backup of Postgres.
const PostgresDump = "a dump of Postgres"

// looksLike describes a file that was never a database by how it begins; of others, maybe
// damaged, it says nothing.
func looksLike(head []byte) string {
	for magic, what := range map[string]string{
		"PGDMP":            PostgresDump,
		"\x1f\x8b":         "a file compressed with gzip",
		"\x28\xb5\x2f\xfd": "a file compressed with zstd",
		"PK\x03\x04":       "a zip archive",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return what
		}
	}
	for cut := range min(utf8.UTFMax, len(head)) { // the last character may be cut
		if text := head[:len(head)-cut]; utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) }) {
			return "a file with text"
		}
	}
	return ""
}

// identifyTables looks into an SQLite file.
func identifyTables(src Source) (id Identity, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Recovered(p)
		}
	}()
	c, err := openUntouched(src.Path, src.VFS)
	if err != nil {
		return id, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	id, err = classify(liteCatalog(c, src.Path))
	id.Exists = true
	return id, err
}

// liteRelations are the tables and views of an SQLite file.
const liteRelations = `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`

// liteCatalog reads what an SQLite file is made of.
func liteCatalog(c *untouched, path string) catalog {
	wrapped := func(list []string, err error) ([]string, error) {
		if err != nil {
			err = fmt.Errorf("reading %s: %w", path, explained(err, path))
		}
		return list, err
	}
	return catalog{
		tables: func() ([]string, error) {
			return wrapped(column(c.Conn, liteRelations))
		},
		columns: func(table string) ([]string, error) {
			return wrapped(column(c.Conn, `SELECT name FROM pragma_table_info('`+table+`')`))
		},
		version: func() (int64, error) { return liteVersion(c.Conn) },
	}
}

func identifyPostgres(ctx context.Context, dsn string) (id Identity, err error) {
	db, err := openPostgresPool(dsn)
	if err != nil {
		return id, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return id, fmt.Errorf("looking at the database: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if id, err = classify(postgresCatalog(ctx, tx)); err != nil {
		err = fmt.Errorf("looking at the database: %w", err)
	}
	id.Exists = true
	return id, err
}

// The tables and views on the search path, but for what an extension brought along, which is nobody's data;
// and the columns of one.
const (
	postgresRelations = `SELECT DISTINCT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY (current_schemas(false))
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid AND d.deptype = 'e')
		ORDER BY c.relname`
	postgresColumns = `SELECT DISTINCT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = $1 AND n.nspname = ANY (current_schemas(false)) AND a.attnum > 0 AND NOT a.attisdropped`
)

// postgresCatalog reads what a schema of Postgres is made of.
func postgresCatalog(ctx context.Context, tx *sql.Tx) catalog {
	return catalog{
		tables:  func() ([]string, error) { return texts(ctx, tx, postgresRelations) },
		columns: func(table string) ([]string, error) { return texts(ctx, tx, postgresColumns, table) },
		version: func() (version int64, err error) {
			err = tx.QueryRowContext(ctx, appliedVersion).Scan(&version)
			return version, err
		},
	}
}

// texts returns the first column of a query's rows.
func texts(ctx context.Context, tx *sql.Tx, query string, args ...any) (list []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// catalog answers what a database is made of.
type catalog struct {
	tables  func() ([]string, error) // and views, sorted
	columns func(table string) ([]string, error)
	version func() (int64, error) // of the schema of this program
}

// versionTable is that of the migrations; other programs have one of that name, too.
const versionTable = "goose_db_version"

// ownTables are two pairs of this program's first schema, of which one is enough: damage may
// have changed a name.
var ownTables = []string{"authenticatable", "counter", "secret", "role_rule"}

// classify tells databases apart by their tables, columns and versions.
func classify(of catalog) (Identity, error) {
	tables, err := of.tables()
	if err != nil {
		return Identity{}, err
	}
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(tables, n) })
	}
	switch {
	case len(tables) == 0:
		return Identity{Kind: KindEmpty}, nil
	case has(copyMark):
		return Identity{Kind: KindUnfinished, What: "an unfinished copy of another database"}, nil
	case has("authenticatable", "role_rule_association", "result", "task", "user") && !has("run"):
		generation, err := generationOf(tables, of.columns)
		what := "the database of a vantage6 server 3.x (release " + generation + " by its tables)"
		return Identity{Kind: KindReference, Generation: generation, What: what}, err
	case has("authenticatable", "role_rule_association"):
		return Identity{Kind: KindForeign, What: "the database of a vantage6 server that is not of release 3.x"}, nil
	case has(versionTable) && (len(tables) == 1 || has(ownTables[:2]...) || has(ownTables[2:]...)):
		version, err := of.version()
		return Identity{Kind: KindOurs, Version: version}, err
	}
	return Identity{Kind: KindForeign, What: "one with " + tablesOf(tables)}, nil
}

// generations are what releases added, the newest first: a table, or a column of one.
var generations = []struct{ table, column, releases string }{
	{"task", "created_at", "3.11"},
	{"nodeconfig", "", "3.8 to 3.10"},
	{"result", "status", "3.6 or 3.7"},
	{"user", "otp_secret", "3.5"},
	{"user", "failed_login_attempts", "3.3 or 3.4"},
	{"algorithmport", "", "3.1 or 3.2"},
}

// generationOf names the newest release whose tables a 3.x database has. Those that the release
// replaced may be there as well: an upgrade removes nothing.
func generationOf(tables []string, columns func(string) ([]string, error)) (string, error) {
	for _, g := range generations {
		if !slices.Contains(tables, g.table) {
			continue
		}
		if g.column == "" {
			return g.releases, nil
		}
		list, err := columns(g.table)
		if err != nil || slices.Contains(list, g.column) {
			return g.releases, err
		}
	}
	return "3.0", nil
}

// programs are marks of programs whose databases are met beside this one.
var programs = []struct {
	name   string
	tables []string
}{
	{"Gitea or Forgejo", []string{"repository", "access_token", "issue"}},
	{"Keycloak", []string{"realm", "user_entity"}},
	{"Grafana", []string{"dashboard", "data_source"}},
	{"Nextcloud", []string{"oc_appconfig"}},
	{"a Django application", []string{"django_migrations"}},
	{"Matrix Synapse", []string{"event_json", "room_memberships"}},
	{"Home Assistant", []string{"states", "recorder_runs"}},
}

// tablesOf says whose tables stand in a database, and names the first of them.
func tablesOf(tables []string) string {
	const shown = 3
	list := strings.Join(tables[:min(shown, len(tables))], ", ")
	if len(tables) > shown {
		list += fmt.Sprintf(" and %d more", len(tables)-shown)
	}
	for _, p := range programs {
		if !slices.ContainsFunc(p.tables, func(n string) bool { return !slices.Contains(tables, n) }) {
			return fmt.Sprintf("the tables of %s (%s)", p.name, list)
		}
	}
	return "the tables of another program (" + list + ")"
}
