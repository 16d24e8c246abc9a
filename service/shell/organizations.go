package shell

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"vserver/queries"
)

func organizations() *model {
	type row = queries.Organization
	return &model{
		name: "Organization", table: "organization",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			field("name", func(r *row) any { return &r.Name }),
			field("domain", func(r *row) any { return &r.Domain }),
			field("address1", func(r *row) any { return &r.Address1 }),
			field("address2", func(r *row) any { return &r.Address2 }),
			field("zipcode", func(r *row) any { return &r.Zipcode }),
			field("country", func(r *row) any { return &r.Country }),
			field("_public_key", func(r *row) any { return &r.PublicKey }),
		},
		relations: []relation{
			{name: "collaborations", target: "Collaboration", by: "organization_id", link: &memberships},
			{name: "results", target: "Result", by: "organization_id"},
			{name: "nodes", target: "Node", by: "organization_id"},
			{name: "users", target: "User", by: "organization_id"},
			{name: "created_tasks", target: "Task", by: "initiator_id"},
			{name: "roles", target: "Role", by: "organization_id"},
		},
		virtuals: []virtual{{"public_key", publicKey, setPublicKey}},
		methods: []method{
			{"get_by_name", true, byText("name", "name")},
			{"get_result_ids", false, resultIDs},
		},
		show:  showOrganization,
		keeps: "roles", // without an organization they would be everybody's
		rows: typed[row]{
			find: func(ctx context.Context, q *queries.Queries, f filter) ([]row, error) {
				return q.ShellOrganizations(ctx, queries.ShellOrganizationsParams{
					ID: f.number("id"), Name: f.text("name"), CollaborationID: f.number("collaboration_id"),
				})
			},
			insert: func(ctx context.Context, tx *queries.Tx, _ *row) (int64, error) { return tx.ShellAddOrganization(ctx) },
			hold: func(ctx context.Context, tx *queries.Tx, id int64) (row, error) {
				return tx.ShellHoldOrganization(ctx, id)
			},
			update: func(ctx context.Context, tx *queries.Tx, r *row, _ names) error {
				return tx.ShellSaveOrganization(ctx, queries.ShellSaveOrganizationParams{
					Name: r.Name, Domain: r.Domain, Address1: r.Address1, Address2: r.Address2, Zipcode: r.Zipcode,
					Country: r.Country, PublicKey: r.PublicKey, ID: r.ID,
				})
			},
			remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.ShellDeleteOrganization(ctx, id) },
		}.any(),
	}
}

// memberships joins an organization with a collaboration.
var memberships = link{
	add: func(ctx context.Context, tx *queries.Tx, organization, collaboration int64) error {
		return tx.AddMembers(ctx, collaboration, only(organization))
	},
	remove: func(ctx context.Context, tx *queries.Tx, organization, collaboration int64) error {
		_, err := tx.RemoveMember(ctx, organization, collaboration)
		return err
	},
}

// reversed is a link seen from the other side.
func (l link) reversed() *link {
	return &link{
		add: func(ctx context.Context, tx *queries.Tx, own, other int64) error { return l.add(ctx, tx, other, own) },
		remove: func(ctx context.Context, tx *queries.Tx, own, other int64) error {
			return l.remove(ctx, tx, other, own)
		},
	}
}

// only is the list of one id, as queries take it.
func only(id int64) string { return fmt.Sprintf(`{"%d":0}`, id) }

// byText makes a method that gives the first object with a text in a column, or None.
func byText(column, argument string) func(call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		var wanted starlark.Value
		if err := c.unpack(argument, &wanted); err != nil {
			return nil, err
		}
		name, ok := wanted.(starlark.String)
		if !ok {
			return starlark.None, nil
		}
		return c.first(c.model, filter{column: string(name)})
	}
}

// publicKey gives the key in base64, as REST does.
func publicKey(_ *session, o *object) (starlark.Value, error) {
	return starlark.String(base64.StdEncoding.EncodeToString(o.row.(*queries.Organization).PublicKey)), nil
}

// setPublicKey takes a key in base64.
func setPublicKey(s *session, o *object, v starlark.Value) error {
	var key []byte
	if v != starlark.None {
		encoded, err := text(v)
		if err != nil {
			return err
		}
		if key, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), "")); err != nil {
			return problem("ValueError", "public_key takes a key in base64")
		}
	}
	return s.setColumn(o, o.model.column("_public_key"), starlark.Bytes(key))
}

// resultIDs gives a tuple for each result, as the reference does.
func resultIDs(c call) (starlark.Value, error) {
	if err := c.unpack(); err != nil {
		return nil, err
	}
	results, err := c.find(c.models["Result"], filter{"organization_id": c.object.id()})
	ids := make([]starlark.Value, len(results))
	for i, r := range results {
		ids[i] = starlark.Tuple{r.idValue()}
	}
	return starlark.NewList(ids), err
}

func showOrganization(s *session, o *object) string {
	users, err := int64(0), error(nil)
	if o.id() != 0 {
		users, err = s.db.ShellCountUsers(s.ctx, o.model.id(o.row))
	}
	return fmt.Sprintf("<Organization %s: '%s', domain:%s, users:%s>",
		str(o.idValue()), s.shown(o, "name"), s.shown(o, "domain"), counted(users, err))
}

// shown gives a column for a line about an object.
func (s *session) shown(o *object, column string) string {
	v, err := s.columnOf(o, o.model.column(column))
	if err != nil {
		return "?"
	}
	return str(v)
}

// nameOf gives a column of the object that a relation leads to. Lines about objects
// have to come out whatever is missing.
func (s *session) nameOf(o *object, relation, column string) string {
	v, err := s.related(o, o.model.relation(relation))
	if err != nil {
		return "?"
	}
	if to, ok := v.(*object); ok {
		return s.shown(to, column)
	}
	return "None"
}

func counted(n int64, err error) string {
	if err != nil {
		return "?"
	}
	return fmt.Sprint(n)
}
