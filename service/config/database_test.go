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
		{"postgresql://ada:pw@db/v6?sslmode=disable", "ada", "pw", "db", "5432", "v6"},
		{"postgresql://ada@azure:pw@db/v6", "ada@azure", "pw", "db", "5432", "v6"},
		{"postgresql://ada@azure@db:5433/v6", "ada@azure", "", "db", "5433", "v6"},
		{"postgresql://ada@db:5433/v6?application_name=a@b", "ada", "", "db", "5433", "v6"},
		{"postgresql://ada:100%%40home@db/v6", "ada", "100%@home", "db", "5432", "v6"},
		{"postgresql://ada:%zz%4@db/v6", "ada", "%zz%4", "db", "5432", "v6"},
		{"postgresql://ada:p@ss/w@db/v6", "ada", "p@ss/w", "db", "5432", "v6"},
		{"postgresql://ada:p@s?s@db/v6", "ada", "p@s?s", "db", "5432", "v6"},
		{"postgresql://ada:p@s/s?@t@db:5433/v6?sslmode=disable", "ada", "p@s/s?@t", "db", "5433", "v6"},
		{"postgresql://ada:pw@db/v6?application_name=a@b", "ada", "pw", "db", "5432", "v6"},
		{"postgresql://ada:pw@%2Fvar%2Frun/v6", "ada", "pw", "/var/run", "5432", "v6"},
		{"postgresql://ada:pw@%2Fvar%2Frun:5433/v6", "ada", "pw", "/var/run", "5433", "v6"},
		{"postgresql://ada:pw@/v6?host=/var/run&port=5433", "ada", "pw", "/var/run", "5433", "v6"},
		{"postgresql://db/v6?user=ada&password=a+b%25", "ada", "a b%", "db", "5432", "v6"},
		{"postgresql://x:y@db/z?user=ada&password=pw&dbname=v6", "ada", "pw", "db", "5432", "v6"},
		{"postgresql://ada:pw@db/v%6", "ada", "pw", "db", "5432", "v%6"},
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
		delete(read.RuntimeParams, "application_name")
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
		"postgresql://ada:geheim-7@x/y@db/v6":                 "postgresql://ada:***@db/v6",
		"postgresql://ada:a@b/geheim-7?c@db/v6":               "postgresql://ada:***@db/v6",
		"postgresql://ada@db/v6?pass%77ord=geheim-7&password": "postgresql://ada@db/v6?pass%77ord=***&password",
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

// What cannot be read is refused in words that hold no part of a password.
func TestNoErrorShowsAPassword(t *testing.T) {
	for _, uri := range []string{
		"postgresql://ada:geheim-7", "postgresql://ada:geheim-7/v6", "postgresql://ada:geheim-7@db:geheim-7/v6", "postgresql://a/da:geheim-7@db/v6",
		"postgresql://ada:x@geheim-7@/geheim-7@:geheim-7/v6", "mysql://ada:geheim-7@db/v6", "postgresql://ada:x@ geheim-7/v6",
	} {
		d, err := machine("linux", "", nil).Database(config.Secret(uri), "/data")
		if err == nil || strings.Contains(err.Error(), "geheim") || strings.Contains(d.Host+d.Name, "geheim") {
			t.Errorf("%s: %v %s", uri, err, d)
		}
	}
}

func TestSeveralHosts(t *testing.T) {
	for uri, want := range map[string]string{
		"postgresql://ada:pw@a:1,b:2/v6?target_session_attrs=primary": "a:1 b:2",
		"postgresql://ada:pw@a,b/v6":                                  "a:5432 b:5432",
		"postgresql://ada:pw@/v6?host=a:1&host=b:2":                   "a:1 b:2",
		"postgresql://ada:pw@/v6?host=a,b&port=1,2":                   "a:1 b:2",
		"postgresql://ada:pw@/v6?host=a,b&port=7":                     "a:7 b:7",
		"postgresql://ada:pw@[::1]:1,[::2]/v6":                        "::1:1 ::2:5432",
		"postgresql://ada:pw@a:x,b:2/v6":                              "has no valid port behind its host",
		"postgresql://ada:pw@/v6?host=a,b&port=1,2,3":                 "has not as many ports as hosts",
	} {
		got, err := machine("linux", "", nil).Database(config.Secret(uri+"&sslmode=disable"), "/data")
		if !strings.Contains(uri, "?") {
			got, err = machine("linux", "", nil).Database(config.Secret(uri+"?sslmode=disable"), "/data")
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v", uri, err)
			}
			continue
		}
		read, err := pgconn.ParseConfig(got.DSN.Reveal())
		if err != nil {
			t.Errorf("%s: driver: %v", uri, err)
			continue
		}
		have := fmt.Sprintf("%s:%d", read.Host, read.Port)
		for _, f := range read.Fallbacks {
			have += fmt.Sprintf(" %s:%d", f.Host, f.Port)
		}
		if have != want {
			t.Errorf("%s: %s, want %s", uri, have, want)
		}
	}
}

// On Windows a path is what it says, or it is refused.
func TestPathsOfWindows(t *testing.T) {
	for uri, want := range map[string]string{
		"sqlite:///C:d.db":           `names a drive without a folder: write sqlite:///C:\folder\file.sqlite`,
		`sqlite:////C:\data\d.db`:    `has a / too much: write three of them before a drive, such as sqlite:///C:\data\d.db`,
		"sqlite:///d.db:stream":      "has a colon in the name of a file, which Windows does not allow",
		`sqlite:///C:\d.db:stream`:   "has a colon in the name of a file, which Windows does not allow",
		"sqlite:///file:d.db?uri=on": "holds a URI within the URI: write the path itself, such as sqlite:////srv/file.sqlite",
	} {
		if d, err := machine("windows", "", nil).Database(config.Secret(uri), `C:\N`); err == nil || err.Error() != want {
			t.Errorf("%s: %v %s", uri, err, d.Path)
		}
	}
}
