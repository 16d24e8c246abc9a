package batch

import (
	"bytes"
	"fmt"
	"slices"

	"vserver/service/access"
)

// plan is the comparison of a file with the database: what has to be made, what is
// there already, what cannot be.
type plan struct {
	file   *File
	world  *world
	digest func(key string) string
	report Report
	faults Faults

	organizations  []*organization // to be made
	supers         []*organization // that lack their role super
	users          []newUser
	collaborations []*collaboration
	nodes          []newNode
}

// newUser is a user to be made with the ids of its roles; super stands for the role
// super of its organization, which may have to be made as well.
type newUser struct {
	*user
	of    *organization
	roles []int64
	super bool
}

// newNode is a node to be made, its organization being a member or becoming one.
type newNode struct {
	*participant
	of *collaboration
}

// compare makes the plan.
func compare(f *File, w *world, digest func(key string) string) *plan {
	p := &plan{file: f, world: w, digest: digest}
	for _, o := range f.organizations {
		p.organization(o)
		p.super(o)
		for _, u := range o.users {
			p.user(o, u)
		}
	}
	known := map[string]bool{}
	for _, o := range f.organizations {
		known[o.name] = true
	}
	for _, c := range f.collaborations {
		p.collaboration(c)
		for _, m := range c.participants {
			if _, there := w.organizations[m.name]; !there && !known[m.name] {
				p.fault(m.line, "there is no organization %s, neither in this file nor in the database", m.name)
				continue
			}
			p.node(c, m)
		}
		p.tasks(c)
	}
	return p
}

func (p *plan) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, Fault{File: p.file.Path, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (p *plan) note(v Verdict, k Kind, line int, name, text string) {
	p.report.Changes = append(p.report.Changes, Change{Verdict: v, Kind: k, Name: name, Line: line, Text: text})
}

// judged notes a row that the database has, with the first thing that differs.
func (p *plan) judged(k Kind, name string, line int, d difference) {
	if d.text == "" {
		p.note(Unchanged, k, line, name, "")
		return
	}
	p.note(Differs, k, d.line, name, d.text)
}

// difference is the first difference between a row and the file.
type difference struct {
	line int
	text string
}

func (d *difference) found(line int, format string, args ...any) {
	if d.text == "" {
		d.line, d.text = line, fmt.Sprintf(format, args...)
	}
}

// field compares a column with a field of the file; one that the file does not have
// is not compared.
func (d *difference) field(name string, stored *string, t text) {
	if !t.given || stored == t.value || stored != nil && t.value != nil && *stored == *t.value {
		return
	}
	d.found(t.line, "%s is %s in the database, %s in the file", name, shown(stored), shown(t.value))
}

func shown(s *string) string {
	if s == nil {
		return "nothing"
	}
	return fmt.Sprintf("%q", *s)
}

func (p *plan) organization(o *organization) {
	id, there := p.world.organizations[o.name]
	if !there {
		p.organizations = append(p.organizations, o)
		p.note(Created, Organization, o.line, o.name, "")
		return
	}
	row := p.world.rows[id]
	var d difference
	d.field("domain", row.Domain, o.domain)
	d.field("address1", row.Address1, o.address1)
	d.field("address2", row.Address2, o.address2)
	d.field("zipcode", row.Zipcode, o.zipcode)
	d.field("country", row.Country, o.country)
	if o.publicKey != nil && !bytes.Equal(o.publicKey, row.PublicKey) {
		d.found(o.keyLine, "public_key is another one in the database")
	}
	p.judged(Organization, o.name, o.line, d)
}

// super compares the role that an import gives to the users of an organization.
func (p *plan) super(o *organization) {
	name := access.RoleSuper + " of " + o.name
	role, there := p.superOf(o)
	if !there {
		p.supers = append(p.supers, o)
		p.note(Created, Role, o.line, name, "")
		return
	}
	var d difference
	if lacks := len(access.Rules) - p.world.rulesOf[role]; lacks > 0 {
		d.found(o.line, "the role lacks %d of the %d rules in the database", lacks, len(access.Rules))
	}
	p.judged(Role, name, o.line, d)
}

func (p *plan) superOf(o *organization) (int64, bool) {
	id, there := p.world.organizations[o.name]
	if !there {
		return 0, false
	}
	role, there := p.world.roles[roleKey{id, access.RoleSuper}]
	return role, there
}

func (p *plan) user(o *organization, u *user) {
	roles, super := p.rolesFor(o, u)
	row, there := p.world.users[u.username]
	if !there {
		if owner, taken := p.world.emails[u.email.orEmpty()]; taken && u.email.value != nil {
			p.fault(u.email.line, "the e-mail address of user %s is that of user %s in the database", u.username, owner)
		}
		p.users = append(p.users, newUser{u, o, roles, super})
		p.note(Created, User, u.line, u.username, "")
		return
	}
	var d difference
	if id, known := p.world.organizations[o.name]; !known || row.OrganizationID == nil || *row.OrganizationID != id {
		d.found(u.line, "the user belongs to another organization in the database")
	}
	d.field("firstname", row.Firstname, u.firstname)
	d.field("lastname", row.Lastname, u.lastname)
	d.field("email", row.Email, u.email)
	if u.otp.given && (u.otp.value == nil) != (row.OtpSecret == nil) || u.otp.value != nil && row.OtpSecret != nil && *u.otp.value != *row.OtpSecret {
		d.found(u.otp.line, "otp_secret is another one in the database")
	}
	p.compareRoles(&d, o, u, roles, super)
	p.judged(User, u.username, u.line, d)
}

// rolesFor finds the roles that a user gets: those of its organization before the
// default ones.
func (p *plan) rolesFor(o *organization, u *user) (ids []int64, super bool) {
	if u.roles == nil {
		return nil, true
	}
	own := p.world.organizations[o.name] // 0 when it is new, then it has none
	for _, r := range u.roles {
		role, there := p.world.roles[roleKey{own, r.name}]
		if !there {
			role, there = p.world.roles[roleKey{0, r.name}]
		}
		switch {
		case r.name == access.RoleSuper:
			super = true
		case !there:
			p.fault(r.line, "organization %s has no role %s, and no default role is called so", o.name, r.name)
		default:
			ids = append(ids, role)
		}
	}
	return ids, super
}

// compareRoles wants exactly the roles that the file names; where it names none, the
// role super and perhaps others.
func (p *plan) compareRoles(d *difference, o *organization, u *user, want []int64, super bool) {
	has := p.world.rolesOf[p.world.users[u.username].ID]
	if super {
		role, there := p.superOf(o)
		if !there || !slices.Contains(has, role) {
			d.found(u.line, "the user lacks the role super in the database")
		}
		want = append(slices.Clone(want), role)
	}
	if u.roles == nil {
		return
	}
	slices.Sort(want)
	if !slices.Equal(has, want) {
		d.found(u.line, "the user has other roles in the database")
	}
}

func (p *plan) collaboration(c *collaboration) {
	row, there := p.world.collaborations[c.name]
	if !there {
		p.collaborations = append(p.collaborations, c)
		p.note(Created, Collaboration, c.line, c.name, "")
		return
	}
	var d difference
	if row.Encrypted != c.encrypted {
		d.found(c.encryptedLine, "encrypted is %t in the database, %t in the file", row.Encrypted, c.encrypted)
	}
	p.judged(Collaboration, c.name, c.line, d)
}

func (p *plan) node(c *collaboration, m *participant) {
	name := nodeName(m.name, c.name)
	at := seat{p.world.organizations[m.name], p.world.collaborations[c.name].ID}
	row, there := p.world.nodes[at]
	if holder, taken := p.world.keys[p.digest(m.key)]; taken && (!there || holder.ID != row.ID) {
		p.fault(m.keyLine, "the api_key of node %s is that of node %s in the database", name, shown(holder.Name))
	}
	if !there {
		p.nodes = append(p.nodes, newNode{m, c})
		p.note(Created, Node, m.line, name, "")
		return
	}
	var d difference
	if row.ApiKey == nil || *row.ApiKey != p.digest(m.key) {
		d.found(m.keyLine, "the node has another api_key in the database")
	}
	if !p.world.members[at] {
		d.found(m.line, "%s is no member of the collaboration in the database", m.name)
	}
	p.judged(Node, name, m.line, d)
}

// tasks are made together with their collaboration, never later.
func (p *plan) tasks(c *collaboration) {
	if _, there := p.world.collaborations[c.name]; there {
		return
	}
	for _, t := range c.images {
		p.note(Created, Task, t.line, t.image+" in "+c.name, "")
		for _, m := range c.participants {
			p.note(Created, Result, t.line, m.name+" for "+t.image+" in "+c.name, "")
		}
	}
}
