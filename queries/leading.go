package queries

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
)

// Led returns queries whose lists are read by the index of a column and the id. A list that is filtered by the column
// has to have a `before`. Without it a planner may walk along the ids and look for the value, because it takes the rows
// that have it for spread evenly, and meets none of them among a million newer ones.
func (q *Queries) Led(column string) *Queries { return New(&led{q.db, column}) }

// led has lists be in the order of an index: that of the value, of which there is one, and the id.
type led struct {
	DBTX
	column string
}

func (l *led) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return l.DBTX.QueryContext(ctx, leading(q, l.column), args...)
}

func (l *led) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	return l.DBTX.QueryRowContext(ctx, leading(q, l.column), args...)
}

var (
	cursor = regexp.MustCompile(`\b(\w+)\.id < (\$\d+)\)`)
	ending = regexp.MustCompile(`\nORDER BY (\w+)\.id( DESC)? LIMIT `)
)

// leading turns a list query into one in the order of an index. The value is at least the one that is wanted, and value
// and id together lie before the cursor: nothing else does, and a planner cannot tell that the value is always the same.
func leading(q, column string) string {
	m := cursor.FindStringSubmatch(q)
	if m == nil {
		return q
	}
	name := m[1] + "." + column
	before, rest, found := strings.Cut(q, name+" = $")
	if !found {
		return q
	}
	number := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	q = before + name + " >= $" + rest
	q = strings.Replace(q, m[0], "("+name+", "+m[1]+".id) < ($"+number+", "+m[2]+"))", 1)
	return ending.ReplaceAllString(q, "\nORDER BY "+name+"$2, $1.id$2 LIMIT ")
}
