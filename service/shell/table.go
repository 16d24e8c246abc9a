package shell

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"vserver/queries"
	"vserver/service/core"
)

// store reads and writes the rows of a model. A row is a pointer to its struct.
type store interface {
	blank() any // a new row with its defaults
	list(ctx context.Context, q *queries.Queries, f filter) ([]any, error)
	// hold reads a row that is about to change, so that nobody else changes it.
	hold(ctx context.Context, t *core.Tx, id int64) (any, error)
	// write stores a row, a new one when it has no id; set names the columns that
	// were set.
	write(ctx context.Context, t *core.Tx, row any, set names) error
	deleteRow(ctx context.Context, t *core.Tx, id int64) error
	// fetchDeferred reads a column that does not come with the row.
	fetchDeferred(ctx context.Context, q *queries.Queries, row any, column string) error
}

// table is the store of one type of row. Its functions are those of core and queries.
type table[R any] struct {
	defaults   R
	query      func(q *queries.Queries, ctx context.Context, f filter) ([]R, error)
	held       func(t *core.Tx, ctx context.Context, id int64) (R, error)
	add        func(t *core.Tx, ctx context.Context, row *R) error
	save       func(t *core.Tx, ctx context.Context, row R) error
	removeByID func(t *core.Tx, ctx context.Context, id int64) error
	// with writes what goes with a row, before it is saved and after it is added; nil
	// when nothing does.
	with func(t *core.Tx, ctx context.Context, row *R, set names) error
	// deferred reads a column that does not come with the row; nil when there are none.
	deferred func(q *queries.Queries, ctx context.Context, row *R, column string) error
}

func (t table[R]) blank() any {
	row := t.defaults
	return &row
}

func (t table[R]) list(ctx context.Context, q *queries.Queries, f filter) ([]any, error) {
	found, err := t.query(q, ctx, f)
	list := make([]any, len(found))
	for i := range found {
		list[i] = &found[i]
	}
	slices.SortFunc(list, func(a, b any) int { return cmp.Compare(*idOf(a), *idOf(b)) })
	return list, err
}

func (t table[R]) hold(ctx context.Context, tx *core.Tx, id int64) (any, error) {
	row, err := t.held(tx, ctx, id)
	return &row, err
}

func (t table[R]) write(ctx context.Context, tx *core.Tx, row any, set names) error {
	r := row.(*R)
	with := func() error {
		if t.with == nil {
			return nil
		}
		return t.with(tx, ctx, r, set)
	}
	if *idOf(row) == 0 {
		if err := t.add(tx, ctx, r); err != nil {
			return err
		}
		return with()
	}
	if err := with(); err != nil {
		return err
	}
	return t.save(tx, ctx, *r)
}

func (t table[R]) deleteRow(ctx context.Context, tx *core.Tx, id int64) error {
	return t.removeByID(tx, ctx, id)
}

func (t table[R]) fetchDeferred(ctx context.Context, q *queries.Queries, row any, column string) error {
	return t.deferred(q, ctx, row.(*R), column)
}

// filter narrows rows to those with a value in a column, or in a relation's filter.
// The zero filter narrows nothing.
type filter map[string]any

// number returns the filter's number for a column, nil when it does not filter by it.
func (f filter) number(column string) *int64 {
	if n, ok := f[column].(int64); ok {
		return &n
	}
	return nil
}

// filtered makes a query with named parameters take a filter.
func filtered[P, R any](query func(*queries.Queries, context.Context, P) ([]R, error)) func(*queries.Queries, context.Context, filter) ([]R, error) {
	return func(q *queries.Queries, ctx context.Context, f filter) ([]R, error) {
		var params P
		for column, value := range f {
			index := fieldIndex(reflect.TypeFor[P](), column)
			if index == nil {
				return nil, fmt.Errorf("rows cannot be found by %s", column)
			}
			pointer := reflect.New(reflect.TypeOf(value))
			pointer.Elem().Set(reflect.ValueOf(value))
			reflect.ValueOf(&params).Elem().FieldByIndex(index).Set(pointer)
		}
		if limit := reflect.ValueOf(&params).Elem().FieldByName("Lim"); limit.IsValid() {
			limit.SetInt(math.MaxInt64) // everything on one page
		}
		return query(q, ctx, params)
	}
}

// columnsOf makes columns of the fields of a row with the same names. Special columns
// take the place of those with their names.
func columnsOf[R any](list string, special ...column) []column {
	var columns []column
	for name := range strings.FieldsSeq(list) {
		c := column{name: name}
		for _, s := range special {
			if s.name == name {
				c = s
			}
		}
		c.index = fieldIndex(reflect.TypeFor[R](), name)
		switch name {
		case "id":
			c.fixed = "the database gives it"
		case "type":
			c.fixed = "it tells users from nodes"
		}
		columns = append(columns, c)
	}
	return columns
}

// fieldIndex returns where the field with the name of a column is within a struct and
// the structs in it; nil when there is none.
func fieldIndex(row reflect.Type, column string) []int {
	name := strings.ReplaceAll(column, "_", "")
	for i := range row.NumField() {
		f := row.Field(i)
		if f.Type.Kind() != reflect.Struct && strings.EqualFold(f.Name, name) {
			return []int{i}
		}
		if f.Type.Kind() == reflect.Struct {
			if within := fieldIndex(f.Type, column); within != nil {
				return append([]int{i}, within...)
			}
		}
	}
	return nil
}

// at points to the column's field within a row: *int64, **int64, *string, **string,
// *bool, **queries.Time or *[]byte.
func (c column) at(row any) any {
	return reflect.ValueOf(row).Elem().FieldByIndex(c.index).Addr().Interface()
}

// copyTo copies the column from one row to another.
func (c column) copyTo(to, from any) {
	reflect.ValueOf(to).Elem().FieldByIndex(c.index).Set(reflect.ValueOf(from).Elem().FieldByIndex(c.index))
}

// idOf points to the id within a row.
func idOf(row any) *int64 {
	return column{index: fieldIndex(reflect.TypeOf(row).Elem(), "id")}.at(row).(*int64)
}
