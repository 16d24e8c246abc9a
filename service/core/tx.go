package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/bus"
)

// Tx is a transaction, with the events that its commit sends. Its methods are the one
// way in for every row: each Add, Save and Remove writes a row together with what always
// belongs to that. They judge no permission and validate nothing.
//
// An Add takes a row with all its columns and leaves the id in it. A Save writes all
// columns of a row, which has to be held before. A Remove deletes one row; what refers
// to it becomes null, goes along or keeps it from going, as the schema has it.
type Tx struct {
	*queries.Tx
	core   *Core
	silent bool // nobody hears of what is done
	rights bool // that rights changed is noted already
	out    []bus.Message
	alone  bool // it is decided that no other server has to be told
	keyed  bool // what was done is stored after it (once)
}

// isAlone reports whether no other server has to be told of what is done, which is so until the commit: then
// the transaction may end with what the use case writes.
func (t *Tx) isAlone() bool {
	p := t.core.peers
	if p == nil || t.alone {
		return true
	}
	// Counted before it is looked whether there are others: who comes between waits for it.
	p.deciding.Add(1)
	if t.alone = p.alone(); !t.alone {
		p.deciding.Add(-1)
	}
	return t.alone
}

// transact runs a use case's writes in one transaction. Whatever it emits goes out
// after the commit, in order.
func (c *Core) transact(ctx context.Context, f func(ctx context.Context, t *Tx) error) error {
	if c.peers != nil {
		return c.peers.withPeers(ctx, f)
	}
	return c.db.InTx(ctx, func(ctx context.Context, q *queries.Tx) error {
		return f(ctx, &Tx{Tx: q, core: c})
	})
}

// Administer runs f in one transaction for those who hold the database itself and judge
// no permission: the import and the shell. Nodes and users hear nothing of it. What was
// cached about callers is forgotten after the commit, here and by every server on the
// database (WatchForeignChanges).
func (c *Core) Administer(ctx context.Context, f func(ctx context.Context, t *Tx) error) error {
	return c.transact(ctx, func(ctx context.Context, t *Tx) error {
		t.silent = true
		t.rightsChanged()
		// First, so that whoever compares before writing sees what the one before
		// has written: administrators take turns on Postgres as well.
		if err := t.CountChange(ctx); err != nil {
			return fmt.Errorf("counting a change: %w", err)
		}
		return f(ctx, t)
	})
}

// Wipe removes everything and makes anew what a first start makes
// (/docs/permissions#start); rootHash is what HashRootPassword gave. The caller has checked
// that the configuration allows it.
func (t *Tx) Wipe(ctx context.Context, rootHash string) error {
	if err := t.core.db.DeleteAll(ctx, t.Tx); err != nil {
		return fmt.Errorf("emptying the database: %w", err)
	}
	return t.core.prepare(ctx, t, rootHash)
}

// emit sends an event to a room once the transaction is durable.
func (t *Tx) emit(room, event string, data any) {
	t.afterCommit(bus.Message{Topic: TopicEmit, Key: room, Name: event, Data: mustJSON(data)})
}

// rightsChanged has cached rights forgotten and rooms judged anew after the commit.
func (t *Tx) rightsChanged() {
	if !t.rights {
		t.rights = true
		t.afterCommit(bus.Message{Topic: TopicRights})
	}
}

// closeSockets ends the live connections of accounts after the commit, and what
// was cached about them.
func (t *Tx) closeSockets(accounts ...int64) {
	if len(accounts) > 0 {
		t.afterCommit(bus.Message{Topic: TopicClose, Data: mustJSON(accounts)})
	}
}

func (t *Tx) afterCommit(m bus.Message) {
	if !t.silent || m.Topic == TopicRights {
		t.out = append(t.out, m)
		t.OnCommit(func() { t.core.bus.Publish(m) })
	}
}

// put writes a field of a row if a new value is given.
func put[T any](field **T, given *T) {
	if given != nil {
		*field = given
	}
}
