package queries

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"vserver/service/fault"
)

// oldLite reads a 3.x server's SQLite file.
type oldLite struct {
	*untouched
	path string
}

func (o *Old) openSQLite(ctx context.Context, src Source) (err error) {
	defer caught(&err)
	for _, file := range []string{src.Path, src.Path + walSuffix} {
		if info, err := os.Stat(file); err == nil {
			o.Bytes += info.Size()
			if file == src.Path {
				o.Mode = uint32(info.Mode().Perm())
			}
		}
	}
	c, err := openUntouched(src.Path, src.VFS)
	if err != nil {
		return err
	}
	l := &oldLite{c, src.Path}
	o.from = l
	// A writer that is at work now ends within this time, or is a fault of its own.
	err = l.scan(ctx, "SELECT name, name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'", func(values []any) error {
		name, _ := values[0].(string)
		o.names[strings.ToLower(name)] = name
		return nil
	})
	for lower, name := range o.names {
		if err == nil {
			o.columns[lower], err = column(c.Conn, "SELECT name FROM pragma_table_info("+quotedText(name)+")")
		}
	}
	var encoding []string
	if err == nil {
		encoding, err = column(c.Conn, "PRAGMA encoding")
	}
	if err == nil && encoding[0] != "UTF-8" {
		err = fmt.Errorf("its texts are stored as %s, which no 3.x server does: convert it with the program sqlite3 (.dump into a new file)", encoding[0])
	}
	if err != nil {
		return errors.Join(fmt.Errorf("reading %s: %w", src.Path, busy(err)), c.Close())
	}
	return nil
}

// busy says of a database that somebody changes just now that it is in use.
func busy(err error) error {
	if errors.Is(err, sqlite3.BUSY) {
		return fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return err
}

// caught makes an error of a panic of the driver.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fault.Recovered(p)
	}
}

// quotedText writes a text as both engines take it.
func quotedText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func (l *oldLite) end() error { return l.Close() }

func (l *oldLite) scan(ctx context.Context, query string, each func([]any) error) (err error) {
	defer caught(&err)
	defer l.SetInterrupt(l.SetInterrupt(ctx))
	st, _, err := l.Prepare(query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for st.Step() {
		values := make([]any, st.ColumnCount())
		for i := range values {
			values[i] = valueAt(st, i)
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return st.Err()
}

// valueAt returns a column of a row.
func valueAt(st *sqlite3.Stmt, i int) any {
	switch st.ColumnType(i) {
	case sqlite3.INTEGER:
		return st.ColumnInt64(i)
	case sqlite3.FLOAT:
		return st.ColumnFloat(i)
	case sqlite3.TEXT:
		return st.ColumnText(i)
	case sqlite3.BLOB:
		return st.ColumnBlob(i, []byte{})
	}
	return nil
}

// OpenText opens a text of a result on SQLite, to be read piece by piece.
func (o *Old) OpenText(result int64, part string) (_ io.ReadCloser, err error) {
	defer caught(&err)
	l, ok := o.from.(*oldLite)
	if !ok {
		return nil, errNoText
	}
	return l.OpenBlob("main", o.names["result"], part, result, false)
}
