package handlers

import (
	"context"
	"fmt"

	"vserver/service/access"
	"vserver/service/core"
)

// Explained is an explanation on the wire, and what commands print
// (/docs/permissions#explain).
type Explained struct {
	Method  string          `json:"method"`
	Path    string          `json:"path"`
	Route   string          `json:"route"`
	Caller  ExplainedCaller `json:"caller"`
	Allowed bool            `json:"allowed"`
	Status  *int            `json:"status"` // of the refusal
	Reason  string          `json:"reason"`
	Checks  []checkJSON     `json:"checks"`
	Lacking []heldRuleJSON  `json:"lacking"`
}

// ExplainedCaller is whom an explanation is about. A container has the id and name of its node.
type ExplainedCaller struct {
	Type string `json:"type"`
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// checkJSON is a permission that a request asks for.
type checkJSON struct {
	Resource  string            `json:"resource"`
	Operation string            `json:"operation"`
	Passed    bool              `json:"passed"`
	NeedsRule bool              `json:"needs_rule"`
	Reach     *string           `json:"reach"`
	Rules     []checkedRuleJSON `json:"rules"`
}

// checkedRuleJSON is a rule that gives the permission.
type checkedRuleJSON struct {
	heldRuleJSON
	Suffices     bool     `json:"suffices"`
	Reach        *string  `json:"reach"`
	DefaultRoles []string `json:"default_roles"`
}

// heldRuleJSON is a rule, and how the caller holds it.
type heldRuleJSON struct {
	ID        int64          `json:"id"`
	Resource  string         `json:"resource"`
	Scope     string         `json:"scope"`
	Operation string         `json:"operation"`
	Held      bool           `json:"held"`
	Direct    bool           `json:"direct"`
	Roles     []heldRoleJSON `json:"roles"`
}

// heldRoleJSON is a role through which a rule is held; without a name when who asks may not
// view it.
type heldRoleJSON struct {
	ID   int64   `json:"id"`
	Name *string `json:"name"`
}

func explained(q inquiry, e core.Explanation) Explained {
	j := Explained{
		Method: q.method, Path: q.path, Route: pattern(q.route.path), Allowed: e.Refusal == nil, Reason: reasonOf(q, e),
		Caller: ExplainedCaller{Type: e.Caller.Kind.String(), ID: e.Caller.ID, Name: e.Caller.Name},
		Checks: each(e.Checks, toCheckJSON), Lacking: each(e.Lacking, toHeldRuleJSON),
	}
	if e.Refusal != nil {
		status := statusOf(e.Refusal.Kind)
		j.Status = &status
	}
	return j
}

func toCheckJSON(c core.Check) checkJSON {
	return checkJSON{
		Resource: string(c.Pair.Resource), Operation: operationOf(c.Pair), Passed: c.Passed, NeedsRule: !c.Free, Reach: reachJSON(c.Reach),
		Rules: each(c.Rules, func(r core.CheckedRule) checkedRuleJSON {
			return checkedRuleJSON{heldRuleJSON: toHeldRuleJSON(r.HeldRule), Suffices: r.Suffices, Reach: reachJSON(r.Reach), DefaultRoles: r.DefaultRoles}
		}),
	}
}

// operationOf is empty for what callers may by being what they are.
func operationOf(p access.Pair) string {
	if p.Resource == "" {
		return ""
	}
	return p.Operation.String()
}

func reachJSON(r core.Reach) *string {
	if r == "" {
		return nil
	}
	s := string(r)
	return &s
}

func toHeldRuleJSON(r core.HeldRule) heldRuleJSON {
	return heldRuleJSON{
		ID: r.ID, Resource: string(r.Rule.Resource), Scope: r.Rule.Scope.String(), Operation: r.Rule.Operation.String(),
		Held: r.Held, Direct: r.Direct,
		Roles: each(r.Roles, func(o core.HeldRole) heldRoleJSON { return heldRoleJSON{ID: o.ID, Name: o.Name} }),
	}
}

// Holders are those who may make a request.
type Holders struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Route  string `json:"route"`
	// Everybody: the route takes no token.
	Everybody bool `json:"everybody"`
	// Status and Reason of what everybody is answered with: what the path names is not there.
	Status  *int          `json:"status"`
	Reason  string        `json:"reason"`
	Callers []holdersJSON `json:"callers"`
}

// holdersJSON is one of them, with the sentence that says through what.
type holdersJSON struct {
	ExplainedCaller
	Through string `json:"through"`
}

// ExplainRequest says for who holds the database why a user may make a request or may not.
func ExplainRequest(ctx context.Context, c *core.Core, apiPath, username, method, path string) (Explained, error) {
	q, err := ask(apiPath, method, path)
	if err != nil {
		return Explained{}, err
	}
	e, err := c.ExplainUser(ctx, username, q.Question)
	if err != nil {
		return Explained{}, err
	}
	return explained(q, e), nil
}

// ListHolders lists for who holds the database those who may make a request.
func ListHolders(ctx context.Context, c *core.Core, apiPath, method, path string) (Holders, error) {
	q, err := ask(apiPath, method, path)
	if err != nil {
		return Holders{}, err
	}
	h := Holders{Method: q.method, Path: q.path, Route: pattern(q.route.path), Everybody: q.Callers == anyone, Callers: []holdersJSON{}}
	if h.Everybody {
		h.Reason = reasonOf(q, core.Explanation{})
		return h, nil
	}
	list, refusal, err := c.WhoMay(ctx, q.Question)
	if err != nil {
		return h, err
	}
	if refusal != nil {
		status := statusOf(refusal.Kind)
		h.Status, h.Reason = &status, refusal.Msg
		return h, nil //nolint:nilerr // the refusal is the answer
	}
	for _, e := range list {
		h.Callers = append(h.Callers, holdersJSON{
			ExplainedCaller: ExplainedCaller{Type: e.Caller.Kind.String(), ID: e.Caller.ID, Name: e.Caller.Name}, Through: throughWhat(e),
		})
	}
	h.Reason = fmt.Sprintf("%d callers may %s %s", len(list), q.method, q.path)
	return h, nil
}
