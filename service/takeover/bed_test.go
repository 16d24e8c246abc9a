package takeover

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/promise"
)

// utc are the options of tests.
var utc = Options{Zone: time.UTC}

// told is what is known of a file beside its rows.
type told struct {
	JWT   string `json:"jwt_secret_key"`
	Users map[string]struct {
		Password string `json:"password"`
		Secret   string `json:"otp_secret"`
	} `json:"users"`
	Nodes map[string]struct {
		Key string `json:"api_key"`
	} `json:"nodes"`
}

// patient is an instance whose uri leads to the database of a 3.x server.
type patient struct {
	*testing.T
	told    told
	inst    config.Instance
	address string // of its server
	before  string // the sum of the old file
}

// onSQLite skips a test when the run is that of Postgres.
func onSQLite(t *testing.T) {
	t.Helper()
	if os.Getenv("VSERVER_TEST_POSTGRES") != "" {
		t.Skip("runs on SQLite")
	}
}

// newPatient puts an old SQLite file where an instance has its database. Tests change it before.
func newPatient(t *testing.T, name string, change ...string) *patient {
	t.Helper()
	p := &patient{T: t}
	p.told.JWT = "of a file of which nothing is known"
	dbtest.ReferenceFacts(t, name, &p.told)
	src := dbtest.Reference(t, name)
	dir := filepath.Dir(src.Path)
	path := filepath.Join(dir, "old.sqlite")
	p.must(errors.Join(os.Rename(src.Path, path), os.Chmod(path, 0o640)))
	if len(change) > 0 {
		db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=foreign_keys(off)")
		p.must(err)
		for _, statement := range change {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		p.must(db.Close())
	}
	p.configure(dir, "sqlite:///"+path, "")
	p.before = sum(t, path)
	old := time.Now().Add(-time.Hour)
	for _, file := range []string{path, path + "-journal"} { // nobody has to watch it
		if err := os.Chtimes(file, old, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return p
}

// configure writes a configuration and reads it.
func (p *patient) configure(dir, uri, more string) {
	p.Helper()
	file := filepath.Join(dir, "old.yaml")
	text := fmt.Sprintf(`application:
  description: old
  ip: 127.0.0.1
  port: 0
  api_path: /api
  uri: %s
  allow_drop_all: false
  jwt_secret_key: %s
%s  logging: {level: INFO, use_console: false, backup_count: 5, max_size: 1024, format: "%%(message)s", datefmt: "%%H", file: old.log, loggers: []}
  directories: {data: %s, log: %s}
`, uri, p.told.JWT, more, dir, dir)
	p.must(os.WriteFile(file, []byte(text), 0o600))
	p.configureFile(file)
}

// configureFile reads a configuration.
func (p *patient) configureFile(file string) {
	p.Helper()
	var err error
	p.inst, err = config.ThisMachine(os.Getenv).Resolve(config.Wanted{File: file, Environment: "application", Scope: config.User})
	p.must(err)
}

func (p *patient) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func sum(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// take takes the database over.
func (p *patient) take(o Options) Report {
	p.Helper()
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	r, err := Do(p.Context(), p.inst, o)
	if err != nil {
		p.Fatal(err)
	}
	if p.before != "" && sum(p.T, r.Kept) != p.before {
		p.Error("the old file has changed")
	}
	return r
}

// query reads rows of a database with a statement of its own.
func (p *patient) query(src queries.Source, statement string, args ...any) [][]any {
	p.Helper()
	db, err := dbtest.SQL(src)
	p.must(err)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(p.Context(), statement, args...)
	if err != nil {
		p.Fatalf("%s: %v", statement, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	p.must(err)
	var list [][]any
	for rows.Next() {
		row := make([]any, len(columns))
		at := make([]any, len(columns))
		for i := range row {
			at[i] = &row[i]
		}
		p.must(rows.Scan(at...))
		list = append(list, row)
	}
	p.must(rows.Err())
	return list
}

// src is where the new database is.
func (p *patient) src() queries.Source { return service.Source(p.inst) }

// serve runs a server until the test ends, or stop is called.
func (p *patient) serve() (stop func()) {
	p.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	ready := make(chan net.Addr, 1)
	go func() {
		ended <- service.Run(ctx, p.inst, service.RunOptions{Console: io.Discard, Ready: func(at net.Addr) { ready <- at }})
	}()
	stop = func() {
		cancel()
		ended <- <-ended
	}
	select {
	case at := <-ready:
		p.address = at.String()
	case err := <-ended:
		p.Fatal("the server did not start: ", err)
	case <-time.After(promise.Patience):
		p.Fatal("the server does not start")
	}
	p.Cleanup(stop)
	return stop
}

// call makes a request and returns status and reply.
func (p *patient) call(method, path, token string, body any) (int, any) {
	p.Helper()
	status, v, err := p.tryCall(method, path, token, body)
	p.must(err)
	return status, v
}

// tryCall is call, whose connection may be cut.
func (p *patient) tryCall(method, path, token string, body any) (int, any, error) {
	p.Helper()
	raw, err := json.Marshal(body)
	p.must(err)
	r, err := http.NewRequestWithContext(p.Context(), method, "http://"+p.address+"/api"+path, bytes.NewReader(raw))
	p.must(err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = reply.Body.Close() }()
	var v any
	return reply.StatusCode, v, json.NewDecoder(reply.Body).Decode(&v)
}

// oldToken is one that the 3.x server signed.
func (p *patient) oldToken(kind, client string, sub any, issued time.Time, more jwt.MapClaims) string {
	p.Helper()
	c := jwt.MapClaims{
		"fresh": false, "iat": issued.Unix(), "nbf": issued.Unix(), "jti": "x", "type": kind, "sub": sub, "client_type": client, "roles": []string{},
	}
	for key, v := range more {
		c[key] = v
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(p.told.JWT))
	p.must(err)
	return token
}
