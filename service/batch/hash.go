package batch

import (
	"context"
	"runtime"
	"sync"

	"vserver/service/core"
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
	var mu sync.Mutex
	var failed error
	done := 0
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		workers.Go(func() {
			for u := range next {
				hash, err := c.HashPassword(*u.password.value)
				mu.Lock()
				if err != nil {
					failed = err
				}
				h[u.username] = hash
				done++
				o.progress(Hashing, done, len(todo))
				mu.Unlock()
			}
		})
	}
	err := feed(ctx, next, todo)
	workers.Wait()
	if err != nil {
		return err
	}
	return failed
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
