package core

import (
	"fmt"
	"iter"
	"sync"

	"vserver/queries"
	"vserver/service/fault"
)

// List is a list that may be too long to be held at once: the first part of the rows
// that were asked for, and a way to the others.
type List[T any] struct {
	Total int64 // rows in all, before paging
	First []T
	rest  iter.Seq2[[]T, error]
}

// Rest reads what comes after the first part, part by part, nil when that is all.
// Each part is read when it is asked for; an error ends it.
func (l List[T]) Rest() iter.Seq2[[]T, error] { return l.rest }

// window is the stretch of a list that one part is taken from: rows beyond the
// cursor, which is the id of the last one that was taken, nil at the beginning.
type window struct {
	limit, offset int64
	cursor        *int64
}

// listReader is how a list is read part by part.
type listReader[R, T any] struct {
	// read gives rows from the beginning of the window, and whether there may be more
	// in it.
	read  func(window) (rows []R, more bool, err error)
	id    func(R) int64
	show  func([]R) ([]T, error) // adds what rows show beside themselves
	count func() (int64, error)
	// seek gives the id of the row at a place, from the beginning or the end; queries.Missing when there is none.
	seek func(place int64, backwards bool) (int64, error)
	up   bool // oldest first
}

// farPage is how many rows a page may skip by reading them.
const farPage = 1000

// readPage reads the first part of a page, and the total.
func (l listReader[R, T]) readPage(p Page) (List[T], error) {
	w := window{limit: p.limit(), offset: p.offset()}
	if p.Number > 1 {
		return l.readLaterPage(w)
	}
	rows, more, err := l.read(w)
	if err != nil {
		return List[T]{}, err
	}
	list := List[T]{Total: int64(len(rows))}
	if more {
		if list.Total, err = l.count(); err != nil {
			return list, fmt.Errorf("counting: %w", err)
		}
	}
	return l.begun(list, w, rows, more)
}

// readLaterPage reads another page than the first. The rows of a far one are found by the id of the row at its
// beginning, which is looked for from the nearer end: the last page costs what the first does.
func (l listReader[R, T]) readLaterPage(w window) (List[T], error) {
	total, err := l.count()
	if err != nil {
		return List[T]{}, fmt.Errorf("counting: %w", err)
	}
	list := List[T]{Total: total}
	if w.offset >= total {
		return list, nil
	}
	if w.offset >= farPage {
		place, backwards := w.offset, false
		if place > total/2 {
			place, backwards = total-1-place, true
		}
		id, err := l.seek(place, backwards)
		if queries.Missing(err) {
			return list, nil // rows have gone meanwhile
		}
		if err != nil {
			return list, fmt.Errorf("looking for a page: %w", err)
		}
		w = window{limit: w.limit, cursor: l.before(id)}
	}
	rows, more, err := l.read(w)
	if err != nil {
		return list, err
	}
	return l.begun(list, w, rows, more)
}

// before is the cursor of a list that goes on with a row.
func (l listReader[R, T]) before(id int64) *int64 {
	if l.up {
		id--
	} else {
		id++
	}
	return &id
}

// begun is a list with its first part.
func (l listReader[R, T]) begun(list List[T], w window, rows []R, more bool) (List[T], error) {
	var err error
	if list.First, err = l.show(rows); err != nil {
		return list, err
	}
	if w, more = l.after(w, rows, more); more {
		list.rest = func(yield func([]T, error) bool) { l.readRest(w, yield) }
	}
	return list, nil
}

// after is the window without the rows that were taken, and whether there may be any
// in it.
func (l listReader[R, T]) after(w window, taken []R, more bool) (window, bool) {
	if len(taken) == 0 || !more || w.limit <= int64(len(taken)) {
		return w, false
	}
	last := l.id(taken[len(taken)-1])
	return window{limit: w.limit - int64(len(taken)), cursor: &last}, true
}

// partOf is a part of a list, or why there is none.
type partOf[T any] struct {
	rows []T
	err  error
}

// readRest yields the parts of a window. While the caller has one, the next is made, and meanwhile the rows of the one
// after that are read.
func (l listReader[R, T]) readRest(w window, yield func([]T, error) bool) {
	for p := range ahead(l.shown(ahead(l.rowsOf(w)))) {
		if p.err != nil {
			yield(nil, p.err)
			return
		}
		if len(p.rows) > 0 && !yield(p.rows, nil) {
			return
		}
	}
}

// rowsOf yields the rows of a window, part by part.
func (l listReader[R, T]) rowsOf(w window) iter.Seq[partOf[R]] {
	return func(yield func(partOf[R]) bool) {
		for more := true; more; {
			var p partOf[R]
			p.err = fault.Caught(func() (err error) {
				p.rows, more, err = l.read(w)
				w, more = l.after(w, p.rows, more && err == nil)
				return err
			})
			if !yield(p) || p.err != nil {
				return
			}
		}
	}
}

// shown yields parts with what their rows show beside themselves.
func (l listReader[R, T]) shown(parts iter.Seq[partOf[R]]) iter.Seq[partOf[T]] {
	return func(yield func(partOf[T]) bool) {
		for rows := range parts {
			p := partOf[T]{err: rows.err}
			if p.err == nil {
				p.err = fault.Caught(func() (err error) {
					p.rows, err = l.show(rows.rows)
					return err
				})
			}
			if !yield(p) || p.err != nil {
				return
			}
		}
	}
}

// ahead yields the same, and has the next one made while the caller has one. Nothing is made any more when it returns.
func ahead[T any](all iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		made, enough := make(chan T), make(chan struct{})
		var work sync.WaitGroup
		work.Go(func() {
			defer close(made)
			for one := range all {
				select {
				case made <- one:
				case <-enough:
					return
				}
			}
		})
		defer work.Wait()
		defer close(enough)
		for one := range made {
			if !yield(one) {
				return
			}
		}
	}
}
