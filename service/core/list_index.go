package core

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"

	"vserver/queries"
)

// listIndex is what a list is read by: the index of a filter, when it is selective, or those of the collaborations in
// reach.
type listIndex struct {
	selective bool
	column    string // the filter's, when the database has to be told
	empty     bool   // there are no rows
}

// readers are the queries that read by the index, of which Postgres has to be told; they need a cursor then.
func (i listIndex) readers(db *queries.DB, b *bounds) *queries.Queries {
	if i.column == "" || b.collaboration != nil || db.Engine == queries.SQLite {
		return db.Queries
	}
	if b.cursor == nil {
		b.cursor = new(int64)
		*b.cursor = math.MaxInt64
	}
	return db.Led(i.column)
}

// tallied is a filter that tallies are kept for.
type tallied struct {
	column string // its index has the id behind it
	till   *atomic.Int64
	// sum counts its rows within collaborations, when rows are tallied up to an id, and says up to which they are.
	sum func(ctx context.Context, within *string, till int64) (talliedSum, error)
}

// talliedSum is what the queries of tallies give.
type talliedSum = struct{ Total, Tallied int64 }

// count counts the rows of a filter, those of all collaborations for nil.
func (f tallied) count(ctx context.Context, within *string) (int64, error) {
	for {
		till := f.till.Load()
		n, err := f.sum(ctx, within, till)
		if err != nil {
			return 0, fmt.Errorf("counting: %w", err)
		}
		if n.Tallied == till {
			return n.Total, nil
		}
		f.till.Store(n.Tallied)
	}
}

// sparse is how many rows an index may have for each that the caller may see.
const sparse = 50

// chooseIndex takes the filter with the fewest rows, unless the collaborations in reach have fewer, and what they have
// would be looked for among many others.
func chooseIndex(ctx context.Context, r visibility, inReach int64, filters []tallied) (listIndex, error) {
	switch {
	case len(filters) == 0:
		return listIndex{}, nil
	case r.all && len(filters) == 1:
		return listIndex{selective: true, column: filters[0].column}, nil
	}
	var best tallied
	least := int64(math.MaxInt64)
	for _, f := range filters {
		n, err := f.count(ctx, nil)
		if err != nil {
			return listIndex{}, err
		}
		if n < least {
			best, least = f, n
		}
	}
	if !r.all {
		visible, err := best.count(ctx, r.within())
		if err != nil {
			return listIndex{}, err
		}
		if visible == 0 {
			return listIndex{empty: true}, nil
		}
		if least > inReach && visible < least/sparse {
			return listIndex{}, nil
		}
	}
	if least == 0 {
		return listIndex{empty: true}, nil
	}
	return listIndex{selective: true, column: best.column}, nil
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
