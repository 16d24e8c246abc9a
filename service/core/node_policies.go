package core

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// checkPolicies asks what the nodes of the targets shared of their configuration:
// whoever lists allowed users or organizations takes tasks from these only. It is a
// courtesy, the nodes decide for themselves (/docs/nodes#policies).
func (t *Tx) checkPolicies(ctx context.Context, a access.Actor, in NewTask, rows []queries.PoliciesForTaskRow) error {
	target := map[int64]bool{}
	for _, o := range in.Targets {
		target[o.OrganizationID] = true
	}
	allowed := map[int64]bool{} // by node
	for _, p := range rows {
		if !target[p.OrganizationID] {
			continue
		}
		ok, err := t.allows(ctx, a, p)
		if err != nil {
			return err
		}
		allowed[p.NodeID] = allowed[p.NodeID] || ok
	}
	for _, ok := range allowed {
		if !ok {
			return fault.New(fault.Invalid, "Cannot create this task because one of the nodes that you are trying to send this task to "+
				"does not allow you to create tasks.")
		}
	}
	return nil
}

// allows reports whether one line of a policy names the user or the user's
// organization, by id or by name.
func (t *Tx) allows(ctx context.Context, a access.Actor, p queries.PoliciesForTaskRow) (bool, error) {
	v := strings.TrimSpace(value(p.Value))
	id, err := strconv.ParseInt(v, 10, 64)
	switch {
	case value(p.Key) == "allowed_users":
		return err == nil && id == a.ID, nil
	case LooksLikeID(v):
		return err == nil && id == a.OrganizationID, nil
	}
	own, err := t.GetOrganization(ctx, a.OrganizationID)
	if queries.Missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the organization of a user: %w", err)
	}
	return own.Name != nil && *own.Name == value(p.Value), nil
}
