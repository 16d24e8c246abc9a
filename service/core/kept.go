package core

import (
	"context"

	"vserver/service/access"
)

// askedBy is a question with all that its answer follows from beside the database: who asks, in which organization,
// with which rules.
type askedBy struct {
	actor    access.Actor
	question any
}

// LastAnswer returns what was answered to the same caller with the same rights since somebody has committed anything, nil
// for nothing; keep keeps the answer that is found now, which is so many bytes long.
func (c *Core) LastAnswer(ctx context.Context, g access.AnyGrant, question any) (answer any, keep func(answer any, length int)) {
	return c.db.Again(ctx, askedBy{g.Actor(), question})
}
