package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Judging is one caller in front of a Decision, with what it asked for so far.
type Judging struct {
	core    *Core
	actor   access.Actor
	pair    access.Pair
	ids     []int64
	held    held
	run     int64 // of the object, once it was looked up
	checks  []Check
	lacking []HeldRule
}

// may asks for the permission of the route. The test says whether a grant, which may be held
// in any scopes, is enough.
func (j *Judging) may(test func(g access.AnyGrant) (bool, error)) error {
	return j.mayAlso(j.pair, test)
}

// mayAlso is may for another permission.
func (j *Judging) mayAlso(pair access.Pair, test func(g access.AnyGrant) (bool, error)) error {
	passes := func(set access.Set) (bool, error) {
		a := j.actor
		a.Rules = set
		g, err := access.Suppose(a, pair)
		if err != nil {
			return false, err
		}
		ok, err := test(g)
		if fault.Is(err, fault.Denied) {
			return false, nil
		}
		return ok, err
	}
	passed, err1 := passes(j.actor.Rules)
	free, err2 := passes(0)
	if err := firstError(err1, err2); err != nil {
		return err
	}
	check := Check{Pair: pair, Passed: passed, Free: free}
	for _, r := range pair.Rules() {
		rule := CheckedRule{HeldRule: j.held.of(r), DefaultRoles: j.held.defaultRolesWith(r)}
		var err error
		if rule.Suffices, err = passes(access.Of(r.ID)); err != nil {
			return err
		}
		check.Rules = append(check.Rules, rule)
	}
	j.checks = append(j.checks, check)
	if !passed {
		return fault.Deny()
	}
	return nil
}

// reaches asks for the permission of a route whose path names no object: each scope that the
// route accepts has its reach. The widest comes first.
func (j *Judging) reaches(list ...reaching) error {
	accepted := func(s access.Scope) Reach {
		for _, r := range list {
			if r.scope == s {
				return r.reach
			}
		}
		return ""
	}
	err := j.may(func(g access.AnyGrant) (bool, error) {
		for _, r := range list {
			if g.Has(r.scope) {
				return true, nil
			}
		}
		return false, nil
	})
	check := &j.checks[len(j.checks)-1]
	for i := range check.Rules {
		check.Rules[i].Reach = accepted(check.Rules[i].Rule.Scope)
	}
	for _, r := range list {
		if check.Reach == "" && j.actor.Rules.Has(check.Pair.Resource, r.scope, check.Pair.Operation) {
			check.Reach = r.reach
		}
	}
	return err
}

// reaching is a scope that a route accepts.
type reaching struct {
	scope access.Scope
	reach Reach
}

// free lets the caller pass without any rule.
func (j *Judging) free(reach Reach) error {
	j.checks = append(j.checks, Check{Pair: j.pair, Passed: true, Free: true, Reach: reach})
	return nil
}

// holdsAll asks the caller to hold rules itself (/docs/permissions#hand-out).
func (j *Judging) holdsAll(set access.Set) error {
	for i, r := range access.Rules {
		if set&access.Of(int64(i+1)) != 0 && !j.actor.Rules.Has(r.Resource, r.Scope, r.Operation) {
			j.lacking = append(j.lacking, j.held.of(r))
		}
	}
	return j.actor.MustHold(set)
}

// exists reads the object of the path, which is the n-th one; text is the fault when it is
// not there.
func exists[R any](ctx context.Context, j *Judging, n int, text string, read func(context.Context, int64) (R, error)) (R, error) {
	row, err := read(ctx, j.ids[n])
	if queries.Missing(err) {
		return row, fault.New(fault.Missing, text, j.ids[n])
	}
	if err != nil {
		return row, fmt.Errorf("reading what a path names: %w", err)
	}
	return row, nil
}
