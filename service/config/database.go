package config

import (
	"errors"
	"fmt"
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
	Direct  Secret // the same past every pooler, Postgres only; empty: DSN
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
	if strings.HasPrefix(file, "file:") {
		return Database{}, errors.New("holds a URI within the URI: write the path itself, such as sqlite:////srv/file.sqlite")
	}
	if p.GOOS == "windows" {
		if err := checkWindowsFile(file); err != nil {
			return Database{}, err
		}
	}
	path := p.under(dataDir, file)
	return Database{Engine: SQLite, Path: path, Display: Secret("sqlite:///" + path), Name: path}, nil
}

// checkWindowsFile refuses what Windows would take for something else: a place that
// depends on the current folder of a drive, and a stream of a file.
func checkWindowsFile(file string) error {
	switch rest := strings.TrimLeft(file, `/\`); {
	case rest != file && drive.MatchString(rest):
		return errors.New("has a / too much: write three of them before a drive, such as sqlite:///" + rest)
	case drive.MatchString(file) && !strings.Contains(file[len("C:"):], ":"):
		return nil
	case len(file) > 1 && file[1] == ':' && !drive.MatchString(file):
		return errors.New(`names a drive without a folder: write sqlite:///C:\folder\file.sqlite`)
	case strings.Contains(file, ":"):
		return errors.New("has a colon in the name of a file, which Windows does not allow")
	}
	return nil
}
