package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// statements is the number of prepared statements that one side of SQLite keeps;
// rarer combinations of filters are prepared each time.
const statements = 512

// conn is what both sides of SQLite run on: the readers' pool and the writer's
// one connection.
type conn interface {
	DBTX
}

// lite runs queries that were generated for Postgres on SQLite. It turns $N into
// ?N, because SQLite numbers a bare $N by its first appearance and not by N, and it
// leaves out optional filters whose argument is nil, because SQLite's planner can
// use no index for `(? IS NULL OR …)`. Prepared statements are kept.
type lite struct {
	on conn
	mu sync.RWMutex
	by map[shape]*sql.Stmt

	texts sync.Map // shape -> text
}

// shape is a query with the set of its arguments that are nil.
type shape struct {
	query string
	nils  uint64
}

func newLite(on conn) *lite { return &lite{on: on, by: map[shape]*sql.Stmt{}} }

func (l *lite) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	st, text, args := l.statement(ctx, q, args)
	if st == nil {
		return l.on.ExecContext(ctx, text, args...)
	}
	return st.ExecContext(ctx, args...)
}

func (l *lite) PrepareContext(ctx context.Context, q string) (*sql.Stmt, error) {
	text, _ := l.text(shape{q, 0})
	return l.on.PrepareContext(ctx, text)
}

func (l *lite) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	st, text, args := l.statement(ctx, q, args)
	if st == nil {
		return l.on.QueryContext(ctx, text, args...)
	}
	return st.QueryContext(ctx, args...)
}

func (l *lite) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	st, text, args := l.statement(ctx, q, args)
	if st == nil {
		return l.on.QueryRowContext(ctx, text, args...)
	}
	return st.QueryRowContext(ctx, args...)
}

// close ends the statements that are kept; SQLite closes no file before that.
func (l *lite) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	for _, st := range l.by {
		err = errors.Join(err, st.Close())
	}
	clear(l.by)
	return err
}

// statement returns the prepared statement for these arguments, or nil and the text
// to run when none is kept, and the arguments that the text still names.
func (l *lite) statement(ctx context.Context, q string, args []any) (*sql.Stmt, string, []any) {
	key := shape{q, nils(args)}
	l.mu.RLock()
	st := l.by[key]
	l.mu.RUnlock()
	text, last := l.text(key)
	args = args[:min(last, len(args))]
	if st != nil {
		return st, text, args
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if st = l.by[key]; st != nil || len(l.by) >= statements {
		return st, text, args
	}
	st, err := l.on.PrepareContext(context.WithoutCancel(ctx), text)
	if err != nil {
		return nil, text, args // running the text gives the same error to the caller
	}
	l.by[key] = st
	return st, text, args
}

// nils returns the set of nil arguments, bit i for args[i].
func nils(args []any) uint64 {
	var set uint64
	for i, a := range args {
		var isNil bool
		switch v := a.(type) {
		case nil:
			isNil = true
		case *string:
			isNil = v == nil
		case *int64:
			isNil = v == nil
		case *bool:
			isNil = v == nil
		case *Time:
			isNil = v == nil
		}
		if isNil && i < 64 {
			set |= 1 << i
		}
	}
	return set
}

var optional = regexp.MustCompile(`^\(CAST\(\$(\d+) AS \w+\) IS NULL OR `)

// holding is how Postgres is told to hold rows, at the end of a query. SQLite has one writer, which holds everything.
var holding = regexp.MustCompile(` FOR (NO KEY UPDATE|SHARE)\s*$`)

// folded is how Postgres is told to take no account of case. LIKE of SQLite takes none of that of ASCII letters, which
// are all that its lower knows of.
var folded = regexp.MustCompile(`\blower\(([\w.]+)\) LIKE lower\((\$\d+)\)`)

type text struct {
	sql  string
	last int // highest parameter that the text still names
}

// text returns what rewrite makes of a query, which is done once for each shape.
func (l *lite) text(key shape) (string, int) {
	if v, ok := l.texts.Load(key); ok {
		t := v.(text)
		return t.sql, t.last
	}
	var t text
	t.sql, t.last = rewrite(folded.ReplaceAllString(key.query, "${1} LIKE ${2}"), key.nils)
	l.texts.Store(key, t)
	return t.sql, t.last
}

// rewrite returns a query's text for SQLite and the number of parameters it needs.
func rewrite(q string, nils uint64) (string, int) {
	var b strings.Builder
	var last int
	specialize(&b, holding.ReplaceAllString(q, ""), nils, &last)
	return b.String(), last
}

// specialize copies q to b with ?N for $N, and TRUE for every optional filter whose
// parameter is nil. It leaves string literals alone.
func specialize(b *strings.Builder, q string, nils uint64, last *int) {
	for i := 0; i < len(q); i++ {
		switch {
		case q[i] == '\'':
			end := i + 1 + strings.IndexByte(q[i+1:], '\'')
			b.WriteString(q[i : end+1])
			i = end
		case q[i] == '(' && optional.MatchString(q[i:]):
			m := optional.FindStringSubmatch(q[i:])
			end := i + closing(q[i:])
			if n, _ := strconv.Atoi(m[1]); n <= 64 && nils&(1<<(n-1)) != 0 {
				b.WriteString("TRUE")
			} else {
				b.WriteByte('(')
				specialize(b, q[i+len(m[0]):end], nils, last)
				b.WriteByte(')')
			}
			i = end
		case q[i] == '$':
			n := len(q[i+1:]) - len(strings.TrimLeft(q[i+1:], "0123456789"))
			number, _ := strconv.Atoi(q[i+1 : i+1+n])
			*last = max(*last, number)
			fmt.Fprintf(b, "?%d", number)
			i += n
		default:
			b.WriteByte(q[i])
		}
	}
}

// closing finds the parenthesis that closes the one s begins with.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'':
			i += 1 + strings.IndexByte(s[i+1:], '\'')
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s) - 1
}
