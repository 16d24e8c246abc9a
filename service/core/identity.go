package core

import (
	"context"
	"fmt"
	"sync"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Identity is an account as a token names it: the actor with the two counters that
// tokens have to match (/docs/tokens#lives).
type Identity struct {
	access.Actor
	Generation int64 // of refresh tokens
	Era        int64 // of access tokens
}

// ContainerClaims are what a container's token says about it (/docs/tokens#claims).
type ContainerClaims struct {
	NodeID, OrganizationID, CollaborationID, TaskID int64
	Image                                           string
}

// Identify finds the user or node of a token with its rules at this moment. The
// fault is that of an account that is gone (/docs/tokens#faults).
func (c *Core) Identify(ctx context.Context, kind access.Kind, id int64) (Identity, error) {
	who, age := c.identities.get(id)
	if who.Kind == kind && c.peers.current() {
		return who, nil
	}
	who, err := c.readIdentity(ctx, kind, id)
	if queries.Missing(err) {
		return Identity{}, c.nobody(ctx, kind, id)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("identifying %s %d: %w", kind, id, err)
	}
	c.identities.put(who, age)
	return who, nil
}

// nobody is the fault of a token whose account is not there, or is of another kind than
// the token says.
func (c *Core) nobody(ctx context.Context, kind access.Kind, id int64) error {
	other := access.User
	if kind == access.User {
		other = access.Node
	}
	_, err := c.readIdentity(ctx, other, id)
	switch {
	case err == nil:
		return fault.New(fault.BadToken, "The token is for a %s, and its account is that of a %s", kind, other)
	case !queries.Missing(err):
		return fmt.Errorf("identifying %s %d: %w", other, id, err)
	}
	return fault.New(fault.Unauthorized, "Error loading the user %d", id)
}

func (c *Core) readIdentity(ctx context.Context, kind access.Kind, id int64) (Identity, error) {
	who := Identity{Actor: access.Actor{Kind: kind, ID: id}}
	if kind == access.User {
		row, err := c.db.IdentifyUser(ctx, id)
		if err != nil {
			return who, err
		}
		who.Generation, who.Era = row.RefreshGeneration, row.AccessEra
		who.Name, who.OrganizationID = value(row.Username), value(row.OrganizationID)
		who.Rules, err = rules(c.db.RulesOfUser(ctx, id))
		return who, err
	}
	row, err := c.db.IdentifyNode(ctx, id)
	if err != nil {
		return who, err
	}
	who.Generation, who.Era = row.RefreshGeneration, row.AccessEra
	who.Name, who.OrganizationID, who.CollaborationID = value(row.Name), value(row.OrganizationID), value(row.CollaborationID)
	who.Rules, err = c.rulesOfNode(ctx)
	return who, err
}

// IdentifyContainer finds the container of a token and refuses one whose task has
// ended or gone, or whose node has gone or moved (/docs/security#t23).
func (c *Core) IdentifyContainer(ctx context.Context, claims ContainerClaims) (access.Actor, error) {
	dead := invalidContainer()
	node, err := c.Identify(ctx, access.Node, claims.NodeID)
	if fault.Is(err, fault.Unauthorized) {
		return access.Actor{}, dead
	}
	if err != nil {
		return access.Actor{}, err
	}
	task, err := c.db.TaskOfContainer(ctx, claims.TaskID)
	if err != nil && !queries.Missing(err) {
		return access.Actor{}, fmt.Errorf("reading the task of a container: %w", err)
	}
	if err != nil || !task.Open || !node.WorksFor(&claims.OrganizationID, &claims.CollaborationID) || !node.WorksIn(task.CollaborationID) {
		return access.Actor{}, dead
	}
	a := node.Actor
	a.Kind, a.TaskID, a.RunID, a.Image = access.Container, claims.TaskID, value(task.RunID), claims.Image
	a.Rules, err = c.rulesOfContainer(ctx)
	return a, err
}

func (c *Core) rulesOfContainer(ctx context.Context) (access.Set, error) {
	return c.rulesKept(ctx, -1, access.RoleContainer)
}

// rulesOfNode are the same for every node.
func (c *Core) rulesOfNode(ctx context.Context) (access.Set, error) {
	return c.rulesKept(ctx, -2, access.RoleNode)
}

// rulesKept are cached like an account, under an id that none has, and of a kind that
// nobody is identified as.
func (c *Core) rulesKept(ctx context.Context, id int64, role string) (access.Set, error) {
	who, age := c.identities.get(id)
	if who.Kind == access.Container && c.peers.current() {
		return who.Rules, nil
	}
	set, err := c.rulesOfDefaultRole(ctx, role)
	if err != nil {
		return 0, err
	}
	c.identities.put(Identity{Actor: access.Actor{Kind: access.Container, ID: id, Rules: set}}, age)
	return set, nil
}

func (c *Core) rulesOfDefaultRole(ctx context.Context, name string) (access.Set, error) {
	set, err := rules(c.db.RulesOfDefaultRole(ctx, &name))
	if err != nil {
		return 0, fmt.Errorf("reading the rules of role %s: %w", name, err)
	}
	return set, nil
}

// rules makes a set of rows that name rules.
func rules[R ~struct{ Name, Scope, Operation string }](rows []R, err error) (access.Set, error) {
	var set access.Set
	for _, r := range rows {
		t := struct{ Name, Scope, Operation string }(r)
		set |= access.Of(access.Number(t.Name, t.Scope, t.Operation))
	}
	return set, err
}

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// identityCache keeps the identities of the callers of late, until any right changes.
type identityCache struct {
	mu  sync.RWMutex
	by  map[int64]Identity
	age uint64 // rises whenever everything is forgotten
}

// maxIdentities is how many identities are kept; past that the cache starts anew.
const maxIdentities = 50_000

func newIdentityCache() *identityCache { return &identityCache{by: map[int64]Identity{}} }

// get returns what is kept, or a zero Identity, and the age to hand to put.
func (a *identityCache) get(id int64) (Identity, uint64) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.by[id], a.age
}

// put keeps an identity that was read since age, unless rights changed meanwhile.
func (a *identityCache) put(who Identity, age uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.age != age {
		return
	}
	if len(a.by) >= maxIdentities {
		clear(a.by)
	}
	a.by[who.ID] = who
}

func (a *identityCache) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.age++
	clear(a.by)
}
