package shell

import (
	"context"
	"encoding/base64"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

func organizations() *model {
	return &model{
		name: "Organization", table: "organization",
		columns: columnsOf[queries.Organization]("id name domain address1 address2 zipcode country _public_key"),
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
			{"get_result_ids", false, plain(resultIDs)},
		},
		line:       "<Organization {id}: '{name}', domain:{domain}, users:{#users}>",
		requiredBy: "roles", // without an organization they would be everybody's
		rows: table[queries.Organization]{
			query: filtered((*queries.Queries).FindOrganizations), held: (*core.Tx).HoldOrganization,
			add: (*core.Tx).AddOrganization, save: (*core.Tx).SaveOrganization, removeByID: (*core.Tx).RemoveOrganization,
			with: func(t *core.Tx, ctx context.Context, r *queries.Organization, set names) error {
				if !set["_public_key"] {
					return nil
				}
				return t.CheckPublicKey(ctx, *r)
			},
		},
	}
}

// memberships joins an organization with a collaboration.
var memberships = link{
	add: func(ctx context.Context, t *core.Tx, organization, collaboration int64) error {
		return t.Join(ctx, collaboration, organization)
	},
	remove: func(ctx context.Context, t *core.Tx, organization, collaboration int64) error {
		_, err := t.Part(ctx, collaboration, organization)
		return err
	},
}

// only is the list of one id, as queries take it.
func only(id int64) string { return fmt.Sprintf(`{"%d":0}`, id) }

// byText makes a method that returns the first object with a text in a column, or None.
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

// publicKey returns the key in base64, as REST does.
func publicKey(_ *session, o *object) (starlark.Value, error) {
	return starlark.String(base64.StdEncoding.EncodeToString(o.row.(*queries.Organization).PublicKey)), nil
}

// setPublicKey takes a key as REST does.
func setPublicKey(s *session, o *object, v starlark.Value) error {
	var key []byte
	if v != starlark.None {
		encoded, err := text(v)
		if err != nil {
			return err
		}
		if key, err = core.ParsePublicKey(encoded); err != nil {
			return problem("ValueError", "public_key %s", err)
		}
	}
	return s.setColumn(o, o.model.column("_public_key"), starlark.Bytes(key))
}

// resultIDs returns a tuple for each result, as the reference does.
func resultIDs(c call) (starlark.Value, error) {
	results, err := c.find(c.models["Result"], filter{"organization_id": c.object.id()})
	ids := make([]starlark.Value, len(results))
	for i, r := range results {
		ids[i] = starlark.Tuple{r.idValue()}
	}
	return starlark.NewList(ids), err
}
