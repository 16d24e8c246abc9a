package shell

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

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
			{"get_result_ids", false, resultIDs},
		},
		show:       showOrganization,
		requiredBy: "roles", // without an organization they would be everybody's
		rows: table[queries.Organization]{
			query: filtered((*queries.Queries).ShellOrganizations), held: (*core.Tx).HoldOrganization,
			add: (*core.Tx).AddOrganization, save: (*core.Tx).SaveOrganization, removeByID: (*core.Tx).RemoveOrganization,
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

// publicKey returns the key in base64, as REST does.
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

// resultIDs returns a tuple for each result, as the reference does.
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
	return fmt.Sprintf("<Organization %s: '%s', domain:%s, users:%s>",
		str(o.idValue()), s.shown(o, "name"), s.shown(o, "domain"), s.counted(o, "users"))
}

// shown returns a column for a line about an object.
func (s *session) shown(o *object, column string) string {
	v, err := s.columnOf(o, o.model.column(column))
	if err != nil {
		return "?"
	}
	return str(v)
}

// nameOf returns a column of the object that a relation leads to. Lines about objects
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

// counted returns how many stored objects a relation leads to.
func (s *session) counted(o *object, relation string) string {
	r := o.model.relation(relation)
	if o.id() == 0 {
		return "0"
	}
	found, err := s.models[r.target].rows.find(s.ctx, s.db.Queries, filter{r.by: o.id()})
	if err != nil {
		return "?"
	}
	return strconv.Itoa(len(found))
}
