package core

import (
	"context"
	"fmt"
	"sync"
	"time"

	"vserver/queries"
	"vserver/service/fault"
)

const (
	// draftLife is how long another server on the database may leave a draft untouched.
	draftLife = 10 * time.Minute
	// sweptChunks is how many chunks one transaction deletes: nobody waits long for it.
	sweptChunks = 8
)

// drafts are the streams whose text still arrives at this server.
type drafts struct {
	mu   sync.Mutex
	live map[int64]struct{}
}

func newDrafts() *drafts { return &drafts{live: map[int64]struct{}{}} }

func (d *drafts) note(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.live[id] = struct{}{}
}

func (d *drafts) forget(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.live, id)
}

func (d *drafts) has(id int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.live[id]
	return ok
}

func (d *drafts) all() []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := make([]int64, 0, len(d.live))
	for id := range d.live {
		ids = append(ids, id)
	}
	return ids
}

// Arriving is a text that comes in piece by piece. What is longer than a chunk goes to a
// draft at once, which a use case makes the text of a result.
type Arriving struct {
	core   *Core
	what   string // for messages
	buffer []byte
	form   form
	text   Text
	chunks int64
	until  time.Time
}

// ReceiveText begins a text; what names it in messages. Until a moment it is held while it
// cannot be stored.
func (c *Core) ReceiveText(what string, until time.Time) *Arriving {
	return &Arriving{core: c, what: what, until: until}
}

// TextLimit is how many bytes a text may have.
func (c *Core) TextLimit() int64 { return c.set.TextLimit }

// Add takes in more of the text, at most as much as the configuration allows.
func (a *Arriving) Add(ctx context.Context, p []byte) error {
	a.text.bytes += int64(len(p))
	if a.text.bytes > a.core.set.TextLimit {
		return tooLong(a.what, a.core.set.TextLimit)
	}
	a.form.look(p)
	for len(p) > 0 {
		if len(a.buffer) == chunkBytes {
			if err := a.core.Hold(ctx, a.until, a.store); err != nil {
				return err
			}
		}
		n := min(len(p), chunkBytes-len(a.buffer))
		a.buffer = append(a.buffer, p[:n]...)
		p = p[n:]
	}
	return nil
}

func tooLong(what string, limit int64) error {
	return fault.New(fault.TooLarge, "The %s is longer than %d bytes (limits: payload)", what, limit)
}

// End returns the text; encoded is Text.Encoded. With spill also a short one goes to a
// draft, because what came with it fills the memory already.
func (a *Arriving) End(ctx context.Context, encoded int64, spill bool) (*Text, error) {
	if a.chunks > 0 || spill && len(a.buffer) > 0 {
		if err := a.core.Hold(ctx, a.until, a.store); err != nil {
			return nil, err
		}
	}
	a.text.encrypted = a.form.encrypted()
	if a.text.stream != 0 {
		a.text.Encoded = encoded
		return &a.text, nil
	}
	a.text.Whole = Opaque(a.buffer)
	a.buffer = nil
	return &a.text, nil
}

// Held is how many bytes of the text are in memory.
func (a *Arriving) Held() int64 { return int64(len(a.buffer)) + int64(len(a.text.Whole)) }

// store writes the buffer as the next chunk. Few at a time: other writes go between.
func (a *Arriving) store(ctx context.Context) error {
	select {
	case a.core.chunking <- struct{}{}:
		defer func() { <-a.core.chunking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	id := a.text.stream
	err := a.core.db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) (err error) {
		if a.text.stream == 0 {
			a.core.drafts.forget(id) // of a try before
			if id, err = tx.InsertStream(ctx, tx.Now); err != nil {
				return err
			}
			a.core.drafts.note(id) // before the commit: a sweep must not find it loose
		}
		return tx.InsertChunk(ctx, queries.InsertChunkParams{StreamID: id, Number: a.chunks, Bytes: a.buffer})
	})
	if err != nil {
		if a.text.stream == 0 {
			a.core.drafts.forget(id)
		}
		return fmt.Errorf("keeping a part of the %s: %w", a.what, err)
	}
	a.text.stream = id
	a.chunks++
	a.buffer = a.buffer[:0]
	return nil
}

// Discard deletes what no use case took over.
func (a *Arriving) Discard(ctx context.Context) error {
	if id := a.text.stream; id != 0 && a.core.drafts.has(id) {
		defer a.core.drafts.forget(id)
		return a.core.removeStream(ctx, id)
	}
	return nil
}

// removeStream deletes a stream without a result in short transactions.
func (c *Core) removeStream(ctx context.Context, id int64) error {
	for more := true; more; {
		err := c.db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) error {
			loose, err := tx.IsLoose(ctx, id)
			if err != nil || !loose {
				more = false
				return err
			}
			n, err := tx.DeleteChunks(ctx, id, sweptChunks)
			if more = n > 0; err != nil || more {
				return err
			}
			return tx.DeleteStream(ctx, id)
		})
		if err != nil {
			return fmt.Errorf("deleting a text: %w", err)
		}
	}
	return nil
}

const (
	// sweepPause is the time between two looks for texts without a result.
	sweepPause = time.Minute
	// draftPause is how often other servers hear of drafts.
	draftPause = time.Minute
)

// KeepDrafts keeps other servers from sweeping the drafts of this one, until ctx ends.
func (c *Core) KeepDrafts(ctx context.Context) {
	tick := time.NewTicker(draftPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := c.tellOfDrafts(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn().Err(err).Msg("Other servers could not be told of texts that are being received, it will be tried again")
		}
	}
}

// tellOfDrafts tells other servers that the drafts of this one are alive.
func (c *Core) tellOfDrafts(ctx context.Context) error {
	ids := c.drafts.all()
	if len(ids) == 0 {
		return nil
	}
	err := c.db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) error { return tx.TouchStreams(ctx, tx.Now, idSet(ids)) })
	if err != nil {
		return fmt.Errorf("touching drafts: %w", err)
	}
	return nil
}

// sweepTexts deletes the drafts of requests that have ended, and the long texts of results
// that are gone or got others. Only one server uses a database of SQLite; on Postgres
// drafts of others are known by their age.
func (c *Core) sweepTexts(ctx context.Context) error {
	before := queries.Now()
	if c.db.Engine == queries.Postgres {
		before = queries.At(before.Add(-draftLife))
	}
	for {
		ids, err := c.db.LooseStreams(ctx, before)
		if err != nil {
			return fmt.Errorf("looking for texts without a result: %w", err)
		}
		swept := 0
		for _, id := range ids {
			if c.drafts.has(id) {
				continue
			}
			if err := c.removeStream(ctx, id); err != nil {
				return err
			}
			swept++
		}
		if swept == 0 {
			return nil
		}
	}
}

// chunkWriters is how many write chunks at the same time. On SQLite writes come one after
// the other, so that a second one would only delay what is small.
func chunkWriters(e queries.Engine) int {
	if e == queries.SQLite {
		return 1
	}
	return 4
}
