package batch

import (
	"cmp"
	"context"
	"runtime"
	"sync"

	"vserver/service/core"
	"vserver/service/fault"
)

// hashes are the stored forms of passwords by username.
type hashes map[string]string

// hash computes what is missing for users to be made. Passwords are independent of
// each other, so every core takes the next one as soon as it is free; a core does
// three to five a second, whatever else happens.
func (h hashes) hash(ctx context.Context, c *core.Core, users []newUser, o Options) error {
	var todo []newUser
	for _, u := range users {
		if _, done := h[u.username]; !done && u.password.value != nil {
			todo = append(todo, u)
		}
	}
	next := make(chan newUser)
	w := &hashing{core: c, options: o, total: len(todo), made: h}
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		workers.Go(func() {
			for u := range next {
				w.note(fault.Caught(func() error { return w.one(u) }))
			}
		})
	}
	err := feed(ctx, next, todo)
	workers.Wait()
	if err != nil {
		return err
	}
	return w.failed
}

// hashing is what the workers share.
type hashing struct {
	core    *core.Core
	options Options
	total   int

	mu     sync.Mutex
	made   hashes
	done   int
	failed error
}

// one computes what is missing for one user.
func (w *hashing) one(u newUser) error {
	hash, err := w.core.HashPassword(*u.password.value)
	if err != nil {
		return err //nolint:wrapcheck // it names the password's fault
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made[u.username] = hash
	w.done++
	w.options.progress(Hashing, w.done, w.total)
	return nil
}

func (w *hashing) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = cmp.Or(err, w.failed)
}

// feed sends the users to the workers until all are taken or ctx ends.
func feed(ctx context.Context, next chan<- newUser, users []newUser) error {
	defer close(next)
	for _, u := range users {
		select {
		case next <- u:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// lacking reports whether the hash of a user's password is missing.
func (h hashes) lacking(users []newUser) bool {
	for _, u := range users {
		if _, done := h[u.username]; !done && u.password.value != nil {
			return true
		}
	}
	return false
}
