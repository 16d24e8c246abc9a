package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"vserver/queries"
	"vserver/service/fault"
)

// ErrAskAgain says that an API key is still being looked for among those of a 3.x server, or waits for
// that. Whoever asks is told nothing and asks again: a refusal would end a node.
var ErrAskAgain = errors.New("the API key is still being looked for")

const (
	// oldKeyHold is how long somebody waits for a search before the connection is cut; the search goes on.
	oldKeyHold = 25 * time.Second
	// oldKeyQueue is how many searches wait for the one that is under way.
	oldKeyQueue = 8
	// oldKeysHeld is how many are held at most; the others are cut at once.
	oldKeysHeld = 500
	// oldKeysWrong is how many keys are remembered that no node has.
	oldKeysWrong = 10_000
	// oldKeyPause is how long the search lets others hash passwords before its next comparison, at most.
	oldKeyPause = time.Second
)

// oldKeys looks for nodes by API keys of which a 3.x server has left slow hashes only
// (/docs/nodes#old-keys). One search is under way at a time.
type oldKeys struct {
	left atomic.Int64 // nodes whose key was not yet seen
	held atomic.Int64
	// found counts the keys that were found; it is raised before left is lowered.
	found atomic.Int64
	// command starts the process that compares; none: this one does.
	command []string

	mu       sync.Mutex
	wrong    map[string]bool // digests of keys that no node has
	oldest   []string        // the same, in the order in which they came
	searches map[string]*keySearch
	lanes    map[string]*keyLane
	queue    []*keySearch
	working  bool
	room     chan struct{} // one for each search that waits
}

// keySearch is a search for one key; done is closed at its end.
type keySearch struct {
	key, digest string
	done        chan struct{}
	leave       func() // gives the lane of the address free
	node        int64  // 0: none has the key
	err         error
}

// keyLane is an address, from which one key at a time is searched for.
type keyLane struct {
	turn  chan struct{}
	users int
}

func newOldKeys() *oldKeys {
	return &oldKeys{
		wrong: map[string]bool{}, searches: map[string]*keySearch{}, lanes: map[string]*keyLane{},
		room: make(chan struct{}, oldKeyQueue),
	}
}

// OldKeysLeft returns how many nodes there are whose key a 3.x server has left and nobody has shown yet.
func (c *Core) OldKeysLeft() *atomic.Int64 { return &c.oldKeys.left }

// countOldKeys learns how many there are.
func (c *Core) countOldKeys(ctx context.Context) error {
	n, err := c.db.CountOldKeys(ctx)
	if err != nil {
		return fmt.Errorf("counting the API keys of a 3.x server: %w", err)
	}
	c.oldKeys.left.Store(n)
	return nil
}

// nodeOfOldKey returns the node of a key that has no digest yet; 0 for none. The error may be ErrAskAgain.
func (c *Core) nodeOfOldKey(ctx context.Context, key, digest string, from Origin) (int64, error) {
	o := c.oldKeys
	if o.left.Load() == 0 || o.isWrong(digest) {
		return 0, nil
	}
	defer o.held.Add(-1)
	if o.held.Add(1) > oldKeysHeld {
		return 0, ErrAskAgain
	}
	ctx, cancel := context.WithTimeout(ctx, c.set.KeyHold)
	defer cancel()
	s, err := c.beginSearch(ctx, key, digest, from)
	if err != nil || s == nil {
		return 0, err
	}
	select {
	case <-s.done:
		return s.node, s.err
	case <-ctx.Done():
		return 0, ErrAskAgain
	}
}

// beginSearch has a key searched for, unless somebody does already; nil when there is nothing to search
// any more.
func (c *Core) beginSearch(ctx context.Context, key, digest string, from Origin) (*keySearch, error) {
	o := c.oldKeys
	if s := o.under(digest); s != nil {
		return s, nil
	}
	leave, err := o.enter(ctx, from.network())
	if err != nil {
		return nil, err
	}
	select {
	case o.room <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ErrAskAgain
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.searches[digest]
	if s != nil || o.wrong[digest] { // meanwhile
		<-o.room
		leave()
		return s, nil
	}
	s = &keySearch{key: key, digest: digest, done: make(chan struct{}), leave: leave}
	o.searches[digest] = s
	o.queue = append(o.queue, s)
	if !o.working {
		o.working = true
		go c.searchOldKeys()
	}
	return s, nil
}

// under is the search for a key that waits or is under way.
func (o *oldKeys) under(digest string) *keySearch {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.searches[digest]
}

func (o *oldKeys) isWrong(digest string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wrong[digest]
}

// enter waits until nobody else from an address has a search.
func (o *oldKeys) enter(ctx context.Context, network string) (leave func(), err error) {
	o.mu.Lock()
	lane := o.lanes[network]
	if lane == nil {
		lane = &keyLane{turn: make(chan struct{}, 1)}
		o.lanes[network] = lane
	}
	lane.users++
	o.mu.Unlock()
	gone := func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if lane.users--; lane.users == 0 {
			delete(o.lanes, network)
		}
	}
	select {
	case lane.turn <- struct{}{}:
		return func() { <-lane.turn; gone() }, nil
	case <-ctx.Done():
		gone()
		return nil, ErrAskAgain
	}
}

// CompareKeysBy has API keys that a 3.x server has left compared by processes of a command, which calls
// CompareKeys. It is called before the first request.
func (c *Core) CompareKeysBy(command []string) { c.oldKeys.command = command }

// searchOldKeys does one search after the other until none waits.
func (c *Core) searchOldKeys() {
	o := c.oldKeys
	comparer := &keyComparer{command: o.command, most: c.set.KeyAnswer, log: c.log}
	defer comparer.close()
	for {
		o.mu.Lock()
		if len(o.queue) == 0 {
			o.working = false
			o.mu.Unlock()
			return
		}
		s := o.queue[0]
		o.queue = o.queue[1:]
		o.mu.Unlock()
		<-o.room
		// Who asked may be gone; the next time the answer is there at once.
		s.err = fault.Caught(func() (err error) {
			s.node, err = c.searchOldKey(context.Background(), s.key, s.digest, comparer)
			return err
		})
		c.reportPanic(s.err)
		o.mu.Lock()
		delete(o.searches, s.digest)
		if s.err == nil && s.node == 0 {
			o.remember(s.digest)
		}
		o.mu.Unlock()
		s.leave()
		close(s.done)
	}
}

// reportPanic writes to the log what ended a search, which whoever asked may not be told any more.
func (c *Core) reportPanic(err error) {
	var panicked *fault.Panic
	if errors.As(err, &panicked) {
		c.log.Error().Func(panicked.Detail).Msg("The search for the API key of a node panicked; the next one goes on")
	}
}

// remember notes a key that no node has. It needs o.mu.
func (o *oldKeys) remember(digest string) {
	if len(o.oldest) >= oldKeysWrong {
		delete(o.wrong, o.oldest[0])
		o.oldest = o.oldest[1:]
	}
	o.wrong[digest] = true
	o.oldest = append(o.oldest, digest)
}

// searchOldKey compares a key with those that are left, that of the node seen last first.
func (c *Core) searchOldKey(ctx context.Context, key, digest string, comparer *keyComparer) (node int64, err error) {
	if node, err := c.db.NodeByAPIKey(ctx, &digest); !queries.Missing(err) {
		return node, err
	}
	rows, err := c.db.OldKeys(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the API keys of a 3.x server: %w", err)
	}
	c.oldKeys.left.Store(int64(len(rows)))
	for _, row := range rows {
		c.turns.letPass(oldKeyPause)
		if comparer.matches(cut(key), []byte(row.Hash)) {
			return row.NodeID, c.convertOldKey(ctx, row.NodeID, digest)
		}
	}
	return 0, nil
}

// convertOldKey stores the digest of a key in the place of its hash.
func (c *Core) convertOldKey(ctx context.Context, node int64, digest string) error {
	err := c.db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) error {
		if _, err := tx.ConvertOldKey(ctx, &digest, node); err != nil {
			return err
		}
		return tx.DropOldKey(ctx, node)
	})
	if err != nil {
		return fmt.Errorf("keeping the API key of node %d: %w", node, err)
	}
	c.oldKeys.found.Add(1)
	left := c.oldKeys.left.Add(-1)
	c.log.Info().Msgf("The API key of node %d, which a 3.x server had left, is known from now on; %d are left", node, left)
	return nil
}

// letPass waits while others hash passwords, but not longer than that.
func (t *turns) letPass(most time.Duration) {
	const every = 10 * time.Millisecond
	for end := time.Now().Add(most); t.busy() && time.Now().Before(end); {
		<-time.After(every)
	}
}

// busy reports whether somebody hashes a password.
func (t *turns) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.free < t.workers
}
