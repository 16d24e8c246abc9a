package access

// Role is a default role: one that belongs to no organization.
type Role struct {
	Name        string
	Description string
	Rules       Set
	// Fixed roles get rules that they lack at every start; the others are made
	// when missing and then left to the administrator (/docs/tokens#first-user).
	Fixed bool
}

// The names that code asks for.
const (
	RoleRoot      = "Root"
	RoleContainer = "container"
	RoleNode      = "node"
	// RoleSuper is the role that an import gives to all its users.
	RoleSuper = "super"
)

// DefaultRoles lists the roles in the order of their ids in a fresh database
// (/docs/permissions#roles). Those that administrators hand out say what they manage:
// clients find them by that word.
func DefaultRoles() []Role {
	viewer := Of(2, 10, 15, 16, 21, 27, 29, 34, 37, 39, 47, 48)
	researcher := viewer | Of(23, 25)
	organizationAdmin := researcher | Of(4, 6, 18, 31, 33, 36, 41, 43, 45, 51)
	collaborationAdmin := organizationAdmin | Of(1, 5, 7, 9, 11, 14, 17, 28, 30, 32, 38, 49, 52)
	return []Role{
		{RoleRoot, "Holds every rule", All, true},
		{RoleContainer, "What a running algorithm may do", Of(2, 10, 15, 16, 21, 27, 47), true},
		{RoleNode, "What a node may do", Of(2, 4, 10, 15, 16, 18, 21, 27, 47), true},
		{"Viewer", "Manages their own account and sees what belongs to their organization", viewer, false},
		{"Researcher", "Sends and deletes tasks, manages their own account and sees what belongs to their organization", researcher, false},
		{"Organization Admin", "Manages the organization with its users, roles and nodes, besides what a researcher does", organizationAdmin, false},
		{"Collaboration Admin", "Manages collaborations with their organizations, users and nodes, besides what an organization admin does", collaborationAdmin, false},
	}
}

// Reserved reports whether a role name is one of the default roles', which no other
// role may carry (/docs/roles#create). Case matters.
func Reserved(name string) bool {
	for _, r := range DefaultRoles() {
		if r.Name == name {
			return true
		}
	}
	return false
}

// Locked reports whether a default role's rules may not be changed by anyone,
// because nodes, containers or the last administrator would stop working
// (/docs/roles#add-rule).
func Locked(name string) bool {
	return name == RoleRoot || name == RoleContainer || name == RoleNode
}
