package shell

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

// session is what one user of the shell has before them: every object that was
// loaded, each once, with what was changed and not yet saved.
type session struct {
	core   *core.Core
	db     *queries.DB
	models map[string]*model
	loaded map[key]*object
	// generation rises with every commit; what was read before is read again.
	generation int64
	// made numbers the objects, for their hashes.
	made uint32
	// ctx ends when the statement that runs is interrupted. Attributes have no
	// argument that could carry it.
	ctx context.Context
}

type key struct {
	model string
	id    int64
}

func newSession(c *core.Core, db *queries.DB) *session {
	s := &session{core: c, db: db, models: map[string]*model{}, loaded: map[key]*object{}, ctx: context.Background()}
	for _, make := range []func() *model{
		organizations, users, nodes, collaborations, tasks, results, roles, rules, ports, accounts, nodeConfigs,
	} {
		m := make()
		m.bind(s)
		s.models[m.name] = m
	}
	return s
}

// newObject makes an object that is not stored.
func (s *session) newObject(m *model) *object { return s.object(m, m.rows.blank()) }

func (s *session) object(m *model, row any) *object {
	s.made++
	return &object{model: m, number: s.made, row: row, set: names{}, deferredRead: names{}, refs: map[string]*object{}, lists: map[string]*members{}}
}

// identified returns the object of a row that was read, the same for the same row.
func (s *session) identified(m *model, row any) *object {
	k := key{m.name, *idOf(row)}
	o := s.loaded[k]
	if o == nil {
		o = s.object(m, row)
		s.loaded[k] = o
	} else {
		o.renew(row)
	}
	o.generation, o.deleted = s.generation, false
	return o
}

// pending returns the stored objects with changes that were not saved, in the order in
// which they were loaded.
func (s *session) pending() []*object {
	var list []*object
	for _, o := range s.loaded {
		if o.changed() {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *object) int { return cmp.Compare(a.number, b.number) })
	return list
}

// find reads the objects that a filter leaves, in the order of their ids.
func (s *session) find(m *model, f filter) ([]*object, error) {
	found, err := m.rows.list(s.ctx, s.db.Queries, f)
	if err != nil {
		return nil, fmt.Errorf("reading from %s: %w", m.table, err)
	}
	list := make([]*object, len(found))
	for i, row := range found {
		list[i] = s.identified(m, row)
	}
	return list, nil
}

// first returns the first object that a filter leaves, or None.
func (s *session) first(m *model, f filter) (starlark.Value, error) {
	list, err := s.find(m, f)
	if err != nil || len(list) == 0 {
		return starlark.None, err
	}
	return list[0], nil
}

// load returns the object with an id, or nil.
func (s *session) load(m *model, id int64) (*object, error) {
	if o := s.loaded[key{m.name, id}]; o != nil && o.generation == s.generation {
		return o, nil
	}
	list, err := s.find(m, filter{"id": id})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// listOf makes a list of objects.
func listOf(objects []*object) *starlark.List {
	list := make([]starlark.Value, len(objects))
	for i, o := range objects {
		list[i] = o
	}
	return starlark.NewList(list)
}
