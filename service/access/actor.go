package access

import (
	"strings"

	"vserver/service/fault"
)

// Kind tells the three kinds of callers apart.
type Kind uint8

// The kinds; a route's row names those it is for.
const (
	User Kind = 1 << iota
	Node
	Container
)

// String gives the kind as `client_type` of a token.
func (k Kind) String() string {
	switch k {
	case User:
		return "user"
	case Node:
		return "node"
	case Container:
		return "container"
	}
	return ""
}

// ParseKind reads a `client_type`; 0 for anything else.
func ParseKind(s string) Kind {
	for _, k := range []Kind{User, Node, Container} {
		if strings.EqualFold(s, k.String()) && s == k.String() {
			return k
		}
	}
	return 0
}

// Actor is an authenticated caller with the rules it holds at this moment.
type Actor struct {
	Kind           Kind
	ID             int64 // of the user or node; of a container, that of its node
	Name           string
	OrganizationID int64 // 0: a user without organization
	// Of nodes and containers; 0: a node outside every collaboration.
	CollaborationID int64
	// Of containers: the task it runs, that task's run, and its image.
	TaskID, RunID int64
	Image         string
	Rules         Set
}

// BelongsTo tells whether an organization is the actor's own; nil is nobody's.
func (a Actor) BelongsTo(organization *int64) bool {
	return organization != nil && *organization != 0 && *organization == a.OrganizationID
}

// MustHold is the "own what you hand out" check of contract 10 §7.2: the first rule
// of the set that the actor lacks becomes the fault.
func (a Actor) MustHold(s Set) error {
	if r, lacks := a.Rules.Lacks(s); lacks {
		return fault.New(fault.Denied, "%s", NotHeld(r))
	}
	return nil
}

// NotHeld is the text about a rule that the actor lacks, contract 10 §7.2.
func NotHeld(r Rule) string {
	return "You don't have the rule (" + string(r.Resource) + ", Scope." + r.Scope.String() +
		", Operation." + r.Operation.String() + ")"
}

// Grant is the proof that an actor was judged for an operation on a resource. Only
// Judge makes one, and every use case that touches data asks for one.
type Grant struct {
	actor  Actor
	scopes [Global + 1]bool
	made   bool
}

// Judge finds the scopes in which the actor may do the operation on the resource.
// A grant without any scope is no error: the use case decides what comes first,
// that the row is missing or that the permission is (contract 20 §17 S9).
func Judge(a Actor, r Resource, o Operation) Grant {
	g := Grant{actor: a, made: true}
	for s := Own; s <= Global; s++ {
		g.scopes[s] = a.Rules.Has(r, s, o)
	}
	return g
}

// Actor gives the caller.
func (g Grant) Actor() Actor { return g.actor }

// Has tells whether the rule is held in exactly this scope.
func (g Grant) Has(s Scope) bool { return g.made && g.scopes[s] }

// Any tells whether one of the scopes is held.
func (g Grant) Any(scopes ...Scope) bool {
	for _, s := range scopes {
		if g.Has(s) {
			return true
		}
	}
	return false
}

// Sight bounds the tasks, results and ports, or the collaborations, that a list
// may show; it fills the visibility arguments of a query. A nil field bounds
// nothing.
type Sight struct {
	OrganizationID  *int64 // only collaborations that it is a member of
	CollaborationID *int64 // only this one, for nodes and containers (contract 20 §1.9)
	RunID           *int64 // only tasks of this run, for containers
}

// Sight gives the bounds of a list for a grant that may be global or of the
// organization; the fault is the missing permission.
func (g Grant) Sight() (Sight, error) {
	a := g.actor
	switch {
	case g.Has(Global):
		return a.narrowed(Sight{}), nil
	case g.Has(Organization):
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
