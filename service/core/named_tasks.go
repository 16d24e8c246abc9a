package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"vserver/queries"
	"vserver/service/access"
)

// namesPause is the time between two looks for names that are in no page.
const namesPause = 10 * time.Second

// fillNamePages keeps the pages of names, which patterns are looked for in.
func (c *Core) fillNamePages(ctx context.Context) error {
	return c.db.WriteNames(ctx, queries.NamePaging{Size: 4096, Behind: 8192, Renamed: 500})
}

// isNameOnly reports whether nothing but the name and the collaboration is filtered by.
func (f TaskFilter) isNameOnly() bool { return f.Name != nil && f.narrow() == 1 }

// namedTasks lists tasks by the pages of names; not ok: it is quicker without.
func (c *Core) namedTasks(ctx context.Context, g access.Grant[access.ViewTasks], r visibility, f TaskFilter, p Page, results bool) (_ List[Task], ok bool, err error) {
	if !f.isNameOnly() {
		return List[Task]{}, false, nil
	}
	s := queries.NameSearch{Pattern: *like(f.Name), InReach: r.rows(tasksOf), Offset: p.offset(), Limit: p.limit()}
	if !r.all {
		s.Within = r.ids()
	}
	found, ok, err := c.db.FindNamed(ctx, s)
	if err != nil || !ok {
		return List[Task]{}, false, err
	}
	reader := c.taskReader(ctx, g, results, nil, nil)
	size := int64(partRows)
	if results {
		size = partTasks
	}
	reader.read = func(w window) ([]queries.Task, bool, error) { return c.tasksFound(ctx, r, found.IDs, w.cursor, size) }
	w := window{limit: p.limit()}
	rows, more, err := reader.read(w)
	if err != nil {
		return List[Task]{}, false, err
	}
	list, err := reader.begun(List[Task]{Total: found.Total}, w, rows, more)
	return list, true, err
}

// tasksFound reads some of the tasks with ids, which go down, behind a cursor. Those that have gone meanwhile, or to a
// collaboration out of reach, are passed over.
func (c *Core) tasksFound(ctx context.Context, r visibility, ids []int64, cursor *int64, size int64) (rows []queries.Task, more bool, err error) {
	if cursor != nil {
		passed, _ := slices.BinarySearchFunc(ids, *cursor, func(id, last int64) int {
			if id >= last {
				return -1
			}
			return 1
		})
		ids = ids[passed:]
	}
	for len(rows) == 0 && len(ids) > 0 {
		some := ids[:min(size, int64(len(ids)))]
		ids = ids[len(some):]
		if rows, err = c.db.TasksByID(ctx, idSet(some)); err != nil {
			return nil, false, fmt.Errorf("reading the tasks of names: %w", err)
		}
		rows = slices.DeleteFunc(rows, func(t queries.Task) bool { return !r.covers(t.CollaborationID, t.RunID) })
	}
	slices.SortFunc(rows, func(a, b queries.Task) int { return cmp.Compare(b.ID, a.ID) })
	return rows, len(ids) > 0, nil
}
