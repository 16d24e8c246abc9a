package core

import (
	"context"
	"fmt"
	"slices"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Question is a request of which somebody asks who may make it: what its route is for and
// requires, and the numbers in its path, in their order.
type Question struct {
	Callers access.Kind // 0: everybody, without a token
	Pair    access.Pair
	Decide  Decision // nil for routes without a token
	IDs     []int64
}

// Decision judges a caller of a route's kind as its use case does: what is missing, then the
// permissions, then what else is in the way whatever the body says. The error is the fault
// that the request would be answered with.
type Decision func(ctx context.Context, j *Judging) error

// Reach is what a rule reaches on a route that names no object in its path.
type Reach string

// The reaches (/docs/permissions#explain).
const (
	Everywhere         Reach = "everywhere"
	OwnOrganization    Reach = "organization"   // of the caller
	Partners           Reach = "partners"       // the caller's organization, and those that share a collaboration with it
	OwnCollaborations  Reach = "collaborations" // of the caller's organization
	TheirCollaboration Reach = "collaboration"  // in which a node or container works
	TheirRun           Reach = "run"            // of a container
	Itself             Reach = "itself"
)

// Explanation says whether a caller may make a request, and why.
type Explanation struct {
	Caller access.Actor
	// Refusal is what the request would be answered with; nil: the caller may.
	Refusal *fault.Error
	// Checks are the permissions that were asked for, up to the first that is lacking.
	Checks []Check
	// Lacking are rules that the caller has to hold itself, and does not (/docs/permissions#hand-out).
	Lacking []HeldRule
}

// Check is one permission that a request asks for.
type Check struct {
	Pair   access.Pair
	Passed bool
	// Free: no rule is needed, because of what the caller is.
	Free bool
	// Reach is the widest reach of the rules that the caller holds, or of who needs none;
	// empty where the path names the object.
	Reach Reach
	Rules []CheckedRule // that give the permission, with the id of the database
}

// CheckedRule is a rule that gives a permission.
type CheckedRule struct {
	HeldRule
	Suffices     bool  // who holds it and nothing else may
	Reach        Reach // empty where the path names the object
	DefaultRoles []string
}

// HeldRule is a rule, and how the caller holds it.
type HeldRule struct {
	ID     int64
	Rule   access.Rule
	Held   bool
	Direct bool // beside the roles
	Roles  []HeldRole
}

// HeldRole is a role through which a rule is held.
type HeldRole = queries.Role

// Explain says why the caller, or another user that the caller may view, may make a request or
// may not (/docs/permissions#explain). Roles that the caller may not view have no name.
func (c *Core) Explain(ctx context.Context, g access.Grant[access.ViewUsers], user *int64, q Question) (Explanation, error) {
	actor := g.Actor()
	if user != nil && !actor.IsSelf(*user) {
		if _, err := c.visibleUser(ctx, g, *user); err != nil {
			return Explanation{}, err
		}
		who, err := c.Identify(ctx, access.User, *user)
		if err != nil {
			return Explanation{}, err
		}
		actor = who.Actor
	}
	h, err := c.readHoldings(ctx)
	if err != nil {
		return Explanation{}, err
	}
	e, err := c.weigh(ctx, h, actor, q)
	if err != nil || actor.ID == g.Actor().ID {
		return e, err
	}
	return e, c.hideRoles(ctx, g, &e)
}

// hideRoles takes the names off the roles of another user that the caller may not view.
func (c *Core) hideRoles(ctx context.Context, g access.AnyGrant, e *Explanation) error {
	roles, err := access.Suppose(g.Actor(), access.PairOf[access.ViewRoles]())
	if err != nil {
		return err
	}
	hide := func(h *HeldRule) error {
		for i, r := range h.Roles {
			ok, err := c.seesRole(ctx, roles, r)
			if err != nil {
				return err
			}
			if !ok {
				h.Roles[i].Name = nil
			}
		}
		return nil
	}
	for i := range e.Checks {
		for j := range e.Checks[i].Rules {
			if err := hide(&e.Checks[i].Rules[j].HeldRule); err != nil {
				return err
			}
		}
	}
	for i := range e.Lacking {
		if err := hide(&e.Lacking[i]); err != nil {
			return err
		}
	}
	return nil
}

// ExplainUser is Explain about a user by name, for those who hold the database.
func (c *Core) ExplainUser(ctx context.Context, username string, q Question) (Explanation, error) {
	u, err := c.db.GetUserByUsername(ctx, &username)
	if queries.Missing(err) {
		return Explanation{}, fault.New(fault.Missing, "there is no user %s", username)
	}
	if err != nil {
		return Explanation{}, fmt.Errorf("looking for a user: %w", err)
	}
	h, err := c.readHoldings(ctx)
	if err != nil {
		return Explanation{}, err
	}
	who, err := c.readIdentity(ctx, access.User, u.ID)
	if err != nil {
		return Explanation{}, fmt.Errorf("identifying user %s: %w", username, err)
	}
	return c.weigh(ctx, h, who.Actor, q)
}

// Usernames lists all names, for those who hold the database.
func (c *Core) Usernames(ctx context.Context) ([]string, error) {
	rows, err := c.db.ListUsers(ctx, queries.ListUsersParams{Lim: Page{}.limit()})
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	names := make([]string, 0, len(rows))
	for _, r := range rows {
		if r.Username != nil {
			names = append(names, *r.Username)
		}
	}
	return names, nil
}

// WhoMay lists the users, nodes and containers who may make a request, for those who hold the
// database. A container stands for all of its node in the run that the request is about. The
// refusal is what everybody is answered with: that what the path names is not there.
func (c *Core) WhoMay(ctx context.Context, q Question) (list []Explanation, refusal *fault.Error, err error) {
	actors, err := c.everybody(ctx)
	if err != nil {
		return nil, nil, err
	}
	h, err := c.readHoldings(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range actors {
		e, err := c.weigh(ctx, h, a, q)
		switch {
		case err != nil:
			return nil, nil, err
		case e.Refusal == nil:
			list = append(list, e)
		case e.Refusal.Kind == fault.Missing:
			return nil, e.Refusal, nil
		}
	}
	return list, nil, nil
}

// everybody reads the users and nodes with the rules that they hold, and a container of each node.
func (c *Core) everybody(ctx context.Context) ([]access.Actor, error) {
	users, err1 := c.db.ListUsers(ctx, queries.ListUsersParams{Lim: Page{}.limit()})
	nodes, err2 := c.db.ListNodes(ctx, queries.ListNodesParams{Lim: Page{}.limit()})
	if err := firstError(err1, err2); err != nil {
		return nil, fmt.Errorf("listing accounts: %w", err)
	}
	var actors []access.Actor
	for _, u := range users {
		who, err := c.readIdentity(ctx, access.User, u.ID)
		if err != nil {
			return nil, fmt.Errorf("identifying user %d: %w", u.ID, err)
		}
		actors = append(actors, who.Actor)
	}
	inContainers, err := c.rulesOfContainer(ctx)
	if err != nil {
		return nil, err
	}
	var containers []access.Actor
	for _, n := range nodes {
		who, err := c.readIdentity(ctx, access.Node, n.ID)
		if err != nil {
			return nil, fmt.Errorf("identifying node %d: %w", n.ID, err)
		}
		actors = append(actors, who.Actor)
		if a := who.Actor; a.CollaborationID != 0 {
			a.Kind, a.Rules = access.Container, inContainers
			containers = append(containers, a)
		}
	}
	return append(actors, containers...), nil
}

// weigh judges one caller.
func (c *Core) weigh(ctx context.Context, h holdings, a access.Actor, q Question) (Explanation, error) {
	e := Explanation{Caller: a}
	if q.Callers == 0 {
		return e, nil
	}
	if q.Callers&a.Kind == 0 {
		e.Refusal = fault.New(fault.WrongKind, "%ss are not allowed to call this", a.Kind)
		return e, nil
	}
	held, err := c.heldBy(ctx, h, a)
	if err != nil {
		return e, err
	}
	j := &Judging{core: c, actor: a, pair: q.Pair, ids: q.IDs, held: held}
	err = q.Decide(ctx, j)
	if a.Kind == access.Container && a.TaskID == 0 && j.run != 0 {
		// One that stands for all: it works in the run that the request is about.
		a.RunID = j.run
		j = &Judging{core: c, actor: a, pair: q.Pair, ids: q.IDs, held: held}
		err = q.Decide(ctx, j)
	}
	e.Checks, e.Lacking = j.checks, j.lacking
	if refusal, ok := fault.As(err); ok && slices.Contains([]fault.Kind{fault.Denied, fault.Missing, fault.Invalid, fault.WrongKind}, refusal.Kind) {
		e.Refusal = refusal
		return e, nil
	}
	return e, err
}
