package batch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/core"
)

// ErrNotAllowed refuses to drop all data (/docs/import#again).
var ErrNotAllowed = errors.New("Cannot drop tables, configuration does not allow this!")

// What undoes the transaction of an import without being a failure.
var (
	errOnlyLooked = errors.New("only looked")
	errLateUser   = errors.New("a user was deleted meanwhile")
)

// Apply adds what the database lacks, in one transaction. Rows that differ, or
// Faults, keep it from changing anything: the report says which. Passwords of users
// that are to be made are hashed before the transaction begins.
func (f *File) Apply(ctx context.Context, c *core.Core, o Options) (Report, error) {
	if o.DropAll && !o.AllowDropAll {
		return Report{}, ErrNotAllowed
	}
	j := &job{file: f, core: c, options: o, hashes: hashes{}, want: f.wanted(c.DigestAPIKey)}
	if err := j.begin(ctx); err != nil {
		return Report{}, err
	}
	p, err := j.look(ctx)
	if err != nil || p.blocked() || o.DryRun || !o.DropAll && p.report.Count(Created, "") == 0 {
		return finish(p, err)
	}
	for {
		if err := j.hashes.hash(ctx, c, p.users, o); err != nil {
			return Report{}, fmt.Errorf("hashing passwords: %w", err)
		}
		if p, err = j.write(ctx); !errors.Is(err, errLateUser) {
			return finish(p, err)
		}
	}
}

func finish(p *plan, err error) (Report, error) {
	if p == nil {
		return Report{}, err
	}
	if err == nil {
		err = p.stuck()
	}
	return p.report, err
}

// stuck returns the faults that keep a plan from being carried out.
func (p *plan) stuck() error {
	if len(p.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(p.faults, func(a, b Fault) int { return a.Line - b.Line })
	return p.faults
}

// blocked reports whether nothing may be written.
func (p *plan) blocked() bool {
	return len(p.faults) > 0 || p.report.Count(Differs, "") > 0
}

// job is one import.
type job struct {
	file     *File
	core     *core.Core
	options  Options
	want     wanted
	hashes   hashes
	rootHash string // of the first user after a drop
}

func (j *job) begin(ctx context.Context) (err error) {
	if j.options.DropAll {
		j.rootHash, err = j.core.HashRootPassword(ctx)
	}
	return err
}

// makePlan makes the plan within a transaction.
func (j *job) makePlan(ctx context.Context, t *core.Tx) (*plan, error) {
	if j.options.DropAll {
		if err := t.Wipe(ctx, j.rootHash); err != nil {
			return nil, err
		}
	}
	w, err := look(ctx, t.Queries, j.want)
	if err == nil {
		err = w.openSecrets(ctx, t, j.file)
	}
	if err != nil {
		return nil, err
	}
	return compare(j.file, w, j.core.DigestAPIKey), nil
}

// look compares without changing anything: what it does is undone.
func (j *job) look(ctx context.Context) (p *plan, err error) {
	err = j.core.Administer(ctx, func(ctx context.Context, t *core.Tx) (err error) {
		if p, err = j.makePlan(ctx, t); err != nil {
			return err
		}
		return errOnlyLooked
	})
	if !errors.Is(err, errOnlyLooked) {
		return nil, err
	}
	return p, nil
}

// write compares anew and carries the plan out, unless something is in its way. It
// fails with errLateUser when the password of a user that has to be made is not
// hashed yet.
func (j *job) write(outer context.Context) (p *plan, err error) {
	err = j.core.Administer(outer, func(ctx context.Context, t *core.Tx) (err error) {
		if p, err = j.makePlan(ctx, t); err != nil {
			return err
		}
		if p.blocked() {
			return errOnlyLooked
		}
		if j.hashes.lacking(p.users) {
			return errLateUser
		}
		return (&writer{plan: p, tx: t, options: j.options, hashes: j.hashes, outer: outer}).all(ctx)
	})
	if errors.Is(err, errOnlyLooked) {
		return p, nil
	}
	return p, err
}

// writer carries out a plan within a transaction.
type writer struct {
	*plan
	tx      *core.Tx
	options Options
	hashes  hashes
	outer   context.Context // of the caller: a transaction that has begun does not end with it
	made    map[string]int64
}

func (w *writer) all(ctx context.Context) error {
	for _, step := range []struct {
		doing string
		do    func(context.Context) error
	}{
		{"creating organizations", w.createOrganizations},
		{"creating roles", w.createRoles},
		{"creating users", w.createUsers},
		{"creating collaborations", w.createCollaborations},
		{"creating nodes", w.createNodes},
		{"creating tasks", w.createTasks},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.doing, err)
		}
	}
	return nil
}

func (w *writer) createOrganizations(ctx context.Context) error {
	for _, o := range w.organizations {
		row := queries.Organization{
			Name: &o.name, Domain: o.domain.value, Address1: o.address1.value, Address2: o.address2.value,
			Zipcode: o.zipcode.value, Country: o.country.value, PublicKey: o.publicKey,
		}
		if err := w.tx.AddOrganization(ctx, &row); err != nil {
			return err
		}
		w.world.organizations[o.name] = row.ID
	}
	return nil
}

// createRoles makes the role super where an organization lacks it.
func (w *writer) createRoles(ctx context.Context) error {
	rules, err := w.tx.AllRules(ctx)
	if err != nil {
		return err
	}
	all := make([]int64, len(rules))
	for i, r := range rules {
		all[i] = r.ID
	}
	name, description := access.RoleSuper, "Super user"
	for _, o := range w.supers {
		organization := w.world.organizations[o.name]
		role := queries.Role{Name: &name, Description: &description, OrganizationID: &organization}
		err := w.tx.AddRole(ctx, &role)
		if err == nil {
			err = w.tx.GrantToRole(ctx, role.ID, all...)
		}
		if err != nil {
			return err
		}
		w.world.roles[roleKey{organization, name}] = role.ID
	}
	return nil
}

func (w *writer) createUsers(ctx context.Context) error {
	done := 0
	for some := range slices.Chunk(w.users, part) {
		if err := w.outer.Err(); err != nil {
			return err
		}
		if err := w.createSomeUsers(ctx, some); err != nil {
			return err
		}
		done += len(some)
		w.options.progress(Writing, done, len(w.users))
	}
	return nil
}

func (w *writer) createSomeUsers(ctx context.Context, some []newUser) error {
	rows := make([]*queries.User, len(some))
	for i, u := range some {
		organization := w.world.organizations[u.of.name]
		rows[i] = &queries.User{
			Username: &u.username, Firstname: u.firstname.value, Lastname: u.lastname.value,
			Email: u.email.value, OrganizationID: &organization,
		}
		if hash, ok := w.hashes[u.username]; ok {
			rows[i].Password = &hash
		}
	}
	if err := w.tx.AddUsers(ctx, rows...); err != nil {
		return err
	}
	var roles []queries.UserRole
	for i, u := range some {
		if u.otp.value != nil {
			if err := w.tx.SetSecondFactor(ctx, rows[i].ID, u.otp.value); err != nil {
				return fmt.Errorf("storing the second factor of user %s: %w", u.username, err)
			}
		}
		has := u.roles
		if u.super {
			has = append(has, w.world.roles[roleKey{*rows[i].OrganizationID, access.RoleSuper}])
		}
		for _, role := range has {
			roles = append(roles, queries.UserRole{UserID: rows[i].ID, RoleID: role})
		}
	}
	return w.tx.Assign(ctx, roles...)
}

func (w *writer) createCollaborations(ctx context.Context) error {
	w.made = map[string]int64{}
	for _, c := range w.collaborations {
		row := queries.Collaboration{Name: &c.name, Encrypted: c.encrypted}
		if err := w.tx.AddCollaboration(ctx, &row); err != nil {
			return err
		}
		w.made[c.name] = row.ID
	}
	return nil
}

// idOf returns the id of a collaboration that is there by now.
func (w *writer) idOf(c *collaboration) int64 {
	if made, ok := w.made[c.name]; ok {
		return made
	}
	return w.world.collaborations[c.name].ID
}

// createNodes makes nodes, and their organizations members.
func (w *writer) createNodes(ctx context.Context) error {
	members := map[int64][]int64{} // by collaboration
	for some := range slices.Chunk(w.nodes, part) {
		rows := make([]*queries.Node, len(some))
		for i, n := range some {
			organization, collaboration := w.world.organizations[n.name], w.idOf(n.of)
			name, key := nodeName(n.name, n.of.name), w.digest(n.key)
			rows[i] = &queries.Node{Name: &name, ApiKey: &key, OrganizationID: &organization, CollaborationID: &collaboration}
			members[collaboration] = append(members[collaboration], organization)
		}
		if err := w.tx.AddNodes(ctx, rows...); err != nil {
			return err
		}
	}
	for _, collaboration := range slices.Sorted(maps.Keys(members)) {
		if err := w.tx.Join(ctx, collaboration, members[collaboration]...); err != nil {
			return err
		}
	}
	return nil
}

// createTasks makes the example tasks of new collaborations (/docs/import#effects):
// each is a run of its own and has a result for every participant.
func (w *writer) createTasks(ctx context.Context) error {
	name, input := "Example task", core.Opaque(base64.StdEncoding.EncodeToString([]byte("something")))
	for _, c := range w.collaborations {
		var targets []core.Target
		for _, m := range c.participants {
			targets = append(targets, core.Target{OrganizationID: w.world.organizations[m.name], Input: core.Short(input)})
		}
		collaboration := w.idOf(c)
		for _, t := range c.images {
			task := queries.Task{
				Name: &name, Image: &t.image, CollaborationID: &collaboration, InitiatorID: &targets[0].OrganizationID, CreatedAt: &w.tx.Now,
			}
			if _, err := w.tx.StartTask(ctx, &task, targets); err != nil {
				return err
			}
		}
	}
	return nil
}
