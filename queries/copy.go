package queries

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Copied says what a copy of a database holds.
type Copied struct {
	Version int64            `json:"schema_version"`
	Rows    int64            `json:"rows"`
	Tables  map[string]int64 `json:"tables"` // rows of each
	// LeftOut are tables that are not of this program, and stay where they are.
	LeftOut []string `json:"left_out,omitempty"`
	// Secrets are the names of the secrets in it.
	Secrets []string `json:"-"`
}

// CopyDatabase copies a database of this program with the present schema into an empty one of either
// engine, and proves the copy: every row by its hash, all references, and the next ids. The source is
// only read, and nobody may use either meanwhile. Of SQLite the copy has its name only when it is whole;
// in Postgres it is marked until then, and a repetition begins anew. told hears how many rows of how many
// were copied.
func CopyDatabase(ctx context.Context, from, to Source, told func(table string, done, total int64)) (Copied, error) {
	c := &copying{from: from, told: told, digests: map[string]*digest{}}
	if err := c.open(ctx); err != nil {
		return Copied{}, err
	}
	defer func() { _ = c.in.close() }()
	into := c.intoFile
	if to.Engine == Postgres {
		into = c.intoPostgres
	}
	if err := into(ctx, to); err != nil {
		return Copied{}, Named(err)
	}
	return c.result, nil
}

// copying is a copy that is being made.
type copying struct {
	from        Source
	in          reader
	told        func(table string, done, total int64)
	total, done int64
	digests     map[string]*digest
	columns     map[string][]string
	keys        map[string][]string
	result      Copied
}

// copiedTables are all tables of this program but that of the versions and those that follow from others.
func copiedTables() []string {
	list := []string{"secret", "counter"}
	for _, t := range wiped {
		if !slices.Contains(derived, t) {
			list = append(list, strings.Trim(t, `"`))
		}
	}
	slices.Sort(list)
	return list
}

// open looks at the source.
func (c *copying) open(ctx context.Context) error {
	id, err := RequireOwn(ctx, c.from)
	knows := KnownSchema(c.from.Engine)
	switch {
	case err != nil:
		return err
	case id.Version == 0:
		return fmt.Errorf("%s holds nothing to copy", placeOf(c.from))
	case id.Version > knows:
		return tooNew(id.Version, knows)
	case id.Version < knows:
		return fmt.Errorf("%s has schema version %d of %d: bring it up to date first, with vserver migrate up", placeOf(c.from), id.Version, knows)
	}
	c.result = Copied{Version: id.Version, Tables: map[string]int64{}}
	if c.in, err = newReader(ctx, c.from); err != nil {
		return err
	}
	if err := c.measure(ctx); err != nil {
		return errors.Join(fmt.Errorf("reading %s: %w", placeOf(c.from), err), c.in.close())
	}
	return nil
}

// measure learns columns and numbers of rows.
func (c *copying) measure(ctx context.Context) (err error) {
	c.columns, c.keys = map[string][]string{}, map[string][]string{}
	for _, table := range copiedTables() {
		if c.columns[table], c.keys[table], err = c.in.columnsOf(ctx, table); err != nil {
			return err
		}
		n, err := c.in.number(ctx, table)
		if err != nil {
			return err
		}
		c.total += n
	}
	there, err := c.in.tables(ctx)
	c.result.LeftOut = slices.DeleteFunc(there, func(t string) bool {
		return t == versionTable || slices.Contains(derived, t) || slices.Contains(ofServers, t) || slices.Contains(copiedTables(), t)
	})
	return err
}

// fill copies all rows and proves them.
func (c *copying) fill(ctx context.Context, to Source) (err error) {
	l, err := NewLoader(ctx, to)
	if err != nil {
		return err
	}
	for _, table := range copiedTables() {
		if err == nil {
			err = c.copyTable(ctx, l, table, to.Engine)
		}
	}
	if err == nil {
		err = l.Finish(ctx)
	}
	var next map[string]int64
	if err == nil {
		next, err = c.in.sequences(ctx)
	}
	for table, id := range next {
		if err == nil {
			err = l.GoOnAbove(ctx, table, id)
		}
	}
	if err == nil {
		err = l.Prove(ctx)
	}
	if closing := l.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return c.compare(ctx, to, next)
}

// copyTable copies the rows of one table.
func (c *copying) copyTable(ctx context.Context, l *Loader, table string, engine Engine) error {
	columns, d := c.columns[table], &digest{}
	c.digests[table] = d
	into, err := l.Table(table, columns...)
	if err != nil {
		return err
	}
	err = c.in.each(ctx, table, columns, c.keys[table], func(values []any) error {
		if column := untakable(columns, values); column != "" && engine == Postgres {
			return fmt.Errorf("Postgres does not take the text in column %s of the row with %s: it has a zero byte or is no UTF-8; correct it in the source first",
				column, strings.Join(keyOf(columns, c.keys[table], values), ", "))
		}
		if table == "secret" {
			c.result.Secrets = append(c.result.Secrets, fmt.Sprint(values[slices.Index(columns, "name")]))
		}
		if err := d.add(values); err != nil {
			return err
		}
		const often = 1000
		if c.done++; c.done%often == 0 {
			c.told(table, c.done, c.total)
		}
		return into.Add(values...)
	})
	if err != nil {
		return fmt.Errorf("copying table %s: %w", table, err)
	}
	c.result.Tables[table] = d.rows
	c.result.Rows += d.rows
	c.told(table, c.done, c.total)
	return nil
}

// keyOf shows the key of a row.
func keyOf(columns, key []string, values []any) (shown []string) {
	for _, k := range key {
		shown = append(shown, fmt.Sprintf("%s %v", k, values[slices.Index(columns, k)]))
	}
	return shown
}

// errDiffers says that a copy is not what was copied.
var errDiffers = errors.New("the copy differs from what was copied, and is not used")

// compare reads the copy and compares every row with what was copied.
func (c *copying) compare(ctx context.Context, to Source, next map[string]int64) error {
	made, err := newReader(ctx, to)
	if err != nil {
		return err
	}
	defer func() { _ = made.close() }()
	for _, table := range copiedTables() {
		var d digest
		if err := made.each(ctx, table, c.columns[table], c.keys[table], d.add); err != nil {
			return fmt.Errorf("proving table %s: %w", table, err)
		}
		if want := *c.digests[table]; d != want {
			return fmt.Errorf("%w: table %s, %d rows of %d", errDiffers, table, d.rows, want.rows)
		}
	}
	got, err := made.sequences(ctx)
	for table, id := range next {
		if err == nil && got[table] != id {
			err = fmt.Errorf("%w: the ids of table %s go on from %d in place of %d", errDiffers, table, got[table], id)
		}
	}
	return err
}

// unfinishedSuffix ends the name of a file that is being made.
const unfinishedSuffix = ".unfinished"

// intoFile makes a file beside its place and puts it there when it is proven.
func (c *copying) intoFile(ctx context.Context, to Source) (err error) {
	if err := replaceableFile(ctx, to); err != nil {
		return err
	}
	release, err := Occupy(to, fmt.Sprintf("a copy into it (process %d)", os.Getpid()))
	if err != nil {
		return err
	}
	defer release()
	made := Source{Engine: SQLite, Path: to.Path + unfinishedSuffix, VFS: to.VFS}
	whole := false
	defer func() {
		if !whole { // also after a panic
			err = errors.Join(err, removeFiles(made.Path))
		}
	}()
	if err := removeFiles(made.Path); err != nil { // of one that was cut off
		return err
	}
	if err := c.fill(ctx, made); err != nil {
		return err
	}
	if err := os.Rename(made.Path, to.Path); err != nil {
		return fmt.Errorf("naming the copy: %w", err)
	}
	whole = true
	keepName(filepath.Dir(to.Path))
	return nil
}

// keepName has the system write the names in a folder, where it lets anybody ask for that.
func keepName(dir string) {
	if f, err := os.Open(dir); err == nil {
		_, _ = f.Sync(), f.Close()
	}
}

// replaceableFile wants a place for a file.
func replaceableFile(ctx context.Context, to Source) error {
	id, err := RequireOwn(ctx, to)
	if err != nil {
		return err
	}
	if id.Kind != KindEmpty {
		return &FullError{placeOf(to)}
	}
	for _, suffix := range []string{walSuffix, shmSuffix, journalSuffix} {
		if _, err := os.Lstat(to.Path + suffix); err == nil {
			return fmt.Errorf("%s is left over from another database: move it away first", to.Path+suffix)
		}
	}
	return nil
}

// FullError is the error of a copy into a database that has something in it.
type FullError struct{ Place string }

// Error says what to do.
func (e *FullError) Error() string {
	return e.Place + " is not empty: a copy goes into an empty database only; give another one, or move that away"
}

// removeFiles removes a database file with what lies beside it.
func removeFiles(path string) error {
	var err error
	for _, suffix := range []string{"", walSuffix, shmSuffix, journalSuffix} {
		if gone := os.Remove(path + suffix); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = cmp.Or(err, fmt.Errorf("removing an unfinished copy: %w", gone))
		}
	}
	return err
}
