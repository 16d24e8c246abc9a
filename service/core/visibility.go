package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"vserver/queries"
	"vserver/service/access"
)

// mayView judges one task, result or port by its collaboration and run: /docs/tasks#see
// with the bounds of /docs/permissions#reach. The error is a missing permission only
// when the caller lacks the rule altogether.
func (c *Core) mayView(ctx context.Context, g access.AnyGrant, collaboration, run *int64) (bool, error) {
	sight, err := g.Sight()
	switch {
	case err != nil:
		return false, err
	case sight.OrganizationID == nil:
		return true, nil
	case collaboration == nil,
		sight.CollaborationID != nil && *sight.CollaborationID != *collaboration,
		sight.RunID != nil && (run == nil || *sight.RunID != *run):
		return false, nil
	}
	ok, err := c.db.IsMember(ctx, *sight.OrganizationID, *collaboration)
	if err != nil {
		return false, fmt.Errorf("looking for a member: %w", err)
	}
	return ok, nil
}

// visibility is what a caller may see in lists of tasks, results and ports: everything,
// or what lies in some collaborations and, for containers, in one run.
type visibility struct {
	all bool
	in  []queries.CollaborationsInReachRow
	run *int64
}

func (c *Core) visibilityOf(ctx context.Context, g access.AnyGrant) (visibility, error) {
	sight, err := g.Sight()
	if err != nil || sight.OrganizationID == nil {
		return visibility{all: true}, err
	}
	rows, err := c.db.CollaborationsInReach(ctx, *sight.OrganizationID, sight.CollaborationID)
	if err != nil {
		return visibility{}, fmt.Errorf("reading the collaborations of an organization: %w", err)
	}
	return visibility{in: rows, run: sight.RunID}, nil
}

// covers reports whether a row of this collaboration and run is in reach.
func (r visibility) covers(collaboration, run *int64) bool {
	return r.all || collaboration != nil && r.index(*collaboration) >= 0 &&
		(r.run == nil || run != nil && *run == *r.run)
}

func (r visibility) index(collaboration int64) int {
	return slices.IndexFunc(r.in, func(row queries.CollaborationsInReachRow) bool { return row.ID == collaboration })
}

// narrowTo leaves of a visibility what lies in one collaboration; nil leaves it as it is.
func (c *Core) narrowTo(ctx context.Context, r visibility, collaboration *int64) (visibility, error) {
	switch {
	case collaboration == nil:
		return r, nil
	case r.all:
		row, err := c.db.CollaborationCounts(ctx, *collaboration)
		if queries.Missing(err) {
			return visibility{}, nil
		}
		if err != nil {
			return r, fmt.Errorf("reading the counts of a collaboration: %w", err)
		}
		return visibility{in: []queries.CollaborationsInReachRow{queries.CollaborationsInReachRow(row)}}, nil
	}
	if i := r.index(*collaboration); i >= 0 {
		return visibility{in: r.in[i : i+1], run: r.run}, nil
	}
	return visibility{}, nil
}

// within returns the ids of the collaborations as queries take them; nil when
// everything is in reach.
func (r visibility) within() *string {
	if r.all {
		return nil
	}
	set := idSet(r.ids())
	return &set
}

// ids are those of the collaborations, upwards.
func (r visibility) ids() []int64 {
	ids := make([]int64, len(r.in))
	for i, row := range r.in {
		ids[i] = row.ID
	}
	return ids
}

// bounds are the arguments of one query of a list.
type bounds struct {
	collaboration *int64  // read from its index
	within        *string // filter rows that another index finds
	window
}

// everywhere are the bounds of a query that reads no single collaboration's index, unless only one is in reach.
func (r visibility) everywhere(selective bool) bounds {
	if !selective && !r.all && len(r.in) == 1 {
		return bounds{collaboration: &r.in[0].ID}
	}
	return bounds{within: r.within()}
}

// rows is the number of rows of the collaborations in reach.
func (r visibility) rows(count func(queries.CollaborationsInReachRow) int64) int64 {
	var total int64
	for _, row := range r.in {
		total += count(row)
	}
	return total
}

// mergedRows is how far into a list it is merged from those of its collaborations.
const mergedRows = 1000

// newest reads rows of a list, newest first, at a cost that does not grow with the
// table. With selective filters, which have an index of their own, and for those who
// see everything, that is one query. Else each collaboration's list is read from its
// own index and the rows are cut out of the merged lists; the old rows of one
// collaboration are not looked for among the new ones of all others. Far into a long
// list, where rows of the collaborations are met often enough, it is one query again.
func newest[R any](r visibility, w window, selective bool, count func(queries.CollaborationsInReachRow) int64,
	read func(bounds) ([]R, error), id func(R) int64,
) ([]R, error) {
	whole := r.everywhere(selective)
	whole.window = w
	total := r.rows(count)
	switch {
	case r.all || selective:
		return read(whole)
	case w.offset >= total:
		return nil, nil
	case len(r.in) == 1:
		return read(whole)
	}
	end := w.offset + min(w.limit, total-w.offset)
	if end > mergedRows || w.cursor != nil && total > mergedRows {
		return read(whole)
	}
	return merged(r, window{limit: end, cursor: w.cursor}, w.offset, count, read, id)
}

// merged reads a window of each collaboration in reach and cuts the rows of all from
// the offset on out of them.
func merged[R any](r visibility, w window, offset int64, count func(queries.CollaborationsInReachRow) int64,
	read func(bounds) ([]R, error), id func(R) int64,
) ([]R, error) {
	var list []R
	for _, row := range r.in {
		if count(row) == 0 {
			continue
		}
		part, err := read(bounds{collaboration: &row.ID, window: w})
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	slices.SortFunc(list, func(a, b R) int { return cmp.Compare(id(b), id(a)) })
	shown := int64(len(list))
	return list[min(offset, shown):min(w.limit, shown)], nil
}

// counted counts the rows of a list in the way that newest reads them; exact tells
// that the counters of the collaborations know the number.
func counted(r visibility, selective bool, counter func(queries.CollaborationsInReachRow) int64, exact bool,
	count func(bounds) (int64, error),
) (int64, error) {
	if r.all || selective {
		return count(bounds{within: r.within()})
	}
	var total int64
	for _, row := range r.in {
		n := counter(row)
		if !exact && n > 0 {
			var err error
			if n, err = count(bounds{collaboration: &row.ID}); err != nil {
				return 0, err
			}
		}
		total += n
	}
	return total, nil
}
