package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"vserver/service/config"
)

func TestSQLiteURIs(t *testing.T) {
	linux, windows := machine("linux", "", nil), machine("windows", "", nil)
	const data = "/usr/local/share/vantage6/server/N"
	for _, tc := range []struct {
		at                  config.Locations
		uri, dir            string
		wantPath, wantShown string
	}{
		{linux, "sqlite:///test.sqlite", data, data + "/test.sqlite", "sqlite:////usr/local/share/vantage6/server/N/test.sqlite"},
		{linux, "sqlite:///sub/dir/t.db", data, data + "/sub/dir/t.db", "sqlite:///" + data + "/sub/dir/t.db"},
		{linux, "sqlite:////srv/t.db", data, "/srv/t.db", "sqlite:////srv/t.db"},
		{linux, "sqlite:////srv/t.db?timeout=5", data, "/srv/t.db", "sqlite:////srv/t.db"},
		{linux, "sqlite+pysqlite:///t.db", data, data + "/t.db", "sqlite:///" + data + "/t.db"},
		{linux, "sqlite:////srv/a b@c:d.db", data, "/srv/a b@c:d.db", "sqlite:////srv/a b@c:d.db"},
		{windows, `sqlite:///C:\data\t.db`, `C:\N`, `C:\data\t.db`, `sqlite:///C:\data\t.db`},
		{windows, `sqlite:///c:/data/t.db`, `C:\N`, `c:/data/t.db`, `sqlite:///c:/data/t.db`},
		{windows, `sqlite:///t.db`, `C:\ProgramData\N`, `C:\ProgramData\N\t.db`, `sqlite:///C:\ProgramData\N\t.db`},
	} {
		got, err := tc.at.Database(config.Secret(tc.uri), tc.dir)
		if err != nil || got.Engine != config.SQLite || got.Path != tc.wantPath || got.Display.Reveal() != tc.wantShown {
			t.Errorf("%s: %v, path %s, shown %s", tc.uri, err, got.Path, got.Display.Reveal())
		}
	}
}

// The DSN is judged by the driver that will read it.
func TestPostgresURIs(t *testing.T) {
	for _, tc := range []struct{ uri, user, password, host, port, database string }{
		{"postgresql://ada:pw@db.example.org:5433/v6", "ada", "pw", "db.example.org", "5433", "v6"},
		{"postgres://ada:pw@db/v6", "ada", "pw", "db", "5432", "v6"},
		{"postgresql+psycopg2://ada:pw@172.17.0.1/v6", "ada", "pw", "172.17.0.1", "5432", "v6"},
		{"postgresql+asyncpg://ada@db/v6", "ada", "", "db", "5432", "v6"},
		{"POSTGRESQL+pg8000://ada:pw@[::1]:5433/v6", "ada", "pw", "::1", "5433", "v6"},
		{"postgresql://ada:p%40s%2Fs%3Aw%25@db/v6", "ada", "p@s/s:w%", "db", "5432", "v6"},
		{"postgresql://a%40b:pw@db/v6", "a@b", "pw", "db", "5432", "v6"},
		{"postgresql://ada:p@ss@db/v6", "ada", "p@ss", "db", "5432", "v6"},
		{"postgresql://ada:p/s?s#w@db/v6", "ada", "p/s?s#w", "db", "5432", "v6"},
		{"postgresql://ada:50%off@db/v6", "ada", "50%off", "db", "5432", "v6"},
		{"postgresql://ada:a+b c@db/v6", "ada", "a+b c", "db", "5432", "v6"},
		{"postgresql://ada:@db/v6", "ada", "", "db", "5432", "v6"},
		{"postgresql://ada:pw@/v6?host=/var/run/postgresql", "ada", "pw", "/var/run/postgresql", "5432", "v6"},
		{"postgresql://ada:pw@db/v6?sslmode=disable&keepalives=1&gssencmode=disable", "ada", "pw", "db", "5432", "v6"},
	} {
		got, err := machine("linux", "", nil).Database(config.Secret(tc.uri), "/data")
		if err != nil || got.Engine != config.Postgres || got.Display.Reveal() != tc.uri {
			t.Errorf("%s: %v, shown %s", tc.uri, err, got.Display.Reveal())
			continue
		}
		read, err := pgconn.ParseConfig(got.DSN.Reveal())
		if err != nil {
			t.Errorf("%s: driver: %v", tc.uri, err)
			continue
		}
		have := []any{read.User, read.Password, read.Host, fmt.Sprint(read.Port), read.Database, len(read.RuntimeParams)}
		want := []any{tc.user, tc.password, tc.host, tc.port, tc.database, 0}
		if fmt.Sprint(have) != fmt.Sprint(want) {
			t.Errorf("%s:\n got %q\nwant %q", tc.uri, have, want)
		}
	}
}

func TestDatabaseIsSafeToPrint(t *testing.T) {
	const password = "geheim-7"
	for uri, want := range map[string]string{
		"postgresql://ada:geheim-7@db/v6":                     "postgresql://ada:***@db/v6",
		"postgresql://ada:geheim-7@x@db/v6":                   "postgresql://ada:***@db/v6",
		"postgresql://ada@db/v6?password=geheim-7":            "postgresql://ada@db/v6?password=***",
		"postgresql://ada@db/v6?a=b&sslpassword=geheim-7&c=d": "postgresql://ada@db/v6?a=b&sslpassword=***&c=d",
	} {
		d, err := machine("linux", "", nil).Database(config.Secret(uri), "/data")
		if err != nil || d.String() != want {
			t.Errorf("%v: %s, want %s", err, d, want)
		}
		for _, verb := range []string{"%v", "%+v", "%s", "%q", "%#v"} {
			if text := fmt.Sprintf(verb, d); strings.Contains(text, password) {
				t.Errorf("%s shows %s", verb, text)
			}
		}
		if secrets := (config.Config{URI: config.Secret(uri)}).Secrets(); len(secrets) == 0 || !strings.Contains(secrets[0], password) {
			t.Errorf("%s: secrets %v", uri, secrets)
		}
	}
}
