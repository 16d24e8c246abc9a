package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/core"
)

// world is what the database has of the things that a file names.
type world struct {
	organizations  map[string]int64 // name to id, the lowest of several
	rows           map[int64]queries.Organization
	users          map[string]queries.User
	rolesOf        map[int64][]int64 // of users, ascending
	emails         map[string]string // to the username that has it
	roles          map[roleKey]int64
	rulesOf        map[int64]int // of roles super: how many
	collaborations map[string]queries.Collaboration
	members        map[seat]bool
	nodes          map[seat]queries.Node
	keys           map[string]queries.Node // by digest
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
		users: map[string]queries.User{}, rolesOf: map[int64][]int64{}, emails: map[string]string{},
		roles: map[roleKey]int64{}, rulesOf: map[int64]int{}, collaborations: map[string]queries.Collaboration{},
		members: map[seat]bool{}, nodes: map[seat]queries.Node{}, keys: map[string]queries.Node{},
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
	err := each(ctx, want.organizations, func(ctx context.Context, names string) ([]queries.Organization, error) {
		return q.FindOrganizations(ctx, queries.FindOrganizationsParams{Names: &names})
	}, func(o queries.Organization) {
		if _, lower := w.organizations[*o.Name]; !lower {
			w.organizations[*o.Name] = o.ID
			w.rows[o.ID] = o
		}
	})
	if err != nil {
		return err
	}
	supers := map[string]bool{}
	err = each(ctx, want.roles, func(ctx context.Context, names string) ([]queries.Role, error) {
		return q.FindRoles(ctx, queries.FindRolesParams{Names: &names})
	}, func(r queries.Role) {
		if r.Orphan {
			return // it is not to be handed out
		}
		key := roleKey{name: *r.Name}
		if r.OrganizationID != nil {
			key.organization = *r.OrganizationID
		}
		if _, lower := w.roles[key]; !lower {
			w.roles[key] = r.ID
			if key.name == access.RoleSuper {
				supers[id(r.ID)] = true
			}
		}
	})
	if err != nil {
		return err
	}
	return each(ctx, supers, q.RulesOfRoles, func(r queries.RulesOfRolesRow) { w.rulesOf[r.OwnerID]++ })
}

func (w *world) lookUsers(ctx context.Context, q *queries.Queries, want wanted) error {
	ids := map[string]bool{}
	err := each(ctx, want.users, func(ctx context.Context, names string) ([]queries.FindUsersRow, error) {
		return q.FindUsers(ctx, queries.FindUsersParams{Usernames: &names})
	}, func(u queries.FindUsersRow) {
		w.users[*u.User.Username] = u.User
		ids[id(u.User.ID)] = true
	})
	if err != nil {
		return err
	}
	err = each(ctx, ids, q.RolesOfUsers, func(r queries.RolesOfUsersRow) {
		w.rolesOf[r.OwnerID] = append(w.rolesOf[r.OwnerID], r.ID)
	})
	if err != nil {
		return err
	}
	return each(ctx, want.emails, func(ctx context.Context, emails string) ([]queries.FindUsersRow, error) {
		return q.FindUsers(ctx, queries.FindUsersParams{Emails: &emails})
	}, func(u queries.FindUsersRow) {
		w.emails[*u.User.Email] = ""
		if u.User.Username != nil {
			w.emails[*u.User.Email] = *u.User.Username
		}
	})
}

// openSecrets has the second factors that the file names as authenticators have them.
func (w *world) openSecrets(ctx context.Context, t *core.Tx, f *File) error {
	for _, o := range f.organizations {
		for _, u := range o.users {
			row, there := w.users[u.username]
			if !there || !u.otp.given || row.OtpSecret == nil {
				continue
			}
			secret, err := t.SecondFactorOf(ctx, row)
			if err != nil {
				return fmt.Errorf("comparing the second factor of user %s: %w", u.username, err)
			}
			row.OtpSecret = &secret
			w.users[u.username] = row
		}
	}
	return nil
}

func (w *world) lookCollaborations(ctx context.Context, q *queries.Queries, want wanted) error {
	ids := map[string]bool{}
	err := each(ctx, want.collaborations, func(ctx context.Context, names string) ([]queries.Collaboration, error) {
		return q.FindCollaborations(ctx, queries.FindCollaborationsParams{Names: &names})
	}, func(c queries.Collaboration) {
		w.collaborations[*c.Name] = c
		ids[id(c.ID)] = true
	})
	if err != nil {
		return err
	}
	err = each(ctx, ids, q.OrganizationsOfCollaborations, func(m queries.OrganizationsOfCollaborationsRow) {
		w.members[seat{organization: m.ID, collaboration: m.OwnerID}] = true
	})
	if err != nil {
		return err
	}
	err = each(ctx, ids, func(ctx context.Context, ids string) ([]queries.FindNodesRow, error) {
		return q.FindNodes(ctx, queries.FindNodesParams{Collaborations: &ids})
	}, func(n queries.FindNodesRow) {
		if n.Node.OrganizationID != nil {
			w.nodes[seat{*n.Node.OrganizationID, *n.Node.CollaborationID}] = n.Node
		}
	})
	if err != nil {
		return err
	}
	return each(ctx, want.digests, func(ctx context.Context, digests string) ([]queries.FindNodesRow, error) {
		return q.FindNodes(ctx, queries.FindNodesParams{ApiKeys: &digests})
	}, func(n queries.FindNodesRow) { w.keys[*n.Node.ApiKey] = n.Node })
}

// part is how many rows one statement takes.
const part = 1000

// each asks for the rows of a set of names, some at a time.
func each[R any](ctx context.Context, names map[string]bool, find func(context.Context, string) ([]R, error), keep func(R)) error {
	for some := range slices.Chunk(slices.Collect(maps.Keys(names)), part) {
		set := make(map[string]int, len(some))
		for _, name := range some {
			set[name] = 0
		}
		text, err := json.Marshal(set)
		if err != nil {
			return fmt.Errorf("listing names: %w", err)
		}
		rows, err := find(ctx, string(text))
		if err != nil {
			return err
		}
		for _, r := range rows {
			keep(r)
		}
	}
	return nil
}

func id(n int64) string { return strconv.FormatInt(n, 10) }
