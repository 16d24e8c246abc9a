package queries

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Show is told every command of Postgres before it runs, as a shell would take it;
// passwords are not in it.
type Show func(command string)

// BackupPostgres has pg_dump write a database to one file with mode 0600, in the
// format that pg_restore reads, and proves it before it gets its name. It returns the
// version of the schema.
func BackupPostgres(ctx context.Context, dsn, to string, show Show) (int64, error) {
	unfinished := filepath.Join(filepath.Dir(to), fmt.Sprintf(".%s.%d", filepath.Base(to), os.Getpid()))
	if err := reserve(unfinished); err != nil {
		return 0, err
	}
	version, err := dump(ctx, dsn, unfinished, show)
	if err == nil {
		err = os.Rename(unfinished, to)
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(unfinished))
	}
	return version, nil
}

func dump(ctx context.Context, dsn, to string, show Show) (int64, error) {
	bare, password := withoutPassword(dsn)
	_, err := tool(ctx, show, password, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file="+to, "--dbname="+bare)
	if err != nil {
		return 0, err
	}
	return VerifyPostgres(ctx, to)
}

// VerifyPostgres has pg_restore read the whole of a dump, and returns the version of
// its schema, which this program must know.
func VerifyPostgres(ctx context.Context, dump string) (int64, error) {
	if _, err := tool(ctx, nil, "", "pg_restore", "--file="+os.DevNull, dump); err != nil {
		return 0, err
	}
	rows, err := tool(ctx, nil, "", "pg_restore", "--data-only", "--table=goose_db_version", "--file=-", dump)
	if err != nil {
		return 0, err
	}
	version := dumpedVersion(rows)
	if version == 0 {
		return 0, fmt.Errorf("%s is no backup of a database of this program", dump)
	}
	return version, tooNew(version, KnownSchema(Postgres))
}

// dumpedVersion finds the highest version among the dumped rows of goose_db_version.
func dumpedVersion(rows []byte) (version int64) {
	column, inside := -1, false
	for line := range strings.SplitSeq(string(rows), "\n") {
		if head, ok := strings.CutPrefix(line, "COPY "); ok {
			inside, column = true, position(head, "version_id")
			continue
		}
		fields := strings.Split(line, "\t")
		inside = inside && line != `\.`
		if inside && column >= 0 && column < len(fields) {
			if v, err := strconv.ParseInt(fields[column], 10, 64); err == nil {
				version = max(version, v)
			}
		}
	}
	return version
}

// position returns the place of a column in the head of a COPY, -1 when it is not there.
func position(head, name string) int {
	_, list, _ := strings.Cut(head, "(")
	list, _, _ = strings.Cut(list, ")")
	for i, column := range strings.Split(list, ",") {
		if strings.TrimSpace(column) == name {
			return i
		}
	}
	return -1
}

// RestorePostgres replaces a database that nobody else is connected to with a dump,
// in one transaction, after a dump of what is there into the file safety. It reports
// whether there was anything to keep.
func RestorePostgres(ctx context.Context, backup, dsn, safety string, show Show) (kept bool, err error) {
	version, err := VerifyPostgres(ctx, backup)
	if err != nil {
		return false, err
	}
	has, err := replaceable(ctx, dsn, version)
	if err != nil {
		return false, err
	}
	if kept = has > 0; kept {
		if err := reserve(safety); err != nil {
			return false, err
		}
		if _, err := dump(ctx, dsn, safety, show); err != nil {
			return false, errors.Join(fmt.Errorf("keeping a copy of the present database: %w", err), os.Remove(safety))
		}
	}
	bare, password := withoutPassword(dsn)
	_, err = tool(ctx, show, password, "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges",
		"--single-transaction", "--exit-on-error", "--dbname="+bare, backup)
	return kept, err
}

// replaceable returns the version of a database's schema when a dump can take its
// place. Tables that the dump does not know would stay behind, so the database must
// not be newer.
func replaceable(ctx context.Context, dsn string, version int64) (has int64, err error) {
	db, err := openPostgresPool(dsn)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	connected, err := stillConnected(ctx, func() (n int, err error) {
		err = db.QueryRowContext(ctx, othersConnected).Scan(&n)
		return n, err
	})
	if err != nil {
		return 0, err
	}
	if connected > 0 {
		return 0, fmt.Errorf("%w: %d other connections", ErrInUse, connected)
	}
	has, err = postgresVersion(ctx, db)
	if err == nil && has > version {
		return 0, fmt.Errorf("the backup has schema version %d, the database has %d already: restore into an empty database", version, has)
	}
	return has, err
}

// ClockOfPostgres is the time where the database runs.
func ClockOfPostgres(ctx context.Context, dsn string) (now time.Time, err error) {
	db, err := openPostgresPool(dsn)
	if err != nil {
		return now, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err = db.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return now, fmt.Errorf("asking Postgres for the time: %w", err)
	}
	return now, nil
}

// postgresVersion returns the version of the schema, 0 for an empty database.
func postgresVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	var there bool
	if err := db.QueryRowContext(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&there); err != nil || !there {
		return 0, err
	}
	return version, db.QueryRowContext(ctx, appliedVersion).Scan(&version)
}

// withoutPassword takes the password out of a connection string, so that it shows up
// in no list of processes.
func withoutPassword(dsn string) (bare, password string) {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn, ""
	}
	options := u.Query()
	password = options.Get("password")
	options.Del("password")
	if given, ok := u.User.Password(); ok {
		password = given
		u.User = url.User(u.User.Username())
	}
	u.RawQuery = encodedOptions(options)
	return u.String(), password
}

// hiddenOption is the password of a key file, for which libpq knows no other place.
var hiddenOption = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(sslpassword=)[^&'\s]*`) })

// tool runs a program of Postgres and returns what it prints.
func tool(ctx context.Context, show Show, password, name string, args ...string) ([]byte, error) {
	if show != nil {
		show(hiddenOption().ReplaceAllString(name+" "+strings.Join(quoted(args), " "), "$1***"))
	}
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the administrator's own database and files
	cmd.Env = os.Environ()
	if password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("%s is not installed: it comes with the client programs of Postgres", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(said.String()))
	}
	return out, nil
}

// quoted makes words safe for a shell where they have to be.
func quoted(words []string) []string {
	var safe []string
	for _, w := range words {
		if strings.ContainsAny(w, " \t\n'\"\\$&;|<>()*?[]{}`#~") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		safe = append(safe, w)
	}
	return safe
}
