package core

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"vserver/queries"
)

// LogInCount counts what was refused at log-ins since the start.
type LogInCount struct {
	WrongPasswords   atomic.Int64 // also at a change of password
	LockedAccounts   atomic.Int64 // how often an account was locked
	InitialPasswords atomic.Int64 // of the first user, from another machine
	WrongKeys        atomic.Int64 // of nodes
}

// Refused returns the counts of refused log-ins.
func (c *Core) Refused() *LogInCount { return &c.refused }

// failures are the wrong passwords of an account that count, and when the last one came.
type failures struct {
	count int64
	last  *queries.Time
}

func failuresOf(u queries.User) failures {
	return failures{value(u.FailedLoginAttempts), u.LastLoginAttempt}
}

// locks reports whether they lock the account at a moment. A last failure that is a little
// ahead was counted beside this one, or by a server whose clock is; one that is further in
// the future comes from a clock that was set back, and locks nobody out.
func (f failures) locks(set Settings, now time.Time) bool {
	if f.count < int64(set.MaxFailedAttempts) || f.last == nil {
		return false
	}
	return now.Sub(f.last.Time).Abs() < set.LockFor
}

// with counts another one; a lock that is over begins the count anew.
func (f failures) with(set Settings, now queries.Time) failures {
	if f.count >= int64(set.MaxFailedAttempts) {
		f.count = 0
	}
	return failures{f.count + 1, &now}
}

// unwritten holds the failures of accounts whose row could not be written, for example
// because the disk is full: a log-in works without a write, and guesses count all the same.
type unwritten struct {
	mu sync.Mutex
	by map[int64]failures
}

func newUnwritten() *unwritten { return &unwritten{by: map[int64]failures{}} }

// of returns the failures of an account: those that wait, or those of its row.
func (w *unwritten) of(u queries.User) failures {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f, ok := w.by[u.ID]; ok {
		return f
	}
	return failuresOf(u)
}

// change replaces what waits for an account; stored is what its row says.
func (w *unwritten) change(user int64, stored failures, with func(failures) failures) failures {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, ok := w.by[user]
	if !ok {
		f = stored
	}
	f = with(f)
	w.by[user] = f
	return f
}

// written forgets what was waiting, unless more has come meanwhile.
func (w *unwritten) written(user int64, f failures) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[user] == f {
		delete(w.by, user)
	}
}

func (w *unwritten) all() map[int64]failures {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.by)
}

// FlushFailures writes the failures that could not be written when they were counted.
func (c *Core) FlushFailures(ctx context.Context) error {
	waiting := c.unwritten.all()
	if len(waiting) == 0 {
		return nil
	}
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		for user, f := range waiting {
			if err := t.writeFailures(ctx, user, f, f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing wrong passwords: %w", err)
	}
	return nil
}

// changeFailures changes the failures of an account, in the database or, where that cannot
// be written, in memory. It returns what they were and what they are now.
func (c *Core) changeFailures(ctx context.Context, u queries.User, with func(failures) failures) (was, now failures) {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		row, err := t.HoldUser(ctx, u.ID)
		if err != nil {
			return err
		}
		was = c.unwritten.of(row)
		now = with(was)
		return t.writeFailures(ctx, u.ID, now, was)
	})
	if err == nil || queries.Missing(err) {
		return was, now
	}
	c.log.Warn().Err(err).Msg("A log-in could not be written to the database: it is kept in memory until it can be")
	now = c.unwritten.change(u.ID, failuresOf(u), func(f failures) failures {
		was = f
		return with(f)
	})
	return was, now
}

// writeFailures writes the failures of an account; what was waiting does not any more once
// that is durable.
func (t *Tx) writeFailures(ctx context.Context, user int64, f, waiting failures) error {
	t.OnCommit(func() { t.core.unwritten.written(user, waiting) })
	return t.UpdateFailedLogins(ctx, queries.UpdateFailedLoginsParams{Attempts: &f.count, At: f.last, ID: user})
}
