package core

import (
	"cmp"
	"context"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// The decisions of routes whose path names no object: what a body or a filter may be about.

// NeedsNoRule is for what every caller of a route's kind may.
func NeedsNoRule(_ context.Context, j *Judging) error { return j.free("") }

// NeedsOwnResult is for what a node writes of the results that are its own
// (/docs/results#change).
func NeedsOwnResult(_ context.Context, j *Judging) error { return j.free(TheirCollaboration) }

// NeedsEveryRule is /docs/server#who.
func NeedsEveryRule(_ context.Context, j *Judging) error {
	j.checks = append(j.checks, Check{Pair: j.pair, Passed: j.actor.Rules == access.All})
	return j.holdsAll(access.All)
}

// CreatesAnywhere is for what only the global rule allows.
func CreatesAnywhere(_ context.Context, j *Judging) error {
	return j.reaches(reaching{access.Global, Everywhere})
}

// CreatesForOrganization is for what is made for an organization, and what is listed by it.
func CreatesForOrganization(_ context.Context, j *Judging) error {
	return j.reaches(reaching{access.Global, Everywhere}, reaching{access.Organization, OwnOrganization})
}

// ListsOrganizations is /docs/organizations#list.
func ListsOrganizations(_ context.Context, j *Judging) error {
	all, partners := Everywhere, Partners
	if j.actor.Kind != access.User {
		all, partners = TheirCollaboration, TheirCollaboration
	}
	return j.reaches(reaching{access.Global, all}, reaching{access.Collaboration, partners}, reaching{access.Organization, OwnOrganization})
}

// ListsCollaborations is /docs/collaborations#list.
func ListsCollaborations(_ context.Context, j *Judging) error {
	return j.reaches(reaching{access.Global, Everywhere}, reaching{access.Organization, OwnCollaborations})
}

// ListsNodes is /docs/nodes#list.
func ListsNodes(ctx context.Context, j *Judging) error {
	all, own := Everywhere, OwnOrganization
	if j.actor.Kind == access.Node {
		all = OwnOrganization
		member, err := j.core.db.IsMember(ctx, j.actor.OrganizationID, j.actor.CollaborationID)
		if err != nil {
			return err
		}
		if !member {
			all, own = Itself, Itself
		}
	}
	return j.reaches(reaching{access.Global, all}, reaching{access.Organization, own})
}

// ListsInCollaborations is for lists of tasks, results and ports (/docs/tasks#see).
func ListsInCollaborations(_ context.Context, j *Judging) error {
	all, own := Everywhere, OwnCollaborations
	switch j.actor.Kind {
	case access.User:
	case access.Node:
		all, own = TheirCollaboration, TheirCollaboration
	case access.Container:
		all, own = TheirRun, TheirRun
	}
	return j.reaches(reaching{access.Global, all}, reaching{access.Organization, own})
}

// ListsRoles is /docs/roles#list: everybody sees the roles that they hold.
func ListsRoles(_ context.Context, j *Judging) error {
	err := j.reaches(reaching{access.Global, Everywhere}, reaching{access.Organization, OwnOrganization})
	if err != nil && !fault.Is(err, fault.Denied) {
		return err
	}
	check := &j.checks[0]
	check.Passed, check.Free, check.Reach = true, true, cmp.Or(check.Reach, Itself)
	return nil
}

// CreatesTasks is /docs/tasks#create and /docs/tasks#subtasks.
func CreatesTasks(_ context.Context, j *Judging) error {
	if j.actor.Kind == access.Container {
		return j.free(TheirRun)
	}
	return j.reaches(reaching{access.Global, OwnCollaborations}, reaching{access.Organization, OwnCollaborations})
}

// KillsTasks is /docs/tasks#kill.
func KillsTasks(_ context.Context, j *Judging) error {
	return j.reaches(reaching{access.Global, Everywhere}, reaching{access.Collaboration, OwnCollaborations}, reaching{access.Organization, OwnCollaborations})
}

// KillsOnNodes is /docs/tasks#kill-node.
func KillsOnNodes(_ context.Context, j *Judging) error {
	return j.reaches(reaching{access.Global, Everywhere}, reaching{access.Collaboration, OwnCollaborations}, reaching{access.Organization, OwnOrganization})
}

// The decisions about an object of the path.

// ViewsOrganization is /docs/organizations#get.
func ViewsOrganization(ctx context.Context, j *Judging) error {
	id, err := j.organization(ctx, "Organization id=%d not found!")
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return j.core.seesOrganization(ctx, g, id) })
}

// ReachesOrganization is for changes of an organization and the lists below it
// (/docs/organizations#change, /docs/organizations#collaborations).
func ReachesOrganization(ctx context.Context, j *Judging) error {
	id, err := j.organization(ctx, "Organization with id=%d not found")
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return g.CoversOrganization(id), nil })
}

func (j *Judging) organization(ctx context.Context, missing string) (int64, error) {
	_, err := exists(ctx, j, 0, missing, j.core.db.GetOrganization)
	return j.ids[0], err
}

// ViewsCollaboration is for a collaboration and, with their permission, its tasks
// (/docs/collaborations#see).
func ViewsCollaboration(ctx context.Context, j *Judging) error {
	if _, err := exists(ctx, j, 0, "collaboration having id=%d not found", j.core.db.GetCollaboration); err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return j.core.seesCollaboration(ctx, g, j.ids[0]) })
}

// ViewsMembers is /docs/collaborations#members.
func ViewsMembers(ctx context.Context, j *Judging) error {
	if err := ViewsCollaboration(ctx, j); err != nil {
		return err
	}
	return j.mayAlso(access.PairOf[access.ViewOrganizations](), func(g access.AnyGrant) (bool, error) {
		_, err := g.OrganizationSight()
		return err == nil, err
	})
}

// ViewsNodesOfCollaboration is /docs/collaborations#nodes.
func ViewsNodesOfCollaboration(ctx context.Context, j *Judging) error {
	if err := ViewsCollaboration(ctx, j); err != nil {
		return err
	}
	return j.mayAlso(access.PairOf[access.ViewNodes](), func(g access.AnyGrant) (bool, error) {
		_, err := g.NodeSight(true)
		return err == nil, err
	})
}

// ChangesCollaboration is for everything that changes one (/docs/collaborations#change).
func ChangesCollaboration(ctx context.Context, j *Judging) error {
	if _, err := exists(ctx, j, 0, noCollaborationToChange, j.core.db.GetCollaboration); err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return g.Has(access.Global), nil })
}

// ViewsNode is /docs/nodes#get.
func ViewsNode(ctx context.Context, j *Judging) error {
	n, err := exists(ctx, j, 0, "Node id=%d is not found!", j.core.db.GetNode)
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) {
		sight, err := j.core.boundsOfNodes(ctx, g)
		return err == nil && sight.Covers(n.ID, n.OrganizationID), err
	})
}

// ChangesNode is /docs/nodes#change and /docs/nodes#delete.
func ChangesNode(ctx context.Context, j *Judging) error {
	n, err := exists(ctx, j, 0, "Node id=%d not found!", j.core.db.GetNode)
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return g.CoversNode(n.ID, n.OrganizationID), nil })
}

// ViewsUser is /docs/users#get.
func ViewsUser(ctx context.Context, j *Judging) error {
	u, err := exists(ctx, j, 0, "user id=%d is not found", j.core.db.GetUser)
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return seesUser(g, u), nil })
}

// ChangesUser is /docs/users#change.
func ChangesUser(ctx context.Context, j *Judging) error {
	_, err := j.coveredUser(ctx)
	return err
}

func (j *Judging) coveredUser(ctx context.Context) (queries.GetUserRow, error) {
	u, err := exists(ctx, j, 0, textNoUser, j.core.db.GetUser)
	if err != nil {
		return u, err
	}
	return u, j.may(func(g access.AnyGrant) (bool, error) { return g.CoversUser(u.ID, u.OrganizationID), nil })
}

// DeletesUser is /docs/users#delete.
func DeletesUser(ctx context.Context, j *Judging) error {
	u, err := j.coveredUser(ctx)
	if err != nil {
		return err
	}
	if !j.actor.IsSelf(u.ID) {
		set, err := rulesHeldBy(ctx, j.core.db.Queries, u.ID)
		if err == nil {
			err = j.holdsAll(set)
		}
		if err != nil {
			return err
		}
	}
	return isNotLastRoot(ctx, j.core.db.Queries, u.ID)
}

// HasUserInCharge is /docs/users#unlock and /docs/users#invite.
func HasUserInCharge(ctx context.Context, j *Judging) error {
	u, err := j.coveredUser(ctx)
	if err != nil {
		return err
	}
	if j.actor.IsSelf(u.ID) {
		return fault.New(fault.Invalid, "This is for other users than oneself")
	}
	set, err := rulesHeldBy(ctx, j.core.db.Queries, u.ID)
	if err != nil {
		return err
	}
	return j.holdsAll(set)
}

// ViewsTask is /docs/tasks#get and, with their permission, its results.
func ViewsTask(ctx context.Context, j *Judging) error {
	t, err := exists(ctx, j, 0, "task id=%d is not found", j.core.db.GetTask)
	if err != nil {
		return err
	}
	return j.within(ctx, t.CollaborationID, t.RunID)
}

func (j *Judging) within(ctx context.Context, collaboration, run *int64) error {
	j.run = value(run)
	return j.may(func(g access.AnyGrant) (bool, error) { return j.core.mayView(ctx, g, collaboration, run) })
}

// DeletesTask is /docs/tasks#delete.
func DeletesTask(ctx context.Context, j *Judging) error {
	t, err := exists(ctx, j, 0, "task id=%d not found", j.core.db.GetTask)
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) {
		err := mustReach(ctx, j.core.db.Queries, g, t.CollaborationID)
		return err == nil, err
	})
}

// ViewsResult is /docs/results#get.
func ViewsResult(ctx context.Context, j *Judging) error {
	r, err := exists(ctx, j, 0, "Result id=%d not found!", j.core.db.GetResult)
	if err != nil {
		return err
	}
	return j.within(ctx, r.Result.CollaborationID, r.RunID)
}

// ChangesResult is /docs/results#change.
func ChangesResult(ctx context.Context, j *Judging) error {
	r, err := exists(ctx, j, 0, "Result id=%d not found!", j.core.db.ResultForPatch)
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return mayWrite(g, r), nil })
}

// ViewsPort is /docs/ports#get.
func ViewsPort(ctx context.Context, j *Judging) error {
	p, err := exists(ctx, j, 0, "Port id=%d not found!", j.core.db.GetPort)
	if err != nil {
		return err
	}
	return j.within(ctx, p.CollaborationID, p.RunID)
}

// ViewsRule is /docs/roles#rule-get.
func ViewsRule(ctx context.Context, j *Judging) error {
	if _, err := exists(ctx, j, 0, textNoRule, j.core.db.GetRule); err != nil {
		return err
	}
	return j.free("")
}

// ViewsRole is /docs/roles#get.
func ViewsRole(ctx context.Context, j *Judging) error {
	r, err := exists(ctx, j, 0, textNoRole, j.core.db.GetRole)
	if err != nil {
		return err
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return j.core.seesRole(ctx, g, r) })
}

// ChangesRole is /docs/roles#change.
func ChangesRole(ctx context.Context, j *Judging) error {
	r, err := exists(ctx, j, 0, textNoRole, j.core.db.GetRole)
	if err != nil {
		return err
	}
	if access.Reserved(value(r.Name)) {
		return defaultRole(r)
	}
	return j.may(func(g access.AnyGrant) (bool, error) { return g.Covers(r.OrganizationID), nil })
}

// DeletesRole is /docs/roles#delete.
func DeletesRole(ctx context.Context, j *Judging) error {
	r, err := exists(ctx, j, 0, textNoRole, j.core.db.GetRole)
	if err != nil {
		return err
	}
	if err := j.may(func(g access.AnyGrant) (bool, error) { return g.Covers(r.OrganizationID), nil }); err != nil {
		return err
	}
	if everybodys(r) && access.Reserved(value(r.Name)) {
		return isDefaultRole(r)
	}
	sets, err := setsOfRoles(ctx, j.core.db.Queries, []int64{r.ID})
	if err != nil {
		return err
	}
	return j.holdsAll(sets[r.ID])
}

// AddsRuleToRole is /docs/roles#add-rule.
func AddsRuleToRole(ctx context.Context, j *Judging) error {
	r, err := exists(ctx, j, 0, "Role id=%d not found!", j.core.db.GetRole)
	if err != nil {
		return err
	}
	if _, err := exists(ctx, j, 1, textNoRule, j.core.db.GetRule); err != nil {
		return err
	}
	if err := j.may(func(g access.AnyGrant) (bool, error) { return g.Covers(r.OrganizationID), nil }); err != nil {
		return err
	}
	if everybodys(r) && access.Locked(value(r.Name)) {
		return defaultRole(r)
	}
	set, err := knownRules(ctx, j.core.db.Queries, j.ids[1:])
	if err != nil {
		return err
	}
	return j.holdsAll(set[j.ids[1]])
}

// RemovesRuleFromRole is /docs/roles#remove-rule.
func RemovesRuleFromRole(ctx context.Context, j *Judging) error {
	if err := AddsRuleToRole(ctx, j); err != nil {
		return err
	}
	rules, err := byOwner(j.core.db.RulesOfRoles(ctx, idSet(j.ids[:1])))
	if err != nil {
		return err
	}
	if len(difference(j.ids[1:], rules[j.ids[0]])) > 0 {
		return fault.New(fault.Missing, textNoRuleInRole, j.ids[1], j.ids[0])
	}
	return nil
}
