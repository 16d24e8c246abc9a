package handlers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"vserver/service/core"
	"vserver/service/fault"
)

// gatherPause is the least time between two readings of standings. Who connects alone is
// judged at once; of a thousand who come together, those of this time are judged together.
const gatherPause = 10 * time.Millisecond

// judgements read the standing of those who connect, one reading at a time for all who
// came while the one before was under way. No reading is older than the question, so that
// no change of rights is missed.
type judgements struct {
	read func(context.Context, []int64) (map[int64]core.Standing, error)

	mu      sync.Mutex
	next    *judgement // gathers accounts, nil if nobody asks
	running bool
}

// judgement is one reading.
type judgement struct {
	accounts map[int64]struct{}
	done     chan struct{} // closed when the rest is there

	standings map[int64]core.Standing
	err       error
}

// of returns the standing of an account at some moment after the call, and false if it is gone.
func (j *judgements) of(ctx context.Context, account int64) (core.Standing, bool, error) {
	g := j.join(account)
	select {
	case <-g.done:
	case <-ctx.Done():
		return core.Standing{}, false, fmt.Errorf("waiting to be judged: %w", ctx.Err())
	}
	standing, ok := g.standings[account]
	return standing, ok, g.err
}

// join adds an account to the next reading, and begins it if none is under way.
func (j *judgements) join(account int64) *judgement {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next == nil {
		j.next = &judgement{accounts: map[int64]struct{}{}, done: make(chan struct{})}
	}
	j.next.accounts[account] = struct{}{}
	if !j.running {
		j.running = true
		go j.run()
	}
	return j.next
}

// run reads, and again after the pause until nobody asks any more.
func (j *judgements) run() {
	if g := j.take(); g != nil {
		g.settle(j.read)
		time.AfterFunc(gatherPause, j.run)
	}
}

// take returns the next reading, nil if there is none.
func (j *judgements) take() *judgement {
	j.mu.Lock()
	defer j.mu.Unlock()
	g := j.next
	j.next, j.running = nil, g != nil
	return g
}

// settle reads. A panic is the error of those who asked, whose connections are dropped.
func (g *judgement) settle(read func(context.Context, []int64) (map[int64]core.Standing, error)) {
	defer func() {
		if p := recover(); p != nil {
			g.err = fault.Recovered(p)
		}
		close(g.done)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), packetTimeout)
	defer cancel()
	accounts := make([]int64, 0, len(g.accounts))
	for id := range g.accounts {
		accounts = append(accounts, id)
	}
	g.standings, g.err = read(ctx, accounts)
}
