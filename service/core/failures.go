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
	WrongCodes       atomic.Int64 // of second factors
	LockedPairs      atomic.Int64 // how often an account was locked for one address
	LockedAccounts   atomic.Int64 // how often one was locked as a whole
	InitialPasswords atomic.Int64 // of the first user, from another machine
	WrongKeys        atomic.Int64 // of nodes
}

// Refused returns the counts of refused log-ins.
func (c *Core) Refused() *LogInCount { return &c.refused }

const (
	// wholeFactor is how many times the failures that lock an account for one address lock
	// it as a whole, so that nobody is locked out from afar (/docs/security#u13).
	wholeFactor = 10
	// failureLife is how long failures count that nothing takes back; a lock counts for its
	// own time. What scanners leave in a month locks nobody.
	failureLife = 24 * time.Hour
	// mostNetworks is from how many networks failures of an account are kept.
	mostNetworks = 1000
)

// failures are wrong passwords that count, and when the last one came.
type failures struct {
	count int64
	last  *queries.Time
}

func failuresOf(u queries.User) failures {
	return failures{value(u.FailedLoginAttempts), u.LastLoginAttempt}
}

// lock reports whether they reach a number, and the last one is not too long ago. A last
// failure that is a little ahead was counted beside this one, or by a server whose clock
// is; one that is further in the future comes from a clock that was set back, and locks
// nobody out.
func (f failures) lock(most int, lasts time.Duration, now time.Time) bool {
	return f.count >= int64(most) && f.since(lasts, now)
}

// since reports whether the last one is not as long ago as that.
func (f failures) since(d time.Duration, now time.Time) bool {
	return f.last != nil && now.Sub(f.last.Time).Abs() < d
}

// same reports whether the row of an account says the same of both.
func (f failures) same(g failures) bool {
	return f.count == g.count && (f.last == nil) == (g.last == nil) && (f.last == nil || f.last.Equal(g.last.Time))
}

// tally is what counts against an account: all failures, and those from each network. It
// is not changed, but replaced.
type tally struct {
	all failures
	by  map[string]failures // "" has those from where no address is known
}

// tallyOf joins the row of an account and those of its networks. Where the account has none,
// somebody took them back.
func tallyOf(u queries.User, rows []queries.FailedLogin) tally {
	t := tally{all: failuresOf(u)}
	if t.all.count == 0 {
		return t
	}
	t.by = make(map[string]failures, len(rows))
	for _, r := range rows {
		t.by[r.Network] = failures{r.Attempts, &r.LastAttempt}
	}
	return t
}

// locked reports whether an account is locked for a network or as a whole.
func (t tally) locked(set Settings, network string, now time.Time) (pair, whole bool) {
	return t.by[network].lock(set.MaxFailedAttempts, set.LockFor, now), t.all.lock(set.MaxFailedAttempts*wholeFactor, set.LockFor, now)
}

// with counts another failure; a lock that is over begins the count anew.
func (t tally) with(set Settings, network string, now queries.Time) tally {
	next := map[string]failures{}
	if t.all.count < int64(set.MaxFailedAttempts*wholeFactor) {
		for n, f := range t.by {
			if f.since(max(failureLife, set.LockFor), now.Time) {
				next[n] = f
			}
		}
	}
	f := next[network]
	if f.count >= int64(set.MaxFailedAttempts) {
		f.count = 0
	}
	next[network] = failures{f.count + 1, &now}
	if len(next) > mostNetworks {
		delete(next, oldest(next))
	}
	return tally{failures{total(next), &now}, next}
}

// without takes back the failures from a network, and none from elsewhere.
func (t tally) without(network string) tally {
	next := maps.Clone(t.by)
	delete(next, network)
	return tally{failures{total(next), t.all.last}, next}
}

func total(by map[string]failures) (n int64) {
	for _, f := range by {
		n += f.count
	}
	return n
}

func oldest(by map[string]failures) (network string) {
	var at time.Time
	for n, f := range by {
		if at.IsZero() || f.last.Before(at) {
			network, at = n, f.last.Time
		}
	}
	return network
}

// unwritten holds the failures of accounts whose rows could not be written, for example
// because the disk is full: a log-in works without a write, and guesses count all the same.
type unwritten struct {
	mu sync.Mutex
	by map[int64]*waitingTally
}

// waitingTally is what waits for an account, and what its row said when that began.
type waitingTally struct {
	tally
	row failures
}

func newUnwritten() *unwritten { return &unwritten{by: map[int64]*waitingTally{}} }

// of returns what waits for an account, nil when nothing does. What waits is worth nothing
// any more once somebody else, as `vserver user unlock`, took the failures back.
func (w *unwritten) of(user int64, row failures) *waitingTally {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.by[user]
	if t != nil && row.count == 0 && !row.same(t.row) {
		delete(w.by, user)
		return nil
	}
	return t
}

// change replaces what waits for an account; seen is what its rows say.
func (w *unwritten) change(user int64, row failures, seen tally, with func(tally) tally) (was, now tally) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was = seen
	if t, ok := w.by[user]; ok {
		was, row = t.tally, t.row
	}
	now = with(was)
	w.by[user] = &waitingTally{now, row}
	return was, now
}

// written forgets what was waiting, unless more has come meanwhile.
func (w *unwritten) written(user int64, t *waitingTally) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[user] == t {
		delete(w.by, user)
	}
}

func (w *unwritten) users() []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []int64
	for user := range w.by {
		list = append(list, user)
	}
	return list
}

// FlushFailures writes the failures that could not be written when they were counted.
func (c *Core) FlushFailures(ctx context.Context) error {
	waiting := c.unwritten.users()
	if len(waiting) == 0 {
		return nil
	}
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		for _, user := range waiting {
			_, _, err := t.changeTally(ctx, user, Origin{}, func(waits tally) tally { return waits })
			if err != nil && !queries.Missing(err) {
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

// tally reads what counts against an account.
func (c *Core) tally(ctx context.Context, u queries.User) (tally, error) {
	if t := c.unwritten.of(u.ID, failuresOf(u)); t != nil {
		return t.tally, nil
	}
	if value(u.FailedLoginAttempts) == 0 {
		return tallyOf(u, nil), nil
	}
	rows, err := c.db.FailedLoginsOfUser(ctx, u.ID)
	if err != nil {
		return tally{}, fmt.Errorf("reading wrong passwords: %w", err)
	}
	return tallyOf(u, rows), nil
}

// changeFailures changes what counts against an account, in the database or, where that
// cannot be written, in memory. It returns what it was and what it is now.
func (c *Core) changeFailures(ctx context.Context, u queries.User, seen tally, from Origin, with func(tally) tally) (was, now tally) {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) (err error) {
		was, now, err = t.changeTally(ctx, u.ID, from, with)
		return err
	})
	if err == nil || queries.Missing(err) {
		return was, now
	}
	c.log.Warn().Err(err).Msg("A log-in could not be written to the database: it is kept in memory until it can be")
	return c.unwritten.change(u.ID, failuresOf(u), seen, with)
}

// changeTally changes what counts against an account, and has its user told when that locks
// it; what was waiting does not wait any more once that is durable.
func (t *Tx) changeTally(ctx context.Context, user int64, from Origin, with func(tally) tally) (was, now tally, err error) {
	u, err := t.HoldUser(ctx, user)
	if err != nil {
		return was, now, err
	}
	rows, err := t.FailedLoginsOfUser(ctx, user)
	if err != nil {
		return was, now, err
	}
	was = tallyOf(u, rows)
	stored := was
	if waits := t.core.unwritten.of(user, failuresOf(u)); waits != nil {
		was = waits.tally
		t.OnCommit(func() { t.core.unwritten.written(user, waits) })
	}
	now = with(was)
	return was, now, firstError(t.writeTally(ctx, user, rows, now), t.notifyLocked(ctx, u, stored, now, from))
}

// writeTally writes what differs from the rows that are there.
func (t *Tx) writeTally(ctx context.Context, user int64, rows []queries.FailedLogin, now tally) error {
	stored := map[string]failures{}
	for _, r := range rows {
		if stored[r.Network] = (failures{r.Attempts, &r.LastAttempt}); now.by[r.Network].count > 0 {
			continue
		}
		if err := t.DeleteFailedLogin(ctx, user, r.Network); err != nil {
			return err
		}
	}
	for network, f := range now.by {
		if f.same(stored[network]) {
			continue
		}
		err := t.PutFailedLogin(ctx, queries.PutFailedLoginParams{UserID: user, Network: network, Attempts: f.count, LastAttempt: *f.last})
		if err != nil {
			return err
		}
	}
	return t.UpdateFailedLogins(ctx, queries.UpdateFailedLoginsParams{Attempts: &now.all.count, At: now.all.last, ID: user})
}
