package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"vserver/service/config"
)

// readByPython prints what SQLAlchemy hands to psycopg2 for each URI.
const readByPython = `
import json, sys
from sqlalchemy.engine import make_url
from sqlalchemy.dialects.postgresql import psycopg2
dialect = psycopg2.dialect()
print(json.dumps([{k: str(v) for k, v in dialect.create_connect_args(make_url(u))[1].items()} for u in json.load(sys.stdin)]))
`

// A URI that SQLAlchemy reads means the same here. It takes the real one, so the test
// is left out where there is none.
func TestURIsMeanWhatSQLAlchemyReads(t *testing.T) {
	python := "/usr/bin/python3"
	if err := exec.CommandContext(t.Context(), python, "-c", "import sqlalchemy, psycopg2").Run(); err != nil {
		t.Skip("NOT TESTED: URIs beside SQLAlchemy, which is not installed (Debian: python3-sqlalchemy, python3-psycopg2)")
	}
	var uris []string
	for _, user := range []string{"ada", "a%40b", "ada:pw", "ada:100%%40home", "ada:%zz", "ada:p/q?r#s", "ada:a+b c%20d", "ada:50%", "ada:%2525", "ada:ü%C3%BC", "ada:[x]", "ada:a:b", "ada@c:pw", "ada@c"} {
		for _, at := range []string{"db", "db:5433", "[::1]", "[::1]:5433", "10.0.0.1", ""} {
			for _, behind := range []string{"/v6", "/v%6", "/a b", "/v6?sslmode=disable", "/v6?application_name=a+b%26c&sslmode=disable", "/v6?connect_timeout=5&empty="} {
				uris = append(uris, "postgresql://"+user+"@"+at+behind)
			}
		}
	}
	uris = append(uris, "postgresql+psycopg2://db/v6?user=ada&password=p%2Bw", "postgresql://ada:pw@/v6?host=/var/run&port=5433", "postgresql://ada:pw@x/v6?host=a:1&host=b:2&host=c", "postgresql://ada:pw@db/v6?port=7")
	input, err := json.Marshal(uris)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", readByPython)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	var read []map[string]string
	if err == nil {
		err = json.Unmarshal(out, &read)
	}
	if err != nil || len(read) != len(uris) {
		t.Fatalf("%v: %s", err, out)
	}
	for i, uri := range uris {
		d, err := machine("linux", "", nil).Database(config.Secret(uri), "/data")
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		if fault := sameAs(read[i], d.DSN.Reveal()); fault != "" {
			t.Errorf("%s: %s", uri, fault)
		}
	}
}

// sameAs compares what Python reads with what the driver does.
func sameAs(want map[string]string, dsn string) string {
	// The driver takes what is missing from the surroundings; so it is compared with the
	// same keywords.
	text := ""
	for key, value := range want {
		text += fmt.Sprintf("%s='%s' ", key, strings.NewReplacer(`\\`, `\\\\`, "'", `\\'`).Replace(value))
	}
	theirs, err := pgconn.ParseConfig(text)
	if err != nil {
		return "keywords: " + err.Error()
	}
	ours, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return "URI: " + err.Error()
	}
	show := func(c *pgconn.Config) string {
		places := fmt.Sprintf("%s:%d", c.Host, c.Port)
		for _, f := range c.Fallbacks {
			places += fmt.Sprintf(" %s:%d", f.Host, f.Port)
		}
		return fmt.Sprintf("%q %q %q %s %v %v", c.User, c.Password, c.Database, places, c.RuntimeParams, c.ConnectTimeout)
	}
	if a, b := show(ours), show(theirs); a != b {
		return fmt.Sprintf("got %s\nwant %s", a, b)
	}
	return ""
}
