package queries

import (
	"context"
	"database/sql"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// lean runs queries on Postgres without the optional filters whose argument is nil: what is left has a plan that is
// good for every value, so that Postgres makes it once for a connection and not at every execution.
type lean struct {
	DBTX
	texts sync.Map // shape -> leanText
}

// leanText is a query without some of its filters, and which of the arguments it still has.
type leanText struct {
	sql  string
	kept []int
}

func (l *lean) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	q, args = l.text(q, args)
	return l.DBTX.QueryContext(ctx, q, args...)
}

func (l *lean) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	q, args = l.text(q, args)
	return l.DBTX.QueryRowContext(ctx, q, args...)
}

func (l *lean) text(q string, args []any) (string, []any) {
	key := shape{q, nils(args)}
	var t leanText
	if known, ok := l.texts.Load(key); ok {
		t = known.(leanText)
	} else {
		t = thinned(q, key.nils)
		l.texts.Store(key, t)
	}
	kept := make([]any, len(t.kept))
	for i, at := range t.kept {
		kept[i] = args[at]
	}
	return t.sql, kept
}

// idList is a column whose value is one of a list of ids. As a join it has Postgres sort what an index gives in order.
var idList = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(\+?\b\w+\.\w+) IN \(\s*(SELECT CAST\(j\.key AS BIGINT\) FROM json_each\(\$\d+\) AS j)\)`)
})

// thinned leaves filters out and numbers the arguments anew that are left: Postgres wants the type of each.
func thinned(q string, nils uint64) leanText {
	text, _ := rewrite(q, nils)
	var t leanText
	var b strings.Builder
	number := map[int]int{}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\'':
			end := i + 1 + strings.IndexByte(text[i+1:], '\'')
			b.WriteString(text[i : end+1])
			i = end
		case '?':
			digits := len(text[i+1:]) - len(strings.TrimLeft(text[i+1:], "0123456789"))
			n, _ := strconv.Atoi(text[i+1 : i+1+digits])
			if number[n] == 0 {
				t.kept = append(t.kept, n-1)
				number[n] = len(t.kept)
			}
			b.WriteString("$" + strconv.Itoa(number[n]))
			i += digits
		default:
			b.WriteByte(text[i])
		}
	}
	t.sql = idList().ReplaceAllString(b.String(), "$1 = ANY (ARRAY($2))")
	return t
}
