package handlers

import (
	"fmt"
	"slices"
	"strings"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

// reasonOf is an explanation in one sentence.
func reasonOf(q inquiry, e core.Explanation) string {
	what := q.method + " " + q.path
	switch {
	case q.Callers == anyone:
		return "Everybody may " + what + ", without a token"
	case e.Refusal == nil:
		return fmt.Sprintf("%s may %s: %s", named(e.Caller), what, throughWhat(e))
	}
	return fmt.Sprintf("%s may not %s: %s", named(e.Caller), what, whyNot(q, e))
}

// named is a caller for people.
func named(a access.Actor) string {
	if a.Kind == access.Container {
		return "A container of the node " + a.Name
	}
	return fmt.Sprintf("The %s %s", a.Kind, a.Name)
}

// throughWhat says by which rules a caller passes, and where.
func throughWhat(e core.Explanation) string {
	var parts []string
	for _, c := range e.Checks {
		part := "no rule is needed"
		switch {
		case c.Pair.Every:
			part = "it holds every rule"
		case !c.Free:
			part = "by " + strings.Join(passedBy(c), ", and ")
		}
		parts = append(parts, part+placed(c.Reach))
	}
	return strings.Join(parts, "; ")
}

// passedBy are the rules by which a caller passes, each with the roles that it comes from.
func passedBy(c core.Check) []string {
	var list []string
	for _, r := range c.Rules {
		if r.Held && r.Suffices {
			list = append(list, ruleWithID(r.HeldRule)+from(r.HeldRule))
		}
	}
	return list
}

func ruleWithID(r core.HeldRule) string { return fmt.Sprintf("%s (rule %d)", ruleName(r.Rule), r.ID) }

// from says how a rule is held.
func from(r core.HeldRule) string {
	var list []string
	for _, role := range r.Roles {
		name := fmt.Sprint(role.ID)
		if role.Name != nil {
			name = *role.Name
		}
		list = append(list, "of the role "+name)
	}
	if r.Direct {
		list = append(list, "given directly")
	}
	if list == nil {
		return ""
	}
	return " " + strings.Join(list, " and ")
}

// placed says where a caller may do what names no object in its path.
func placed(r core.Reach) string {
	switch r {
	case core.Everywhere:
		return ", everywhere"
	case core.OwnOrganization:
		return ", for its own organization"
	case core.Partners:
		return ", for its own organization and those that share a collaboration with it"
	case core.OwnCollaborations:
		return ", in the collaborations of its organization"
	case core.TheirCollaboration:
		return ", in the collaboration that it works in"
	case core.TheirRun:
		return ", in the run that it works in"
	case core.Itself:
		return ", for what is its own"
	}
	return ""
}

// whyNot says what a caller lacks.
func whyNot(q inquiry, e core.Explanation) string {
	switch {
	case e.Refusal.Kind == fault.WrongKind:
		return "the route is for " + callersOf(q.Callers) + " only"
	case q.Pair.Every:
		return fmt.Sprintf("that takes every rule, and of the %d rules it lacks %d", len(access.Rules), len(e.Lacking))
	case e.Lacking != nil:
		var list []string
		for _, r := range e.Lacking {
			list = append(list, ruleWithID(r))
		}
		return "rules that are handed out or taken away have to be held, and these are not: " + strings.Join(list, ", ")
	case e.Refusal.Kind != fault.Denied:
		return e.Refusal.Msg
	}
	lacking := e.Checks[slices.IndexFunc(e.Checks, func(c core.Check) bool { return !c.Passed })]
	var list []string
	for _, r := range lacking.Rules {
		if r.Suffices {
			list = append(list, fmt.Sprintf("%s (rule %d%s)%s", ruleName(r.Rule), r.ID, inRoles(r.DefaultRoles), placed(r.Reach)))
		}
	}
	if list == nil {
		return fmt.Sprintf("it is out of reach of a %s, whatever its rules", e.Caller.Kind)
	}
	return "that takes " + strings.Join(list, ", or ")
}

// inRoles names the default roles that have a rule.
func inRoles(names []string) string {
	switch len(names) {
	case 0:
		return ", of no default role"
	case 1:
		return ", of the default role " + names[0]
	}
	return ", of the default roles " + strings.Join(names, ", ")
}
