package core

import (
	"fmt"
	"iter"
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
}

// readPage reads the first part of a page, and the total.
func (l listReader[R, T]) readPage(p Page) (List[T], error) {
	w := window{limit: p.limit(), offset: p.offset()}
	rows, more, err := l.read(w)
	if err != nil {
		return List[T]{}, err
	}
	list := List[T]{Total: int64(len(rows))}
	if more || p.Number > 1 {
		if list.Total, err = l.count(); err != nil {
			return list, fmt.Errorf("counting: %w", err)
		}
	}
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

// readRest yields the parts of a window.
func (l listReader[R, T]) readRest(w window, yield func([]T, error) bool) {
	for more := true; more; {
		rows, left, err := l.read(w)
		var part []T
		if err == nil {
			part, err = l.show(rows)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if len(part) > 0 && !yield(part, nil) {
			return
		}
		w, more = l.after(w, rows, left)
	}
}
