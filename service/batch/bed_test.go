package batch_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/batch"
	"vserver/service/bus"
	"vserver/service/core"
)

// started is a database that a server has been started on once.
var started = dbtest.Template{Build: func(ctx context.Context, src queries.Source) error {
	db, err := queries.Open(ctx, src)
	if err != nil {
		return err
	}
	_, err = core.New(ctx, db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: leastCost})
	return errors.Join(err, db.Close())
}}

// bed is a database with its use cases, and plain SQL to look at it.
type bed struct {
	*testing.T
	core *core.Core
	src  queries.Source
	sql  *sql.DB
	news atomic.Int64 // messages of the bus
}

func newBed(t *testing.T) *bed {
	t.Helper()
	src := started.Copy(t)
	b := &bed{T: t, src: src}
	var hub *bus.Bus
	hub, b.core = open(t, src)
	hub.Subscribe(func(bus.Message) { b.news.Add(1) })
	var err error
	if b.sql, err = dbtest.SQL(src); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.sql.Close() })
	return b
}

// open makes the use cases of a database.
func open(t testing.TB, src queries.Source) (*bus.Bus, *core.Core) {
	t.Helper()
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	hub := bus.New(zerolog.Nop())
	c, err := core.New(t.Context(), db, hub, zerolog.Nop(), core.Settings{PasswordCost: leastCost})
	if err != nil {
		t.Fatal(err)
	}
	return hub, c
}

// imports applies a file and gives what comes of it.
func (b *bed) imports(file *batch.File, o batch.Options) (batch.Report, error) {
	b.Helper()
	return file.Apply(b.Context(), b.core, o)
}

// must applies a text that has to be taken.
func (b *bed) must(text string) batch.Report {
	b.Helper()
	report, err := b.imports(parse(b.T, text), batch.Options{})
	if err != nil || report.Count(batch.Differs, "") > 0 {
		b.Fatalf("%+v\n%v", report, err)
	}
	return report
}

func parse(t testing.TB, text string) *batch.File {
	t.Helper()
	f, err := batch.Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t testing.TB, path string) *batch.File {
	t.Helper()
	f, err := batch.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rows returns the result of a query, its columns joined by blanks and its rows by
// commas.
func (b *bed) rows(query string) string {
	b.Helper()
	rows, err := b.sql.QueryContext(b.Context(), query)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, _ := rows.Columns()
	var lines []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
		words := make([]string, len(values))
		for i, v := range values {
			if octets, ok := v.([]byte); ok {
				v = string(octets)
			}
			words[i] = fmt.Sprint(v)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return strings.Join(lines, ", ")
}

// wants compares the results of queries.
func (b *bed) wants(want map[string]string) {
	b.Helper()
	for query, rows := range want {
		if got := b.rows(query); got != rows {
			b.Errorf("%s\ngot  %s\nwant %s", query, got, rows)
		}
	}
}

// everything is a digest of what is stored.
func (b *bed) everything() string {
	b.Helper()
	var all []string
	for _, table := range []string{
		"organization", "collaboration", "member", "authenticatable", `"user"`, "node", "role", "user_role", "task", "result", "counter",
	} {
		all = append(all, table+": "+b.rows("SELECT * FROM "+table+" ORDER BY 1, 2"))
	}
	return strings.Join(all, "\n")
}

// leastCost is bcrypt's least, so that tests do not wait for it.
const leastCost = 4
