package dbtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vserver/queries"
)

// borrow returns a copy of the template on Postgres for one test. Making a database costs a
// second, so a copy goes back to what it was and serves the next test.
func (p *Template) borrow(t testing.TB) queries.Source {
	t.Helper()
	p.mu.Lock()
	var src queries.Source
	if n := len(p.free); n > 0 {
		src, p.free = p.free[n-1], p.free[:n-1]
	}
	p.mu.Unlock()
	if src.DSN == "" {
		name := newName()
		if err := admin(p.made.DSN, `CREATE DATABASE "`+name+`" TEMPLATE "`+database(p.made.DSN)+`"`); err != nil {
			t.Fatalf("copying the template database: %v", err)
		}
		src = queries.Source{Engine: queries.Postgres, DSN: named(p.made.DSN, name)}
	}
	t.Cleanup(func() { p.giveBack(t, src) })
	return src
}

// giveBack puts a copy back to what the template is. One whose schema a test has
// changed is dropped.
func (p *Template) giveBack(t testing.TB, src queries.Source) {
	if err := restore(src); err != nil {
		t.Logf("a test database is not used again: %v", err)
		if err := admin(src.DSN, `DROP DATABASE "`+database(src.DSN)+`" WITH (FORCE)`); err != nil {
			t.Errorf("dropping a test database: %v", err)
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, src)
}

// shape describes everything of the schema that a test might change. It asks the catalog itself, because the views of
// the information schema take three times as long, after every test.
const shape = `SELECT md5(string_agg(f, ';' ORDER BY f)) FROM (
	SELECT c.relname || '.' || a.attname || a.atttypid AS f FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL SELECT tgrelid || tgname FROM pg_trigger WHERE NOT tgisinternal
	UNION ALL SELECT conrelid || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
	UNION ALL SELECT proname || proargtypes::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace) s`

// keep stores within a database what restore puts back: every table's rows, every
// sequence, and the shape of the schema.
func keep(src queries.Source) error {
	return onPostgres(src, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `
DO $$ DECLARE t text; BEGIN
  CREATE SCHEMA keep;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('CREATE TABLE keep.%I AS TABLE public.%I', t, t);
  END LOOP;
  CREATE TABLE keep."a sequence" AS SELECT sequencename, COALESCE(last_value, 1) AS at, last_value IS NOT NULL AS called
    FROM pg_sequences WHERE schemaname = 'public';
END $$`)
		if err != nil {
			return fmt.Errorf("keeping the rows of the template: %w", err)
		}
		if _, err := c.Exec(ctx, `CREATE TABLE keep."a shape" AS `+shape); err != nil {
			return fmt.Errorf("keeping the shape of the template: %w", err)
		}
		return nil
	})
}

// restore undoes what a test did. Foreign keys and triggers sleep meanwhile.
func restore(src queries.Source) error {
	return onPostgres(src, func(ctx context.Context, c *pgx.Conn) error {
		var same bool
		if err := c.QueryRow(ctx, `SELECT (SELECT md5 FROM keep."a shape") = (`+shape+`)`).Scan(&same); err != nil {
			return err
		}
		if !same {
			return errors.New("its schema was changed")
		}
		_, err := c.Exec(ctx, putBack)
		return err
	})
}

// Renew puts the copy of a template that is in use back to what the template is, and reports
// whether it did: a file of SQLite is more easily copied anew.
func Renew(t testing.TB, src queries.Source) bool {
	t.Helper()
	if src.Engine != queries.Postgres {
		return false
	}
	err := onPostgres(src, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, putBack)
		return err
	})
	if err != nil {
		t.Fatalf("putting a test database back: %v", err)
	}
	return true
}

// putBack fills every table that has changed, and every sequence, from what keep has stored.
const putBack = `
DO $$ DECLARE t text; s record; changed boolean; BEGIN
  SET LOCAL lock_timeout = '10s';
  SET LOCAL session_replication_role = replica;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (TABLE public.%1$I EXCEPT ALL TABLE keep.%1$I)
      OR (SELECT count(*) FROM public.%1$I) <> (SELECT count(*) FROM keep.%1$I)', t) INTO changed;
    IF changed THEN
      EXECUTE format('DELETE FROM public.%I', t);
      EXECUTE format('INSERT INTO public.%I SELECT * FROM keep.%I', t, t);
    END IF;
  END LOOP;
  FOR s IN SELECT * FROM keep."a sequence" LOOP
    PERFORM setval(format('public.%I', s.sequencename)::regclass, s.at, s.called);
  END LOOP;
END $$`

func onPostgres(src queries.Source, f func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, src.DSN)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	return f(ctx, c)
}
