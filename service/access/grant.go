package access

import "vserver/service/fault"

// Grant is the proof that an actor was judged for the permission P. Only this package
// makes one, and every use case that touches data asks for the one of its permission.
type Grant[P Permission] struct {
	judgement
	_ [0]P // otherwise Go would convert a grant into one of another permission
}

// AnyGrant is a grant of whatever permission, for decisions that are the same for
// several.
type AnyGrant interface {
	Actor() Actor
	Has(s Scope) bool
	Any(scopes ...Scope) bool
	Covers(organization *int64) bool
	CoversOrganization(id int64) bool
	CoversNode(id int64, organization *int64) bool
	CoversUser(id int64, organization *int64) bool
	Sight() (Sight, error)
	OrganizationSight() (OrganizationSight, error)
	NodeSight(member bool) (NodeSight, error)
	judged() judgement
}

// judgement is in which scopes an actor may do something.
type judgement struct {
	actor  Actor
	scopes [Global + 1]bool
	made   bool
}

// Judge finds the scopes in which the actor holds a permission. Only the entrances of
// the server call it, once for each request. A grant without any scope is no error:
// the use case decides what comes first, that the row is missing or that the
// permission is (/docs/permissions#order). The error is that of a permission which
// another kind of caller has.
func Judge[P Permission](a Actor) (Grant[P], error) {
	pair := PairOf[P]()
	if err := pair.isFor(a.Kind); err != nil {
		return Grant[P]{}, err
	}
	return Grant[P]{judgement: judgeFor(a, pair)}, nil
}

func judgeFor(a Actor, p Pair) judgement {
	j := judgement{actor: a, made: true}
	if p.Every {
		j.scopes[Global] = a.Rules == All
		return j
	}
	for s := Own; s <= Global; s++ {
		j.scopes[s] = a.Rules.Has(p.Resource, s, p.Operation)
	}
	return j
}

// Embedded returns the grant for rows of another resource that a reply shows within
// its own: what the caller of g may view of them by themselves.
func Embedded[P embeddable](g AnyGrant) Grant[P] {
	if !g.judged().made {
		return Grant[P]{}
	}
	return Grant[P]{judgement: judgeFor(g.Actor(), PairOf[P]())}
}

func (j judgement) judged() judgement { return j }

// Supposition is what a grant would be. It answers like one, for those who are asked
// what a caller may and why; no use case takes it, and nothing is embedded in it.
type Supposition struct{ judgement }

// Suppose judges an actor like Judge, for a permission that is known by its pair alone.
func Suppose(a Actor, p Pair) (Supposition, error) {
	if err := p.isFor(a.Kind); err != nil {
		return Supposition{}, err
	}
	return Supposition{judgeFor(a, p)}, nil
}

func (Supposition) judged() judgement { return judgement{} }

// Actor returns the caller.
func (j judgement) Actor() Actor { return j.actor }

// Has reports whether the permission is held in exactly this scope.
func (j judgement) Has(s Scope) bool { return j.made && j.scopes[s] }

// Any reports whether the permission is held in one of the scopes.
func (j judgement) Any(scopes ...Scope) bool {
	for _, s := range scopes {
		if j.Has(s) {
			return true
		}
	}
	return false
}

// Covers reports whether the permission holds for what belongs to an organization;
// nil is nobody's.
func (j judgement) Covers(organization *int64) bool {
	return j.Has(Global) || j.Has(Organization) && j.actor.BelongsTo(organization)
}

// CoversOrganization is Covers for what an organization shows of itself: nodes and
// containers see no other than their own, whatever their role says.
func (j judgement) CoversOrganization(id int64) bool {
	if j.actor.Kind == User {
		return j.Covers(&id)
	}
	return j.Any(Global, Organization) && j.actor.BelongsTo(&id)
}

// CoversUser is Covers for a user's account, which may be the caller's own.
func (j judgement) CoversUser(id int64, organization *int64) bool {
	return j.Covers(organization) || j.Has(Own) && j.actor.IsSelf(id)
}

// CoversNode is Covers for a node; a node reaches none but itself (/docs/nodes#change).
func (j judgement) CoversNode(id int64, organization *int64) bool {
	return (j.actor.Kind == User || j.actor.IsSelf(id)) && j.Covers(organization)
}

// MayMoveNode reports whether a node that the grant covers may be brought into another
// collaboration: by a user; and into another organization only everywhere.
func (j judgement) MayMoveNode(toOrganization bool) bool {
	return j.actor.Kind == User && (!toOrganization || j.Has(Global))
}

// Sight bounds the tasks, results and ports, or the collaborations, that a list
// may show; it fills the visibility arguments of a query. A nil field bounds
// nothing.
type Sight struct {
	OrganizationID  *int64 // only collaborations that it is a member of
	CollaborationID *int64 // only this one, for nodes and containers (/docs/permissions#reach)
	RunID           *int64 // only tasks of this run, for containers
}

// Sight returns the bounds of a list for a permission that may be global or of the
// organization; the error is that the permission is missing.
func (j judgement) Sight() (Sight, error) {
	a := j.actor
	switch {
	case j.Has(Global):
		return a.narrowed(Sight{}), nil
	case j.Has(Organization):
		return a.narrowed(Sight{OrganizationID: &a.OrganizationID}), nil
	}
	return Sight{}, fault.Deny()
}

// narrowed keeps nodes and containers within their collaboration, and containers
// within their run, whatever their roles say.
func (a Actor) narrowed(s Sight) Sight {
	if a.Kind == User {
		return s
	}
	s.OrganizationID, s.CollaborationID = &a.OrganizationID, &a.CollaborationID
	if a.Kind == Container {
		s.RunID = &a.RunID
	}
	return s
}

// OrganizationSight bounds the organizations that a caller may view. A nil field
// bounds nothing.
type OrganizationSight struct {
	OnlyID    *int64 // only this one
	PartnerOf *int64 // it, and those that share a collaboration with it
	Within    *int64 // with PartnerOf: only this collaboration counts
}

// OrganizationSight returns the bounds of a list of organizations, narrower for nodes
// and containers (/docs/organizations#see, /docs/permissions#reach); the error is that
// the permission is missing.
func (j judgement) OrganizationSight() (OrganizationSight, error) {
	a := j.actor
	switch {
	case a.Kind == User && j.Has(Global):
		return OrganizationSight{}, nil
	case a.Kind == User && j.Has(Collaboration):
		return OrganizationSight{PartnerOf: &a.OrganizationID}, nil
	case j.Any(Global, Collaboration):
		return OrganizationSight{PartnerOf: &a.OrganizationID, Within: &a.CollaborationID}, nil
	case j.Has(Organization):
		return OrganizationSight{OnlyID: &a.OrganizationID}, nil
	}
	return OrganizationSight{}, fault.Deny()
}

// NodeSight bounds the nodes that a caller may view: those of one organization, or
// one node only. A nil field bounds nothing.
type NodeSight struct{ OwnerID, OnlyID *int64 }

// NodeSight returns the bounds of a list of nodes. A node views those of its
// organization, or only itself when the organization is no member of the node's
// collaboration any more; a container views its node (/docs/nodes#list,
// /docs/permissions#reach). The error is that the permission is missing.
func (j judgement) NodeSight(member bool) (NodeSight, error) {
	a := j.actor
	switch {
	case !j.Any(Global, Organization):
		return NodeSight{}, fault.Deny()
	case a.Kind == Container, a.Kind == Node && !member:
		return NodeSight{OnlyID: &a.ID}, nil
	case a.Kind == User && j.Has(Global):
		return NodeSight{}, nil
	}
	return NodeSight{OwnerID: &a.OrganizationID}, nil
}

// Covers reports whether a node is within the bounds.
func (s NodeSight) Covers(id int64, organization *int64) bool {
	if s.OnlyID != nil && id != *s.OnlyID {
		return false
	}
	return s.OwnerID == nil || organization != nil && *organization == *s.OwnerID
}

// UserSight bounds the users that a caller may view to those of one organization and
// itself (/docs/users#get). Nil bounds nothing, 0 leaves only itself.
func (j judgement) UserSight() *int64 {
	switch {
	case j.Has(Global):
		return nil
	case j.Has(Organization):
		return &j.actor.OrganizationID
	}
	return new(int64)
}
