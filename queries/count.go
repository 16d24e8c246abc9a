package queries

import (
	"context"
	"fmt"
	"reflect"
	"strings"
)

// Count returns the number of rows that a list has on all its pages. It runs the text of
// the list query without its columns and its page, so that both always agree; arg are
// the parameters of the list.
func (q *Queries) Count(ctx context.Context, list string, arg any) (int64, error) {
	return q.number(ctx, counting(list), arg)
}

// CountUpTo is Count for lists of which it is enough to know that there are that many.
func (q *Queries) CountUpTo(ctx context.Context, list string, arg any, most int64) (int64, error) {
	rows := strings.Replace(counting(list), "COUNT(*)", "1", 1)
	return q.number(ctx, fmt.Sprintf("SELECT COUNT(*) FROM (%s LIMIT %d) AS counted", rows, most), arg)
}

// Seek returns the id of the row that comes after so many others of a list, from its beginning or, backwards, from its
// end. Reading on from an id costs the same wherever it lies.
func (q *Queries) Seek(ctx context.Context, list string, arg any, place int64, backwards bool) (int64, error) {
	fields := reflect.New(reflect.TypeOf(arg)).Elem()
	fields.Set(reflect.ValueOf(arg))
	fields.FieldByName("Lim").SetInt(1)
	fields.FieldByName("Off").SetInt(place)
	args := make([]any, fields.NumField())
	for i := range args {
		args[i] = fields.Field(i).Interface()
	}
	var id int64
	err := q.db.QueryRowContext(ctx, seeking(list, backwards), args...).Scan(&id)
	return id, err
}

// seeking turns a list query into one for ids alone, from either end.
func seeking(list string, backwards bool) string {
	_, rows, _ := strings.Cut(list, "\nFROM ")
	rows, page, _ := strings.Cut(rows, "\nORDER BY ")
	order, page, _ := strings.Cut(page, " LIMIT ")
	id, down := strings.CutSuffix(order, " DESC")
	if down != backwards {
		order = id + " DESC"
	} else {
		order = id
	}
	return "SELECT " + id + " FROM " + rows + "\nORDER BY " + order + " LIMIT " + page
}

func (q *Queries) number(ctx context.Context, query string, arg any) (int64, error) {
	var n int64
	if err := q.db.QueryRowContext(ctx, query, fieldsOf(arg)...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting: %w", err)
	}
	return n, nil
}

// fieldsOf are the parameters of a list without its page.
func fieldsOf(arg any) []any {
	fields := reflect.ValueOf(arg)
	args := make([]any, fields.NumField()-2) // offset and limit come last
	for i := range args {
		args[i] = fields.Field(i).Interface()
	}
	return args
}

// counting turns a list query into one that counts.
func counting(list string) string {
	_, rows, _ := strings.Cut(list, "\nFROM ")
	rows, _, _ = strings.Cut(rows, "\nORDER BY ")
	return "SELECT COUNT(*) FROM " + rows
}
