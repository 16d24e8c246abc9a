package core

import (
	"context"
	"fmt"
	"sync"
	"time"

	"vserver/queries"
)

// lastSeen collects when accounts were last heard of, to be written together: a read
// request must not wait for a write (/docs/tokens#seen).
type lastSeen struct {
	mu      sync.Mutex
	at      map[int64]queries.Time
	clients map[int64]string // what nodes that logged in said they were
}

func newLastSeen() *lastSeen {
	return &lastSeen{at: map[int64]queries.Time{}, clients: map[int64]string{}}
}

// noteClient notes what a node says it is (/docs/nodes#client).
func (c *Core) noteClient(node int64, client string) {
	if client == "" {
		return
	}
	c.lastSeen.mu.Lock()
	defer c.lastSeen.mu.Unlock()
	c.lastSeen.clients[node] = client
}

// NoteSeen notes that a user or node was heard of now; FlushSeen writes it.
func (c *Core) NoteSeen(account int64) {
	c.lastSeen.mu.Lock()
	defer c.lastSeen.mu.Unlock()
	c.lastSeen.at[account] = queries.Now()
}

// NoteSeenAt is NoteSeen for a moment that has passed; of several the last one counts.
func (c *Core) NoteSeenAt(account int64, at time.Time) {
	c.lastSeen.mu.Lock()
	defer c.lastSeen.mu.Unlock()
	if t := queries.At(at); t.After(c.lastSeen.at[account].Time) {
		c.lastSeen.at[account] = t
	}
}

// FlushSeen writes what NoteSeen noted since the last time.
func (c *Core) FlushSeen(ctx context.Context) error {
	c.lastSeen.mu.Lock()
	at, clients := c.lastSeen.at, c.lastSeen.clients
	c.lastSeen.at, c.lastSeen.clients = map[int64]queries.Time{}, map[int64]string{}
	c.lastSeen.mu.Unlock()
	if len(at) == 0 && len(clients) == 0 {
		return nil
	}
	err := c.db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) error {
		for id, t := range at {
			if err := tx.SetLastSeen(ctx, &t, id); err != nil {
				return err
			}
		}
		for id, client := range clients {
			if err := tx.SetNodeClient(ctx, &client, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing when accounts were last seen: %w", err)
	}
	return nil
}
