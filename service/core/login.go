package core

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// failedLogin is the one answer to every log-in that did not work, so that nobody
// learns which accounts exist or are locked (/docs/security#t01).
func failedLogin() error { return fault.New(fault.Unauthorized, "Failed to login") }

// Origin is where a request comes from.
type Origin struct {
	Address string // for the log
	// Network is what locks and the queue of log-ins go by; it is not valid where nobody
	// knows it, behind a proxy that is not trusted (/docs/proxy#unknown).
	Network netip.Prefix
	Here    bool // from this machine (/docs/security#t22)
	// Language is that of mails about what comes from there: en or nl.
	Language string
	Client   string // the program that asks, as it says itself
}

// network is the text that its failures and its place in the queue stand under; it is
// empty where nobody knows it.
func (o Origin) network() string {
	switch {
	case !o.Network.IsValid():
		return ""
	case o.Network.IsSingleIP():
		return o.Network.Addr().String()
	}
	return o.Network.String()
}

// LoggedIn is what a log-in came to: who it is, or what is wanted beside the password
// (/docs/tokens#second-factor).
type LoggedIn struct {
	Identity
	SetUp *SetUp // to be scanned before the next log-in; nil when it is there
	Asks  bool   // for a code
}

// LogIn checks a user's name and password, and a code where there is a second factor, and
// counts failures (/docs/tokens#lock). A code that is nil was not sent.
func (c *Core) LogIn(ctx context.Context, username, password string, code *string, from Origin) (LoggedIn, error) {
	u, err := c.db.GetUserByUsername(ctx, &username)
	if queries.Missing(err) {
		if _, err = c.matches(ctx, from.asker(username), nil, password); err == nil {
			c.refuse(&c.refused.WrongPasswords, username, from, "there is no such user")
		}
		return LoggedIn{}, firstError(err, failedLogin())
	}
	if err != nil {
		return LoggedIn{}, fmt.Errorf("looking up a user: %w", err)
	}
	ok, err := c.proves(ctx, u, password, from, from.asker(username), nil)
	if ok && u.InitialPassword && !from.Here && !c.set.RootFromAnywhere {
		ok = false // and not counted: it is no guess, and would lock out whoever sits at this machine
		c.refuse(&c.refused.InitialPasswords, username, from,
			"it is still the initial one, which works from this machine only: change it there with PATCH password/change")
	}
	if err == nil && !ok {
		err = failedLogin()
	}
	if err == nil && c.set.SecondFactor {
		asked, err := c.enter(ctx, u, code, from)
		if err != nil || asked.Asks || asked.SetUp != nil {
			return asked, err
		}
	} else if err == nil {
		err = c.forgive(ctx, u, from)
	}
	if err != nil {
		return LoggedIn{}, err
	}
	c.Remember(from)
	who, err := c.Identify(ctx, access.User, u.ID)
	return LoggedIn{Identity: who}, err
}

// Remember keeps a place in the queue of log-ins for where somebody has proved who he is
// (/docs/tokens#queue).
func (c *Core) Remember(from Origin) {
	if from.Network.IsValid() {
		c.turns.welcome(from.network(), time.Now())
	}
}

// forgive takes back the failures of an account that came from where its owner is now.
func (c *Core) forgive(ctx context.Context, u queries.User, from Origin) error {
	t, err := c.tally(ctx, u)
	if err == nil && t.all.count != t.without(from.network()).all.count {
		c.changeFailures(ctx, u, t, from, func(t tally) tally { return t.without(from.network()) })
	}
	return err
}

// proves compares a password with the account's and counts a failure. While the
// account is locked no password is right and nothing is counted; what it takes is
// the same in all cases (/docs/security#t11, /docs/security#t20). A repetition, as far as
// they are given, is no failure of its own.
func (c *Core) proves(ctx context.Context, u queries.User, password string, from Origin, by asker, repeated *repetitions) (bool, error) {
	t, locked, err := c.barred(ctx, u, from)
	if err != nil {
		return false, err
	}
	if locked {
		_, err := c.matches(ctx, by, nil, password)
		if err == nil {
			c.refuse(&c.refused.WrongPasswords, value(u.Username), from, "the account is locked")
		}
		return false, err
	}
	ok, err := c.matches(ctx, by, u.Password, password)
	if err == nil && !ok && (repeated == nil || !repeated.note(u.ID, password, time.Now())) {
		c.countFailure(ctx, u, t, from)
	}
	if err != nil || !ok {
		return false, err
	}
	// Guesses that ran beside this one may have locked the account meanwhile.
	now, err := c.db.CredentialsOfUser(ctx, u.ID)
	if queries.Missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading a user: %w", err)
	}
	_, locked, err = c.barred(ctx, now, from)
	return err == nil && !locked, err
}

// barred reports whether an account has failed too often of late, from there or in all,
// and what counts against it.
func (c *Core) barred(ctx context.Context, u queries.User, from Origin) (tally, bool, error) {
	t, err := c.tally(ctx, u)
	pair, whole := t.locked(c.set, from.network(), time.Now())
	return t, pair || whole, err
}

// countFailure counts a wrong password, unless the account is locked by now.
func (c *Core) countFailure(ctx context.Context, u queries.User, seen tally, from Origin) {
	var at queries.Time
	was, now := c.changeFailures(ctx, u, seen, from, func(t tally) tally {
		at = queries.Now()
		if pair, whole := t.locked(c.set, from.network(), at.Time); pair || whole {
			return t
		}
		return t.with(c.set, from.network(), at)
	})
	c.refuse(&c.refused.WrongPasswords, value(u.Username), from, "the password is wrong")
	c.reportLock(u, from, was, now, at.Time)
}

// reportLock writes to the log that a failure has locked an account.
func (c *Core) reportLock(u queries.User, from Origin, was, now tally, at time.Time) {
	tries := "wrong passwords"
	if c.set.SecondFactor {
		tries = "wrong passwords or codes"
	}
	pairWas, wholeWas := was.locked(c.set, from.network(), at)
	switch pair, whole := now.locked(c.set, from.network(), at); {
	case whole && !wholeWas:
		c.refused.LockedAccounts.Add(1)
		c.log.Warn().Msgf("Locked the account %s for everybody for %s: %d %s from %d addresses, the last from %s",
			shown(value(u.Username)), c.set.LockFor, now.all.count, tries, len(now.by), from.Address)
	case pair && !pairWas:
		c.refused.LockedPairs.Add(1)
		c.log.Warn().Msgf("Locked the account %s for %s for %s: %d %s in a row from there, the last from %s",
			shown(value(u.Username)), from.place(), c.set.LockFor, now.by[from.network()].count, tries, from.Address)
	}
}

// place names for whom a lock is.
func (o Origin) place() string {
	if !o.Network.IsValid() {
		return "all whose address is not known"
	}
	return o.network()
}

// refuse counts a refused log-in and writes to the log who wanted to get in.
func (c *Core) refuse(count *atomic.Int64, name string, from Origin, why string) {
	count.Add(1)
	c.log.Warn().Msgf("Refused the password of %s from %s: %s", shown(name), from.Address, why)
}

// shown is a name that a stranger has chosen, as a log may have it.
func shown(name string) string {
	const most = 100
	if len(name) > most {
		return strconv.QuoteToASCII(name[:most]) + "…"
	}
	return strconv.QuoteToASCII(name)
}

// LogInNode finds the node of an API key (/docs/tokens#node).
func (c *Core) LogInNode(ctx context.Context, key string, from Origin) (Identity, error) {
	id, err := c.nodeOfKey(ctx, key, from)
	if err == nil && id == 0 {
		c.refused.WrongKeys.Add(1)
		c.log.Warn().Msgf("Refused a log-in of a node from %s: no node has that API key", from.Address)
		return Identity{}, fault.New(fault.Unauthorized, "Api key is not recognized!")
	}
	if err != nil {
		return Identity{}, fmt.Errorf("looking up an API key: %w", err)
	}
	c.Remember(from)
	c.noteClient(id, from.Client)
	return c.Identify(ctx, access.Node, id)
}

// nodeOfKey returns the node of an API key; 0 for none.
func (c *Core) nodeOfKey(ctx context.Context, key string, from Origin) (int64, error) {
	digest := c.DigestAPIKey(key)
	found := c.oldKeys.found.Load()
	id, err := c.db.NodeByAPIKey(ctx, &digest)
	if !queries.Missing(err) {
		return id, err
	}
	id, err = c.nodeOfOldKey(ctx, key, digest, from)
	if err != nil || id != 0 || c.oldKeys.found.Load() == found {
		return id, err
	}
	// A search has ended between the two looks, maybe that for this key.
	if id, err = c.db.NodeByAPIKey(ctx, &digest); queries.Missing(err) {
		return 0, nil
	}
	return id, err
}

// RoleNames are the names of a user's roles, which its tokens mention.
func (c *Core) RoleNames(ctx context.Context, user int64) ([]string, error) {
	rows, err := c.db.RoleNamesOfUser(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("reading the roles of a user: %w", err)
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = value(r)
	}
	return names, nil
}

// ContainerTask is what a container's token says about its task.
type ContainerTask struct {
	Database *string
}

// AdmitContainer decides whether a node may have a token for a container
// (/docs/tokens#container-token).
func (c *Core) AdmitContainer(ctx context.Context, g access.Grant[access.NodeItself], task int64, image string) (ContainerTask, error) {
	a := g.Actor()
	row, err := c.db.TaskForContainer(ctx, &a.OrganizationID, task)
	switch {
	case queries.Missing(err):
		return ContainerTask{}, fault.New(fault.Invalid, "Master task does not exist!")
	case err != nil:
		return ContainerTask{}, fmt.Errorf("reading the task of a container: %w", err)
	case value(row.Image) != image:
		return ContainerTask{}, fault.New(fault.Denied, "Image and task do no match")
	case !a.WorksIn(row.CollaborationID):
		return ContainerTask{}, fault.New(fault.Denied, "You are not within the collaboration")
	}
	member, err := c.db.IsMember(ctx, a.OrganizationID, a.CollaborationID)
	switch {
	case err != nil:
		return ContainerTask{}, fmt.Errorf("looking for a member: %w", err)
	case !member:
		return ContainerTask{}, fault.New(fault.Denied, "You are not within the collaboration")
	case row.Results > 0 && row.OwnResults == 0:
		return ContainerTask{}, fault.New(fault.Denied, "Task is not assigned to your organization")
	case row.OpenResults == 0:
		return ContainerTask{}, fault.New(fault.Invalid, "Task is already finished!")
	}
	return ContainerTask{Database: row.Database}, nil
}
