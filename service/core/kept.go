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

// lastingLength is how long an answer and its question may be, in bytes, to be kept.
const lastingLength = 256 << 10

// LastAnswer returns what was answered to the same caller with the same rights since somebody has committed anything, nil
// for nothing; keep keeps the answer that is found now, unless that is long: it has so many bytes, with the question.
func (c *Core) LastAnswer(ctx context.Context, g access.AnyGrant, question any) (answer any, keep func(answer any, length int)) {
	answer, hold := c.db.Again(ctx, askedBy{g.Actor(), question})
	return answer, func(answer any, length int) {
		if length <= lastingLength {
			hold(answer, length)
		}
	}
}
