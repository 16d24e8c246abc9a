package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// bytesOfPage is how long the names of a page may be.
	bytesOfPage = 1 << 20
	// namesBeside and namesRenamed are with how many tasks behind the pages, or changed since, these are of no use.
	namesBeside  = 100_000
	namesRenamed = 5000
	// namesInReach is how many times more tasks there may be than the caller may see: his own are quicker to read.
	namesInReach = 20
	// keptNames is how many ids are kept for who asks again.
	keptNames = 1000
)

// NamePaging says how names are written to pages: Size tasks to each when there are more than Behind ids behind the last
// one, and again when more than Renamed tasks have changed.
type NamePaging struct{ Size, Behind, Renamed int64 }

// WriteNames writes the names of tasks to pages, a page in each transaction: on Postgres nobody else writes tasks meanwhile.
func (db *DB) WriteNames(ctx context.Context, p NamePaging) error {
	due, err := db.NamesDue(ctx, "")
	if err != nil {
		return fmt.Errorf("looking for names to write: %w", err)
	}
	if due.Changed > p.Renamed {
		if err := db.writeAgain(ctx); err != nil {
			return err
		}
	}
	for more := due.Last-due.Written > p.Behind; more; {
		err := db.holdingTasks(ctx, func(ctx context.Context, tx *Tx) (err error) {
			more, err = tx.writeNextPage(ctx, p)
			return err
		})
		if err != nil {
			return fmt.Errorf("writing names of tasks: %w", err)
		}
	}
	return nil
}

// holdingTasks runs f in a transaction while nobody else writes tasks.
func (db *DB) holdingTasks(ctx context.Context, f func(context.Context, *Tx) error) error {
	return db.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := db.HoldRows(ctx, tx, "task"); err != nil {
			return err
		}
		return f(ctx, tx)
	})
}

// writeNextPage writes a page behind the last one when there are enough tasks, or ids.
func (t *Tx) writeNextPage(ctx context.Context, p NamePaging) (more bool, err error) {
	due, err := t.NamesDue(ctx, "") // another server may have been here
	if err != nil || due.Last-due.Written <= p.Behind {
		return false, err
	}
	rows, err := t.NamesToWrite(ctx, NamesToWriteParams{After: due.Written, Till: due.Last, Lim: p.Size})
	if err != nil || len(rows) == 0 || int64(len(rows)) < p.Size && due.Last-due.Written <= namesBeside/2 {
		return false, err
	}
	rows = rows[:rowsOfPage(rows)]
	last := rows[len(rows)-1].ID
	return true, t.InsertNamePage(ctx, InsertNamePageParams{LastID: last, FirstID: due.Written + 1, Page: pageOfRows(rows)})
}

// rowsOfPage is how many rows go into one page: at least one, and no more when their names are long.
func rowsOfPage(rows []NamesToWriteRow) int {
	size := 0
	for i, r := range rows {
		if size += len(r.Name); size > bytesOfPage && i > 0 {
			return i
		}
	}
	return len(rows)
}

func pageOfRows(rows []NamesToWriteRow) []byte {
	names := make([]taskName, 0, len(rows))
	for _, r := range rows {
		if !r.Nameless {
			name, _, _ := strings.Cut(r.Name, "\x00") // LIKE of SQLite reads no further
			names = append(names, taskName{r.ID, r.CollaborationID, name})
		}
	}
	return namePage(names)
}

// writeAgain writes the pages again whose tasks have changed.
func (db *DB) writeAgain(ctx context.Context) error {
	pages, err := db.RenamedPages(ctx)
	if err != nil {
		return fmt.Errorf("looking for changed names: %w", err)
	}
	for _, p := range pages {
		err := db.holdingTasks(ctx, func(ctx context.Context, tx *Tx) error { return tx.writePageAgain(ctx, p) })
		if err != nil {
			return fmt.Errorf("writing changed names: %w", err)
		}
	}
	return nil
}

func (t *Tx) writePageAgain(ctx context.Context, p RenamedPagesRow) error {
	rows, err := t.NamesToWrite(ctx, NamesToWriteParams{After: p.FirstID - 1, Till: p.LastID, Lim: math.MaxInt64})
	if err != nil {
		return err
	}
	if gone, err := t.DropNamePage(ctx, p.LastID); err != nil || gone == 0 {
		return err // everything was deleted meanwhile
	}
	if err := t.DropRenamed(ctx, p.FirstID, p.LastID); err != nil {
		return err
	}
	return t.InsertNamePage(ctx, InsertNamePageParams{LastID: p.LastID, FirstID: p.FirstID, Page: pageOfRows(rows)})
}

// NameSearch asks for tasks whose names a pattern fits, newest first.
type NameSearch struct {
	Pattern string
	// Within are the collaborations that are looked in, upwards, nil for all; InReach is how many tasks they have.
	Within        []int64
	InReach       int64
	Offset, Limit int64
}

// NamedTasks are tasks by their ids, and how many there are in all.
type NamedTasks struct {
	IDs   []int64
	Total int64
}

// FindNamed looks for tasks in the pages of names. It does not when that would take longer than to look among
// the tasks themselves, or a page is damaged.
func (db *DB) FindNamed(ctx context.Context, s NameSearch) (found NamedTasks, ok bool, err error) {
	search := func() (namedAnswer, error) { return db.searchNamed(ctx, s) }
	var answer namedAnswer
	key, err := askedAs("names", []any{s.Pattern, s.within(), s.InReach, s.Offset, s.Limit})
	if err != nil || s.Limit > keptNames {
		answer, err = search()
	} else {
		answer, err = Kept(ctx, db, key, func() (a namedAnswer, length int, err error) {
			a, err = search()
			return a, idBytes * len(a.found.IDs), err
		})
	}
	return answer.found, answer.ok && err == nil, err
}

// namedAnswer is what FindNamed returns.
type namedAnswer struct {
	found NamedTasks
	ok    bool
}

// searchNamed looks how far the pages go, and in them when that is of use. Both is done for an answer that is kept: what
// it was made from is never older than its mark.
func (db *DB) searchNamed(ctx context.Context, s NameSearch) (answer namedAnswer, err error) {
	due, err := db.NamesDue(ctx, s.Pattern)
	if err != nil {
		return answer, fmt.Errorf("looking for names: %w", err)
	}
	if due.Written == 0 || due.Last-due.Written > namesBeside || due.Changed > namesRenamed ||
		s.Within != nil && s.InReach < due.Last/namesInReach {
		return answer, nil
	}
	answer.found, err = db.searchNames(ctx, s, due)
	if errors.Is(err, errNamePage) {
		return namedAnswer{}, nil // the tasks themselves still tell
	}
	answer.ok = err == nil
	return answer, err
}

// within is what is looked in, as queries take it.
func (s NameSearch) within() *string {
	if s.Within == nil {
		return nil
	}
	set := keysOf(s.Within)
	return &set
}

// keysOf writes ids as the keys of a JSON object.
func keysOf(ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strconv.FormatInt(id, 10) + `":0`)
	}
	return "{" + b.String() + "}"
}

// searchNames takes what has changed and what is behind the pages from the tasks. What the pages say of a task
// that has changed is passed over: that is read first, and so is right when pages are written again meanwhile.
func (db *DB) searchNames(ctx context.Context, s NameSearch, due NamesDueRow) (NamedTasks, error) {
	r := nameReader{s: s}
	var err error
	if due.Changed > 0 {
		if r.renamed, err = db.RenamedTasks(ctx); err != nil {
			return r.found, fmt.Errorf("reading what was renamed: %w", err)
		}
		keys := keysOf(r.renamed)
		if r.beside, err = db.NamedAmong(ctx, NamedAmongParams{Ids: keys, Lowered: due.Lowered, Within: s.within()}); err != nil {
			return r.found, fmt.Errorf("looking among what was renamed: %w", err)
		}
	}
	behind, err := db.NamedBehind(ctx, NamedBehindParams{After: due.Written, Till: due.Last, Lowered: due.Lowered, Within: s.within()})
	if err != nil {
		return r.found, fmt.Errorf("looking behind the pages of names: %w", err)
	}
	r.beside = slices.DeleteFunc(r.beside, func(id int64) bool { return id > due.Written })
	r.beside = append(behind, r.beside...)
	if err := r.searchPages(ctx, db, patternOf(due.Lowered), due.Written); err != nil {
		return r.found, fmt.Errorf("reading pages of names: %w", err)
	}
	r.takeBeside(0)
	return r.found, nil
}

// nameReader puts together what is found, newest first.
type nameReader struct {
	s       NameSearch
	renamed []int64 // upwards
	beside  []int64 // found among the tasks, downwards
	found   NamedTasks
}

const namePages = `SELECT p.page FROM name_page p WHERE p.last_id <= $1 ORDER BY p.last_id DESC`

// searchPages looks through the pages up to an id.
func (r *nameReader) searchPages(ctx context.Context, db *DB, p pattern, till int64) error {
	var fitting []bool
	search := func(page []byte) (err error) {
		fitting, err = p.search(page, fitting, r.take)
		return err
	}
	if db.Engine == Postgres {
		return db.eachPageOfPostgres(ctx, till, search)
	}
	rows, err := db.db.QueryContext(ctx, namePages, till)
	if err != nil {
		return err
	}
	defer rows.Close()
	var page sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&page); err != nil {
			return err
		}
		if err := search(page); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eachPageOfPostgres reads pages without copying what comes from the connection.
func (db *DB) eachPageOfPostgres(ctx context.Context, till int64, search func(page []byte) error) (err error) {
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return conn.Raw(func(c any) error {
		rows, err := c.(*stdlib.Conn).Conn().Query(ctx, namePages, pgx.QueryResultFormats{pgx.BinaryFormatCode}, till)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := search(rows.RawValues()[0]); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// take takes a task of a page.
func (r *nameReader) take(id, collaboration int64) {
	if r.s.Within != nil {
		if _, in := slices.BinarySearch(r.s.Within, collaboration); !in {
			return
		}
	}
	if len(r.renamed) > 0 {
		if _, changed := slices.BinarySearch(r.renamed, id); changed {
			return
		}
	}
	if len(r.beside) > 0 {
		r.takeBeside(id)
	}
	r.add(id)
}

// takeBeside takes what was found among the tasks and comes before an id.
func (r *nameReader) takeBeside(id int64) {
	for len(r.beside) > 0 && r.beside[0] > id {
		r.add(r.beside[0])
		r.beside = r.beside[1:]
	}
}

func (r *nameReader) add(id int64) {
	if place := r.found.Total; place >= r.s.Offset && place-r.s.Offset < r.s.Limit {
		r.found.IDs = append(r.found.IDs, id)
	}
	r.found.Total++
}
