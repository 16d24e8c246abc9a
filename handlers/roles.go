package handlers

import (
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) roleRoutes() []route {
	return []route{
		{method: "GET", path: "/role", who: access.User, judges: core.ListsRoles, endpoint: requires[access.ViewRoles](s.handleListRoles)},
		{method: "POST", path: "/role", who: access.User, once: true, judges: core.CreatesForOrganization, endpoint: requires[access.CreateRoles](s.handleCreateRole)},
		{method: "GET", path: "/role/:id", who: access.User, judges: core.ViewsRole, endpoint: requires[access.ViewRoles](s.handleGetRole)},
		{method: "PATCH", path: "/role/:id", who: access.User, once: true, judges: core.ChangesRole, endpoint: requires[access.EditRoles](s.handleChangeRole)},
		{method: "DELETE", path: "/role/:id", who: access.User, once: true, judges: core.DeletesRole, endpoint: requires[access.DeleteRoles](s.handleDeleteRole)},
		{method: "GET", path: "/role/:id/rule", who: access.User, judges: core.ViewsRole, endpoint: requires[access.ViewRoles](s.handleListRulesOfRole)},
		{method: "POST", path: "/role/:id/rule/:rule_id", who: access.User, once: true, judges: core.AddsRuleToRole, endpoint: requires[access.EditRoles](s.handleAddRuleToRole)},
		{method: "DELETE", path: "/role/:id/rule/:rule_id", who: access.User, once: true, judges: core.RemovesRuleFromRole, endpoint: requires[access.DeleteRoles](s.handleRemoveRuleFromRole)},
	}
}

// roleJSON is a role on the wire (/docs/roles#object).
type roleJSON struct {
	ID           int64   `json:"id"`
	Name         *string `json:"name"`
	Description  *string `json:"description"`
	Organization *link   `json:"organization"` // null: a default role
	Rules        []link  `json:"rules"`
	Users        []link  `json:"users"`
}

func (s *Server) roleJSON(r core.Role) roleJSON {
	return roleJSON{
		ID: r.ID, Name: r.Name, Description: r.Description, Organization: s.link("organization", r.OrganizationID),
		Rules: s.links("rule", r.Rules), Users: s.links("user", r.Users),
	}
}

func (s *Server) handleListRoles(k *call, g access.Grant[access.ViewRoles]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.RoleFilter{
		Names: f.texts("name"), Descriptions: f.texts("description"), OrganizationIDs: f.ids("organization_id"),
		WithDefaults: f.flag("include_root"), RuleID: f.id("rule_id"), UserID: f.id("user_id"),
	}
	if f.err() != nil {
		return f.err()
	}
	rows, total, err := s.core.Roles(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.roleJSON), total)
}

func (s *Server) handleGetRole(k *call, g access.Grant[access.ViewRoles]) error {
	r, err := s.core.Role(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.roleJSON(r))
}

func (s *Server) handleCreateRole(k *call, g access.Grant[access.CreateRoles]) error {
	b, err := k.parserBody()
	if err != nil {
		return err
	}
	var f core.RoleFields
	b.need("name")
	f.Name = b.name("name")
	b.need("description")
	f.Description = b.text("description", longText)
	f.Rules, f.OrganizationID = b.ids("rules"), b.integer("organization_id")
	if b.err() != nil {
		return b.err()
	}
	r, err := s.core.CreateRole(k.ctx, g, f)
	if err != nil {
		return err
	}
	return k.reply(http.StatusCreated, s.roleJSON(r))
}

func (s *Server) handleChangeRole(k *call, g access.Grant[access.EditRoles]) error {
	in := sent(k.body, func(b *body) core.RoleFields {
		return core.RoleFields{Name: b.short("name"), Description: b.text("description", longText), Rules: b.ids("rules")}
	})
	r, err := s.core.ChangeRole(k.ctx, g, k.id("id"), in)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.roleJSON(r))
}

func (s *Server) handleDeleteRole(k *call, g access.Grant[access.DeleteRoles]) error {
	if err := s.core.DeleteRole(k.ctx, g, k.id("id")); err != nil {
		return err
	}
	return k.say("Role removed from the database.")
}

func (s *Server) handleListRulesOfRole(k *call, g access.Grant[access.ViewRoles]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	rows, total, err := s.core.RulesOfRole(k.ctx, g, k.id("id"), p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.ruleJSON), total)
}

func (s *Server) handleAddRuleToRole(k *call, g access.Grant[access.EditRoles]) error {
	if err := s.core.AddRuleToRole(k.ctx, g, k.id("id"), k.id("rule_id")); err != nil {
		return err
	}
	return k.reply(http.StatusCreated, struct{}{})
}

func (s *Server) handleRemoveRuleFromRole(k *call, g access.Grant[access.DeleteRoles]) error {
	if err := s.core.RemoveRuleFromRole(k.ctx, g, k.id("id"), k.id("rule_id")); err != nil {
		return err
	}
	return k.reply(http.StatusOK, struct{}{})
}
