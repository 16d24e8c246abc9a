package shell_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/shell"
)

// fixture is a session on a database of its own that was started once: user 1 and
// organization 1 are root, there are rules 1 to 53 and roles 1 to 7.
type fixture struct {
	*testing.T
	src   queries.Source
	db    *queries.DB
	core  *core.Core
	shell *shell.Shell
	out   bytes.Buffer
	err   bytes.Buffer
}

// leastCost is the cheapest that bcrypt takes.
const leastCost = 4

var started = dbtest.Template{Build: func(ctx context.Context, src queries.Source) error {
	db, err := queries.Open(ctx, src)
	if err != nil {
		return err
	}
	_, err = newCore(ctx, db)
	return joined(err, db.Close())
}}

func joined(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func newCore(ctx context.Context, db *queries.DB) (*core.Core, error) {
	return core.New(ctx, db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{
		PasswordCost: leastCost, MaxFailedAttempts: 5,
		Key: core.Key{Name: "the test", Read: func(bool) ([]byte, error) { return []byte("a key that is long enough to seal"), nil }},
	})
}

func newFixture(t *testing.T) *fixture { return newFixtureWith(t, shell.Options{}) }

func newFixtureWith(t *testing.T, o shell.Options) *fixture {
	t.Helper()
	b := &fixture{T: t, src: started.Copy(t)}
	var err error
	if b.db, err = queries.Open(t.Context(), b.src); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	if b.core, err = newCore(t.Context(), b.db); err != nil {
		t.Fatal(err)
	}
	o.Out, o.Err = &b.out, &b.err
	b.shell = shell.New(b.core, b.db, o)
	return b
}

// run runs statements and gives what they wrote, and the faults.
func (b *fixture) run(code string) (out, faults string) {
	b.Helper()
	b.out.Reset()
	b.err.Reset()
	exit, err := b.shell.Script(b.Context(), strings.NewReader(code))
	if err != nil || (exit == 0) != (b.err.Len() == 0) {
		b.Fatalf("the script ended with %d, %v:\n%s", exit, err, b.err.String())
	}
	return b.out.String(), b.err.String()
}

// does runs statements that must not fail and gives what they wrote.
func (b *fixture) does(code string) string {
	b.Helper()
	out, faults := b.run(code)
	if faults != "" {
		b.Fatalf("%s\n%s", code, faults)
	}
	return strings.TrimSuffix(out, "\n")
}

// says checks what a statement writes.
func (b *fixture) says(code, want string) {
	b.Helper()
	out, faults := b.run(code)
	if got := strings.TrimSuffix(out+faults, "\n"); got != want {
		b.Errorf("%s\ngives %s\nwant  %s", code, got, want)
	}
}

// stored returns rows as the database has them: values with blanks between, rows with
// commas.
func (b *fixture) stored(query string) string {
	b.Helper()
	db, err := dbtest.SQL(b.src)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(b.Context(), query)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, _ := rows.Columns()
	var list []string
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = &values[i]
		}
		if err := rows.Scan(values...); err != nil {
			b.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if octets, ok := v.([]byte); ok {
				v = string(octets)
			}
			texts[i] = fmt.Sprint(v)
		}
		list = append(list, strings.Join(texts, " "))
	}
	return strings.Join(list, ", ")
}
