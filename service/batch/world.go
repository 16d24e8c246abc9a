package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"vserver/queries"
	"vserver/service/access"
)

// world is what the database has of the things that a file names.
type world struct {
	organizations  map[string]int64 // name to id, the lowest of several
	rows           map[int64]queries.Organization
	users          map[string]queries.FindUsersRow
	rolesOf        map[int64][]int64 // of users, ascending
	emails         map[string]string // to the username that has it
	roles          map[roleKey]queries.FindRolesRow
	collaborations map[string]queries.Collaboration
	members        map[seat]bool
	nodes          map[seat]queries.FindNodesRow
	keys           map[string]queries.FindAPIKeysRow // by digest
}

// roleKey names a role within its organization, 0 for default roles.
type roleKey struct {
	organization int64
	name         string
}

// seat is the place of an organization in a collaboration.
type seat struct{ organization, collaboration int64 }

// wanted are the names of a file that the database is asked for, each a set.
type wanted struct {
	organizations, users, emails, roles, collaborations, digests map[string]bool
}

func (f *File) wanted(digest func(key string) string) wanted {
	w := wanted{
		map[string]bool{},
		map[string]bool{},
		map[string]bool{},
		map[string]bool{access.RoleSuper: true},
		map[string]bool{},
		map[string]bool{},
	}
	for _, o := range f.organizations {
		w.organizations[o.name] = true
		for _, u := range o.users {
			w.users[u.username] = true
			if u.email.value != nil {
				w.emails[*u.email.value] = true
			}
			for _, r := range u.roles {
				w.roles[r.name] = true
			}
		}
	}
	for _, c := range f.collaborations {
		w.collaborations[c.name] = true
		for _, p := range c.participants {
			w.organizations[p.name] = true
			w.digests[digest(p.key)] = true
		}
	}
	return w
}

// look reads what the database has of a file's things.
func look(ctx context.Context, q *queries.Queries, want wanted) (*world, error) {
	w := &world{
		organizations: map[string]int64{}, rows: map[int64]queries.Organization{},
		users: map[string]queries.FindUsersRow{}, rolesOf: map[int64][]int64{}, emails: map[string]string{},
		roles: map[roleKey]queries.FindRolesRow{}, collaborations: map[string]queries.Collaboration{},
		members: map[seat]bool{}, nodes: map[seat]queries.FindNodesRow{}, keys: map[string]queries.FindAPIKeysRow{},
	}
	for _, read := range []func() error{
		func() error { return w.lookOrganizations(ctx, q, want) },
		func() error { return w.lookUsers(ctx, q, want) },
		func() error { return w.lookCollaborations(ctx, q, want) },
	} {
		if err := read(); err != nil {
			return nil, fmt.Errorf("comparing with the database: %w", err)
		}
	}
	return w, nil
}

func (w *world) lookOrganizations(ctx context.Context, q *queries.Queries, want wanted) error {
	err := each(ctx, want.organizations, q.FindOrganizations, func(o queries.Organization) {
		if _, lower := w.organizations[*o.Name]; !lower {
			w.organizations[*o.Name] = o.ID
			w.rows[o.ID] = o
		}
	})
	if err != nil {
		return err
	}
	return each(ctx, want.roles, q.FindRoles, func(r queries.FindRolesRow) {
		key := roleKey{name: *r.Name}
		if r.OrganizationID != nil {
			key.organization = *r.OrganizationID
		}
		if _, lower := w.roles[key]; !lower {
			w.roles[key] = r
		}
	})
}

func (w *world) lookUsers(ctx context.Context, q *queries.Queries, want wanted) error {
	ids := map[string]bool{}
	err := each(ctx, want.users, q.FindUsers, func(u queries.FindUsersRow) {
		w.users[*u.Username] = u
		ids[strconv.FormatInt(u.ID, 10)] = true
	})
	if err != nil {
		return err
	}
	err = each(ctx, ids, q.FindRolesOfUsers, func(r queries.FindRolesOfUsersRow) {
		w.rolesOf[r.OwnerID] = append(w.rolesOf[r.OwnerID], r.ID)
	})
	if err != nil {
		return err
	}
	return each(ctx, want.emails, q.FindEmails, func(u queries.FindEmailsRow) {
		w.emails[*u.Email] = ""
		if u.Username != nil {
			w.emails[*u.Email] = *u.Username
		}
	})
}

func (w *world) lookCollaborations(ctx context.Context, q *queries.Queries, want wanted) error {
	ids := map[string]bool{}
	err := each(ctx, want.collaborations, q.FindCollaborations, func(c queries.Collaboration) {
		w.collaborations[*c.Name] = c
		ids[strconv.FormatInt(c.ID, 10)] = true
	})
	if err != nil {
		return err
	}
	err = each(ctx, ids, q.FindMembers, func(m queries.FindMembersRow) {
		w.members[seat{organization: m.ID, collaboration: m.OwnerID}] = true
	})
	if err != nil {
		return err
	}
	err = each(ctx, ids, q.FindNodes, func(n queries.FindNodesRow) {
		if n.OrganizationID != nil {
			w.nodes[seat{*n.OrganizationID, *n.CollaborationID}] = n
		}
	})
	if err != nil {
		return err
	}
	return each(ctx, want.digests, q.FindAPIKeys, func(n queries.FindAPIKeysRow) { w.keys[*n.ApiKey] = n })
}

// part is how many rows one statement takes.
const part = 1000

// each asks for the rows of a set of names, some at a time.
func each[R any](ctx context.Context, names map[string]bool, find func(context.Context, string) ([]R, error), keep func(R)) error {
	var l list
	ask := func() error {
		rows, err := find(ctx, l.take())
		for _, r := range rows {
			keep(r)
		}
		return err
	}
	for name := range names {
		l.add(name, 0)
		if l.members == part {
			if err := ask(); err != nil {
				return err
			}
		}
	}
	if l.members == 0 {
		return nil
	}
	return ask()
}

// list builds a JSON object whose members keep their order.
type list struct {
	text    strings.Builder
	members int
}

// add appends a member; the value has to be one that always encodes.
func (l *list) add(key string, value any) {
	k, _ := json.Marshal(key)
	v, _ := json.Marshal(value)
	l.text.WriteByte("{,"[min(l.members, 1)])
	l.text.Write(k)
	l.text.WriteByte(':')
	l.text.Write(v)
	l.members++
}

// take gives the object and begins a new one.
func (l *list) take() string {
	if l.members == 0 {
		return "{}"
	}
	text := l.text.String() + "}"
	*l = list{}
	return text
}

func id(n int64) string { return strconv.FormatInt(n, 10) }
