package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
)

// Failed is an account with wrong passwords that count (/docs/tokens#lock).
type Failed struct {
	UserID   int64
	Username string
	Failures int64
	Last     *time.Time
	Until    *time.Time // when its lock as a whole ends; nil: it has none
	From     []FailedFrom
}

// FailedFrom are the wrong passwords that came from one address.
type FailedFrom struct {
	Network  string // "": where nobody knows the address
	Failures int64
	Last     time.Time
	Until    *time.Time // when the lock for this address ends; nil: it has none
}

// Locked reports whether the account is locked for anybody.
func (f Failed) Locked() bool {
	locked := f.Until != nil
	for _, from := range f.From {
		locked = locked || from.Until != nil
	}
	return locked
}

// FailedAccounts lists the accounts with wrong passwords, by name, for those who hold the
// database itself.
func (c *Core) FailedAccounts(ctx context.Context) ([]Failed, error) {
	return c.failedAmong(ctx, nil)
}

// failedAmong lists those of some accounts, as a set of ids; nil for all.
func (c *Core) failedAmong(ctx context.Context, ids *string) ([]Failed, error) {
	users, err := c.db.UsersWithFailedLogins(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("listing accounts with wrong passwords: %w", err)
	}
	rows, err := c.db.FailedLogins(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("listing wrong passwords: %w", err)
	}
	by := map[int64][]queries.FailedLogin{}
	for _, r := range rows {
		by[r.UserID] = append(by[r.UserID], r)
	}
	list := make([]Failed, len(users))
	for i, u := range users {
		list[i] = c.failed(u, by[u.ID], time.Now())
	}
	return list, nil
}

// failed describes an account; its rows have the newest first.
func (c *Core) failed(u queries.User, rows []queries.FailedLogin, now time.Time) Failed {
	t := tallyOf(u, rows)
	f := Failed{UserID: u.ID, Username: value(u.Username), Failures: t.all.count, From: []FailedFrom{}}
	if t.all.last != nil {
		f.Last = &t.all.last.Time
	}
	until := func(last time.Time) *time.Time {
		last = last.Add(c.set.LockFor)
		return &last
	}
	if _, whole := t.locked(c.set, "", now); whole {
		f.Until = until(*f.Last)
	}
	for _, r := range rows {
		from := FailedFrom{Network: r.Network, Failures: r.Attempts, Last: r.LastAttempt.Time}
		if pair, _ := t.locked(c.set, r.Network, now); pair {
			from.Until = until(from.Last)
		}
		f.From = append(f.From, from)
	}
	return f
}

// Unlock takes back all wrong passwords of an account and returns what it had. Running
// servers notice it at the next log-in, also where failures wait in their memory: the
// moment of the last attempt changes.
func (c *Core) Unlock(ctx context.Context, username string) (was Failed, err error) {
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.heldByName(ctx, username)
		if err != nil {
			return err
		}
		rows, err := t.FailedLoginsOfUser(ctx, u.ID)
		if err != nil {
			return err
		}
		was = c.failed(u, rows, time.Now())
		return t.forgiveAll(ctx, u.ID)
	})
	if err != nil {
		return Failed{}, fmt.Errorf("unlocking an account: %w", err)
	}
	return was, nil
}

// forgiveAll takes back all wrong passwords of a user, who is held.
func (t *Tx) forgiveAll(ctx context.Context, user int64) error {
	rows, err := t.FailedLoginsOfUser(ctx, user)
	if err != nil {
		return err
	}
	now := queries.Now()
	return t.writeTally(ctx, user, rows, tally{all: failures{0, &now}})
}
