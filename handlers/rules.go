package handlers

import (
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) ruleRoutes() []route {
	return []route{
		{method: "GET", path: "/rule", who: access.User, endpoint: requires[access.UserItself](s.handleListRules)},
		{method: "GET", path: "/rule/:id", who: access.User, judges: core.ViewsRule, endpoint: requires[access.UserItself](s.handleGetRule)},
	}
}

// ruleJSON is a rule on the wire (/docs/roles#rule).
type ruleJSON struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"` // the resource
	Operation   string `json:"operation"`
	Scope       string `json:"scope"`
	Description string `json:"description"`
	Users       []link `json:"users"`
}

func (s *Server) ruleJSON(r core.Rule) ruleJSON {
	return ruleJSON{
		ID: r.ID, Name: r.Name, Operation: r.Operation, Scope: r.Scope, Description: r.Description, Users: s.links("user", r.Users),
	}
}

func (s *Server) handleListRules(k *call, g access.Grant[access.UserItself]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.RuleFilter{Name: f.text("name"), Operation: f.text("operation"), Scope: f.text("scope"), RoleID: f.id("role_id")}
	if f.err() != nil {
		return f.err()
	}
	rows, total, err := s.core.Rules(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.ruleJSON), total)
}

func (s *Server) handleGetRule(k *call, g access.Grant[access.UserItself]) error {
	r, err := s.core.Rule(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.ruleJSON(r))
}
