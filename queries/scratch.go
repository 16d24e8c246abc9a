package queries

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Scratch makes an empty database on the server of Postgres that a connection string leads
// to, for a use that leaves nothing behind. It returns the connection string of the new
// database, and what removes it again with all that it holds; the database of the
// connection string itself is not touched. The account has to be allowed to make databases.
func Scratch(ctx context.Context, dsn string) (own string, remove func(context.Context) error, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", nil, errors.New("the URI of Postgres cannot be used") // the error would show its password
	}
	name := "vserver_scratch_" + strings.ToLower(rand.Text())
	if err := command(ctx, dsn, `CREATE DATABASE "`+name+`"`); err != nil {
		return "", nil, fmt.Errorf("making a database for the measurement: %w", err)
	}
	options := u.Query()
	options.Del("dbname")
	u.Path, u.RawQuery = "/"+name, encodedOptions(options)
	return u.String(), func(ctx context.Context) error {
		if err := command(ctx, dsn, `DROP DATABASE "`+name+`" WITH (FORCE)`); err != nil {
			return fmt.Errorf("removing database %s: %w", name, err)
		}
		return nil
	}, nil
}

// command runs one statement on a connection of its own.
func command(ctx context.Context, dsn, statement string) error {
	pool, err := openPostgresPool(dsn)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, statement)
	return errors.Join(err, pool.Close())
}
