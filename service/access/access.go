// Package access says who may do what: the table of rules, the default roles, and
// the judgement of an actor. It is pure: no HTTP, no SQL, nothing of ours but
// fault. Scopes imply nothing: an actor who holds a rule globally does not hold
// it for the organization (/docs/permissions#rules).
package access

// Resource is the noun that a rule is about.
type Resource string

// The resources (/docs/permissions#table).
const (
	Nodes          Resource = "node"
	Collaborations Resource = "collaboration"
	Organizations  Resource = "organization"
	Tasks          Resource = "task"
	Results        Resource = "result"
	Users          Resource = "user"
	Roles          Resource = "role"
	Ports          Resource = "port"
	Events         Resource = "event"
)

// Scope is how far a rule reaches.
type Scope uint8

// The scopes.
const (
	Own Scope = iota
	Organization
	Collaboration
	Global
)

// String returns the name as it stands on the wire.
func (s Scope) String() string {
	return [...]string{"OWN", "ORGANIZATION", "COLLABORATION", "GLOBAL"}[s]
}

// Operation is what a rule allows.
type Operation uint8

// The operations.
const (
	View Operation = iota
	Edit
	Create
	Delete
)

// String returns the name as it stands on the wire.
func (o Operation) String() string {
	return [...]string{"VIEW", "EDIT", "CREATE", "DELETE"}[o]
}

// Set is a set of rules; bit i stands for Rules[i].
type Set uint64

// Of makes a set from places in Rules counted from 1, which are the ids of a fresh
// database; a number outside the table is left out.
func Of(numbers ...int64) Set {
	var s Set
	for _, n := range numbers {
		if n >= 1 && n <= int64(len(Rules)) {
			s |= 1 << (n - 1)
		}
	}
	return s
}

// All is the set of every rule.
const All Set = 1<<len(Rules) - 1

// Has reports whether the set holds exactly this triple.
func (s Set) Has(r Resource, sc Scope, o Operation) bool {
	for i := range Rules {
		if s&(1<<i) != 0 && Rules[i].Operation == o && Rules[i].Scope == sc && Rules[i].Resource == r {
			return true
		}
	}
	return false
}

// Number finds a triple of wire names in Rules, counted from 1; 0 when there is no
// such rule.
func Number(resource, scope, operation string) int64 {
	for i := range Rules {
		r := &Rules[i]
		if string(r.Resource) == resource && r.Scope.String() == scope && r.Operation.String() == operation {
			return int64(i + 1)
		}
	}
	return 0
}

// Lacks returns the first rule of other, in id order, that s does not hold.
func (s Set) Lacks(other Set) (Rule, bool) {
	for i := range Rules {
		bit := Set(1) << i
		if other&bit != 0 && s&bit == 0 {
			return Rules[i], true
		}
	}
	return Rule{}, false
}
