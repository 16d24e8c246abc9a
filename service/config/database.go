package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"vserver/service/yaml"
)

// Engine is a kind of database.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Database is where the data is kept, read from an SQLAlchemy URI (/docs/configuration#places).
type Database struct {
	Engine  Engine
	Path    string // absolute file, SQLite only
	DSN     Secret // URL for the driver, Postgres only
	Display Secret // as `vserver files` prints it, password included; its String hides all
	Host    string // host and port, Postgres only; for the log
	Name    string // of the database, or the file; for the log
}

// String is safe to log: the password is masked.
func (d Database) String() string { return maskURI(d.Display.Reveal()) }

const uriForms = "use sqlite:///file.sqlite or postgresql://user:password@host/database"

// Database reads a URI; a relative SQLite file lies in dataDir. No error shows a
// password.
func (p Locations) Database(uri Secret, dataDir string) (Database, error) {
	scheme, rest, ok := strings.Cut(uri.Reveal(), "://")
	if !ok {
		return Database{}, errors.New("is no database URI: " + uriForms)
	}
	dialect, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	switch dialect {
	case "sqlite":
		return p.sqlite(rest, dataDir)
	case "postgresql", "postgres":
		return postgres(uri, rest)
	}
	return Database{}, fmt.Errorf("databases of the kind %s are not supported: %s", yaml.Shown(scheme), uriForms)
}

func (p Locations) sqlite(rest, dataDir string) (Database, error) {
	rest, _, _ = strings.Cut(rest, "?")
	file, ok := strings.CutPrefix(rest, "/")
	if file == "" || file == ":memory:" {
		return Database{}, errors.New("a database in memory is lost at each stop: name a file, such as sqlite:///default.sqlite")
	}
	if !ok {
		return Database{}, errors.New("needs three slashes for a file in the data directory, such as sqlite:///default.sqlite, or four for an absolute path")
	}
	if strings.ContainsRune(file, 0) || strings.HasSuffix(file, "/") {
		return Database{}, errors.New("must end in the name of a file, such as sqlite:///default.sqlite")
	}
	path := p.under(dataDir, file)
	return Database{Engine: SQLite, Path: path, Display: Secret("sqlite:///" + path), Name: path}, nil
}

// foreignOptions are settings of other drivers that the driver in use would pass on
// to the server, which refuses them; none matters here.
var foreignOptions = []string{
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
	"gssencmode", "gsslib", "sslcompression", "requirepeer", "fallback_application_name", "async_fallback",
	"prepared_statement_cache_size", "executemany_mode",
}

// postgres takes the URI apart as SQLAlchemy does, which is kinder than a URL
// parser to passwords with characters that should have been escaped.
func postgres(uri Secret, rest string) (Database, error) {
	target := url.URL{Scheme: "postgres"}
	if user, at := userinfo(rest); at >= 0 {
		target.User = url.User(unescaped(rest[:user]))
		if user < at {
			target.User = url.UserPassword(unescaped(rest[:user]), unescaped(rest[user+1:at]))
		}
		rest = rest[at+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	host, name, _ := strings.Cut(rest, "/")
	if err := checkHost(host); err != nil {
		return Database{}, err
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return Database{}, errors.New("has options behind the ? that cannot be read")
	}
	for _, foreign := range foreignOptions {
		options.Del(foreign)
	}
	target.Host, target.Path, target.RawQuery = host, "/"+name, options.Encode()
	return Database{Engine: Postgres, DSN: Secret(target.String()), Display: uri, Host: host, Name: name}, nil
}

func checkHost(host string) error {
	if strings.ContainsAny(host, " @\\<>\"") {
		return errors.New("has no valid host: " + uriForms)
	}
	if !strings.Contains(host, ":") || strings.HasSuffix(host, "]") {
		return nil
	}
	_, port, err := net.SplitHostPort(host)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
		return errors.New("has no valid port behind its host: " + uriForms)
	}
	return nil
}
