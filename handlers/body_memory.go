package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"vserver/service/fault"
	"vserver/service/limits"
)

const (
	// smallBody is how much of a body is read whatever else goes on: it is no part of the
	// memory that bodies share (/docs/operating#memory).
	smallBody = 64 << 10
	// copiesOfBody is how often a body is in memory while it is read and decoded: as it came,
	// by its fields, and as their values.
	copiesOfBody = 3
	// streamMemory is what a long body takes whose long texts go their own way: a chunk and what it
	// grew from, the short texts, and some rest.
	streamMemory = 2 << 20
	// streamRest is how much rest that has room for.
	streamRest = 128 << 10
	// roomFor is how long those who are no nodes wait for memory, and nodes so many times as long.
	roomFor      = time.Minute
	roomForNodes = 5
)

// waiting is how long a body waits for its turn and for memory: that of a node until its
// connection is cut.
func (k *call) waiting(who limits.Who) (context.Context, context.CancelFunc) {
	wait := k.s.opt.RoomFor
	if who.Node {
		wait *= roomForNodes
	}
	return context.WithTimeout(k.ctx, wait)
}

// reserve waits for memory for a body before more of it is read.
func (k *call) reserve(n int64) error {
	k.standStill()
	who := k.s.whose(k.echo.Request(), k.actor)
	ctx, cancel := k.waiting(who)
	defer cancel()
	return k.reserved(who, n, k.s.limits.Memory.Wait(ctx, who, n))
}

// reserveMore is reserve for a body that has memory: it gets more at once, or not.
func (k *call) reserveMore(n int64) error {
	who := k.s.whose(k.echo.Request(), k.actor)
	return k.reserved(who, n, k.s.limits.Memory.Acquire(who, n))
}

// reserved notes memory that was given. A node that got none is cut, since it gives up after a refusal.
func (k *call) reserved(who limits.Who, n int64, err error) error {
	var over *limits.Excess
	switch {
	case err == nil:
		if k.memory += n; k.memory == n {
			k.echo.Response().Before(k.giveBack)
		}
		return nil
	case who.Node:
		panic(http.ErrAbortHandler)
	case !errors.As(err, &over):
		return err
	}
	k.echo.Response().Header().Set("Connection", "close")
	f := fault.New(fault.Busy, "There is no memory for the body at the moment: %s", over)
	f.RetryAfter = over.After
	return f
}

// giveBack gives back what the body has taken, and the body: as soon as a reply begins, whose reader may be slow.
func (k *call) giveBack() {
	if k.memory == 0 {
		return
	}
	k.keepMemory(0)
	k.raw, k.texts = nil, nil
}

// keepMemory gives back what the body has taken above n bytes.
func (k *call) keepMemory(n int64) {
	k.s.limits.Memory.Release(k.s.whose(k.echo.Request(), k.actor), k.memory-n)
	k.memory = n
}

// standStill has nobody expect the next bytes of the body in time, because it is not read.
func (k *call) standStill() {
	_ = http.NewResponseController(k.echo.Response()).SetReadDeadline(time.Time{})
}

// threshold calls pass once, before it reads on behind so many bytes.
type threshold struct {
	io.Reader
	left int64
	pass func() error
}

// Read reads what comes next.
func (t *threshold) Read(p []byte) (int, error) {
	if pass := t.pass; pass != nil && t.left <= 0 {
		t.pass = nil
		if err := pass(); err != nil {
			return 0, err
		}
	}
	n, err := t.Reader.Read(p)
	t.left -= int64(n)
	return n, err
}
