package access

import (
	"strings"

	"vserver/service/fault"
)

// Kind is one of the three kinds of callers.
type Kind uint8

// The kinds; a route's row names those it is for.
const (
	User Kind = 1 << iota
	Node
	Container
)

// String returns the kind as `client_type` of a token.
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

// BelongsTo reports whether an organization is the actor's own; nil is nobody's.
func (a Actor) BelongsTo(organization *int64) bool {
	return organization != nil && *organization != 0 && *organization == a.OrganizationID
}

// IsSelf reports whether an account is the actor's own. Containers have none.
func (a Actor) IsSelf(account int64) bool { return a.Kind != Container && a.ID == account }

// WorksIn reports whether a node or container works in a collaboration; nil is none.
func (a Actor) WorksIn(collaboration *int64) bool {
	return collaboration != nil && *collaboration != 0 && *collaboration == a.CollaborationID
}

// WorksFor reports whether something for an organization in a collaboration is for the
// node to do.
func (a Actor) WorksFor(organization, collaboration *int64) bool {
	return a.BelongsTo(organization) && a.WorksIn(collaboration)
}

// MayContinue reports whether a container may make tasks of this image in this
// collaboration: only of its own, in its own (/docs/security#t08).
func (a Actor) MayContinue(image string, collaboration *int64) bool {
	return a.Kind == Container && image == a.Image && a.WorksIn(collaboration)
}

// MustHold is the "own what you hand out" check of /docs/permissions#hand-out: the
// first rule of the set that the actor lacks becomes the fault.
func (a Actor) MustHold(s Set) error {
	if r, lacks := a.Rules.Lacks(s); lacks {
		return fault.New(fault.Denied, "%s", NotHeld(r))
	}
	return nil
}

// NotHeld is the text about a rule that the actor lacks (/docs/permissions#hand-out).
func NotHeld(r Rule) string {
	return "You don't have the rule (" + string(r.Resource) + ", Scope." + r.Scope.String() +
		", Operation." + r.Operation.String() + ")"
}
