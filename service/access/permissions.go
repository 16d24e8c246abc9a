package access

import "vserver/service/fault"

// Permission is what a grant is for, as a type: the compiler then refuses a grant of
// one permission where another one is asked for.
type Permission interface {
	pair() Pair
}

// Pair is what a permission asks for.
type Pair struct {
	Resource  Resource
	Operation Operation
	// Only are the kinds of callers that may have it at all; 0: every kind.
	Only Kind
	// Every: it takes every rule there is, and is then held everywhere.
	Every bool
}

// isFor refuses callers of a kind that cannot have the permission.
func (p Pair) isFor(k Kind) error {
	if p.Only != 0 && p.Only != k {
		return fault.New(fault.WrongKind, "only a %s may do this", p.Only)
	}
	return nil
}

// Rules lists the rules that give the permission, each in its scope; none for those that
// callers have by being what they are.
func (p Pair) Rules() []Rule {
	var list []Rule
	for _, r := range Rules {
		if r.Resource == p.Resource && r.Operation == p.Operation {
			list = append(list, r)
		}
	}
	return list
}

// The permissions that rules give.
type (
	ViewNodes            struct{}
	EditNodes            struct{}
	CreateNodes          struct{}
	DeleteNodes          struct{}
	ViewCollaborations   struct{}
	EditCollaborations   struct{}
	CreateCollaborations struct{}
	DeleteCollaborations struct{}
	ViewOrganizations    struct{}
	EditOrganizations    struct{}
	CreateOrganizations  struct{}
	ViewTasks            struct{}
	CreateTasks          struct{}
	DeleteTasks          struct{}
	ViewResults          struct{}
	ViewUsers            struct{}
	EditUsers            struct{}
	CreateUsers          struct{}
	DeleteUsers          struct{}
	ViewRoles            struct{}
	EditRoles            struct{}
	CreateRoles          struct{}
	DeleteRoles          struct{}
	ViewPorts            struct{}
	CreateEvents         struct{}
)

// The permissions that every user and every node has by being what it is. What they
// reach is the caller's own, and what all callers of its kind may see.
type (
	UserItself struct{}
	NodeItself struct{}
)

func (ViewNodes) pair() Pair            { return Pair{Resource: Nodes, Operation: View} }
func (EditNodes) pair() Pair            { return Pair{Resource: Nodes, Operation: Edit} }
func (CreateNodes) pair() Pair          { return Pair{Resource: Nodes, Operation: Create} }
func (DeleteNodes) pair() Pair          { return Pair{Resource: Nodes, Operation: Delete} }
func (ViewCollaborations) pair() Pair   { return Pair{Resource: Collaborations, Operation: View} }
func (EditCollaborations) pair() Pair   { return Pair{Resource: Collaborations, Operation: Edit} }
func (CreateCollaborations) pair() Pair { return Pair{Resource: Collaborations, Operation: Create} }
func (DeleteCollaborations) pair() Pair { return Pair{Resource: Collaborations, Operation: Delete} }
func (ViewOrganizations) pair() Pair    { return Pair{Resource: Organizations, Operation: View} }
func (EditOrganizations) pair() Pair    { return Pair{Resource: Organizations, Operation: Edit} }
func (CreateOrganizations) pair() Pair  { return Pair{Resource: Organizations, Operation: Create} }
func (ViewTasks) pair() Pair            { return Pair{Resource: Tasks, Operation: View} }
func (CreateTasks) pair() Pair          { return Pair{Resource: Tasks, Operation: Create} }
func (DeleteTasks) pair() Pair          { return Pair{Resource: Tasks, Operation: Delete} }
func (ViewResults) pair() Pair          { return Pair{Resource: Results, Operation: View} }
func (ViewUsers) pair() Pair            { return Pair{Resource: Users, Operation: View} }
func (EditUsers) pair() Pair            { return Pair{Resource: Users, Operation: Edit} }
func (CreateUsers) pair() Pair          { return Pair{Resource: Users, Operation: Create} }
func (DeleteUsers) pair() Pair          { return Pair{Resource: Users, Operation: Delete} }
func (ViewRoles) pair() Pair            { return Pair{Resource: Roles, Operation: View} }
func (EditRoles) pair() Pair            { return Pair{Resource: Roles, Operation: Edit} }
func (CreateRoles) pair() Pair          { return Pair{Resource: Roles, Operation: Create} }
func (DeleteRoles) pair() Pair          { return Pair{Resource: Roles, Operation: Delete} }
func (ViewPorts) pair() Pair            { return Pair{Resource: Ports, Operation: View} }
func (CreateEvents) pair() Pair         { return Pair{Resource: Events, Operation: Create} }

// OperateServer is the permission to look after the server itself: nobody has more rights
// than who holds every rule, so that it needs none of its own (/docs/server#who).
type OperateServer struct{}

func (OperateServer) pair() Pair { return Pair{Only: User, Every: true} }

func (UserItself) pair() Pair { return Pair{Only: User} }
func (NodeItself) pair() Pair { return Pair{Only: Node} }

// embeddable are the permissions to view what replies show within rows of another
// resource; what a lock of an account is made of shows to who may edit the account.
type embeddable interface {
	ViewNodes | ViewOrganizations | ViewCollaborations | ViewTasks | ViewResults | ViewUsers | EditUsers
	Permission
}

// PairOf returns what a permission asks for.
func PairOf[P Permission]() Pair {
	var p P
	return p.pair()
}
