package access

// Rule is one permission: an operation on a resource within a scope.
type Rule struct {
	ID          int64 // of a fresh database; scripts of the field hard-code it
	Resource    Resource
	Scope       Scope
	Operation   Operation
	Description string
}

// Rules is the table of all rules in id order (/docs/permissions#table).
var Rules = [...]Rule{
	{1, "node", Global, View, "View any node"},
	{2, "node", Organization, View, "View nodes of your own organization"},
	{3, "node", Global, Edit, "Edit any node"},
	{4, "node", Organization, Edit, "Edit nodes of your own organization"},
	{5, "node", Global, Create, "Create a node for any organization"},
	{6, "node", Organization, Create, "Create a node for your own organization"},
	{7, "node", Global, Delete, "Delete any node"},
	{8, "node", Organization, Delete, "Delete nodes of your own organization"},
	{9, "collaboration", Global, View, "View any collaboration"},
	{10, "collaboration", Organization, View, "View collaborations that your organization takes part in"},
	{11, "collaboration", Global, Edit, "Edit any collaboration"},
	{12, "collaboration", Global, Create, "Create a collaboration"},
	{13, "collaboration", Global, Delete, "Delete any collaboration"},
	{14, "organization", Global, View, "View any organization"},
	{15, "organization", Organization, View, "View your own organization"},
	{16, "organization", Collaboration, View, "View organizations that share a collaboration with yours"},
	{17, "organization", Global, Edit, "Edit any organization"},
	{18, "organization", Organization, Edit, "Edit your own organization"},
	{19, "organization", Global, Create, "Create an organization"},
	{20, "task", Global, View, "View any task"},
	{21, "task", Organization, View, "View tasks in collaborations that your organization takes part in"},
	{22, "task", Global, Create, "Create any task"},
	{23, "task", Organization, Create, "Create tasks in collaborations that your organization takes part in"},
	{24, "task", Global, Delete, "Delete any task"},
	{25, "task", Organization, Delete, "Delete tasks in collaborations that your organization takes part in"},
	{26, "result", Global, View, "View any result"},
	{27, "result", Organization, View, "View results in collaborations that your organization takes part in"},
	{28, "user", Global, View, "View any user"},
	{29, "user", Organization, View, "View users of your own organization"},
	{30, "user", Global, Create, "Create a user for any organization"},
	{31, "user", Organization, Create, "Create a user for your own organization"},
	{32, "user", Global, Edit, "Edit any user"},
	{33, "user", Organization, Edit, "Edit users of your own organization"},
	{34, "user", Own, Edit, "Edit your own account"},
	{35, "user", Global, Delete, "Delete any user"},
	{36, "user", Organization, Delete, "Delete users of your own organization"},
	{37, "user", Own, Delete, "Delete your own account"},
	{38, "role", Global, View, "View any role"},
	{39, "role", Organization, View, "View roles of your own organization"},
	{40, "role", Global, Create, "Create a role for any organization"},
	{41, "role", Organization, Create, "Create a role for your own organization"},
	{42, "role", Global, Edit, "Edit any role"},
	{43, "role", Organization, Edit, "Edit roles of your own organization"},
	{44, "role", Global, Delete, "Delete any role"},
	{45, "role", Organization, Delete, "Delete roles of your own organization"},
	{46, "port", Global, View, "View any port"},
	{47, "port", Organization, View, "View ports in collaborations that your organization takes part in"},
	{48, "event", Organization, View, "Receive live events of your own organization"},
	{49, "event", Collaboration, View, "Receive live events of your collaborations"},
	{50, "event", Global, View, "Receive live events of all collaborations"},
	{51, "event", Organization, Create, "Send live events of your own organization"},
	{52, "event", Collaboration, Create, "Send live events of your collaborations"},
	{53, "event", Global, Create, "Send live events of all collaborations"},
}
