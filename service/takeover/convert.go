package takeover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"vserver/queries"
)

// conversion reads an old database and adds the rows of the new one; without a loader it only looks.
type conversion struct {
	old      *queries.Old
	to       *queries.Loader
	zone     *time.Location
	progress func(done, total int64)

	notes   notes
	tables  []Table
	lacking []Lacking
	into    map[string]*queries.LoadTable
	failed  error // of adding a row; the next step ends with it
	left    int64

	organizations, collaborations, users, nodes, roles, rules map[int64]bool
	tasks, results                                            numbers
	ruleFor                                                   map[int64]int64 // of rules that stand twice
	roleNames, firstNames                                     map[int64]any   // of roles, and of the first users
	rootRole                                                  int64
	orphans                                                   map[int64]bool
	highest                                                   map[string]int64
	triples                                                   map[int64]triple
	complete                                                  []int64    // roles that have rules by their names
	current                                                   int64      // the role of the pair that is read
	oldPorts                                                  [][2]int64 // of release 3.0: result and port
	run, ports                                                int64
	mode                                                      uint32 // of the old file
	done, total                                               int64
}

// columnsOf are the columns of the new tables that rows are added to.
var columnsOf = map[string][]string{
	"organization":    {"id", "name", "domain", "address1", "address2", "zipcode", "country", "public_key"},
	"collaboration":   {"id", "name", "encrypted"},
	"member":          {"organization_id", "collaboration_id"},
	"authenticatable": {"id", "type", "ip", "last_seen", "status", "refresh_generation", "access_era"},
	"user": {
		"id", "username", "password", "firstname", "lastname", "email", "organization_id", "failed_login_attempts", "last_login_attempt",
		"otp_secret", "otp_pending", "otp_pending_at", "initial_password",
	},
	"failed_login":  {"user_id", "network", "attempts", "last_attempt"},
	"node":          {"id", "name", "collaboration_id", "organization_id"},
	"node_old_key":  {"node_id", "hash"},
	"nodeconfig":    {"id", "node_id", "key", "value"},
	"role":          {"id", "name", "description", "organization_id", "orphan"},
	"rule":          {"id", "name", "operation", "scope", "description"},
	"user_role":     {"user_id", "role_id"},
	"user_rule":     {"user_id", "rule_id"},
	"role_rule":     {"role_id", "rule_id"},
	"task":          {"id", "name", "description", "image", "collaboration_id", "run_id", "parent_id", "database", "initiator_id", "init_user_id", "created_at"},
	"result":        {"id", "task_id", "organization_id", "collaboration_id", "assigned_at", "started_at", "finished_at", "status"},
	"payload":       {"result_id", "input", "result", "log"},
	"algorithmport": {"id", "port", "result_id", "label"},
	"leftover":      {"id", "origin", "reason", "content"},
	"counter":       {"name", "value"},
}

// convert reads the old database. What it adds is whole when there is no error.
func convert(ctx context.Context, old *queries.Old, to *queries.Loader, zone *time.Location, progress func(done, total int64)) (*conversion, error) {
	c := &conversion{
		old: old, to: to, zone: zone, progress: progress, mode: old.Mode, into: map[string]*queries.LoadTable{},
		organizations: map[int64]bool{}, collaborations: map[int64]bool{}, users: map[int64]bool{}, nodes: map[int64]bool{}, roles: map[int64]bool{}, rules: map[int64]bool{},
		ruleFor: map[int64]int64{}, roleNames: map[int64]any{}, firstNames: map[int64]any{}, orphans: map[int64]bool{},
	}
	if to != nil {
		for _, name := range slices.Sorted(maps.Keys(columnsOf)) {
			t, err := to.Table(name, columnsOf[name]...)
			if err != nil {
				return nil, err
			}
			c.into[name] = t
		}
	}
	for _, table := range queries.OldTables {
		rows, err := old.Count(ctx, table)
		if err != nil {
			return nil, err
		}
		c.total += rows
		if old.Has(table, "") {
			c.tables = append(c.tables, Table{Name: table, Rows: rows})
		}
	}
	var err error
	if c.highest, err = old.HighestIDs(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		c.convertOrganizations, c.convertCollaborations, c.convertMembers, c.convertAccounts, c.convertNodeConfig,
		c.convertRules, c.convertRoles, c.convertHoldings, c.convertTasks, c.convertResults, c.convertPorts, c.convertCounters,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if c.failed != nil {
			return nil, c.failed
		}
	}
	c.report(c.total)
	return c, nil
}

// put adds a row to the new database. Its error ends the step.
func (c *conversion) put(table string, values ...any) {
	if c.to == nil || c.failed != nil {
		return
	}
	c.failed = c.into[table].Add(values...)
}

// rows is Old.Each that counts, and stops where adding failed. The function reports whether the row was carried.
func (c *conversion) rows(ctx context.Context, table string, columns []string, convert func(v []any) bool) error {
	return c.old.Each(ctx, table, columns, func(v []any) error {
		c.count(table, convert(v))
		return c.failed
	})
}

// count counts a row that was read.
func (c *conversion) count(table string, carried bool) {
	if i := slices.IndexFunc(c.tables, func(t Table) bool { return t.Name == table }); i >= 0 && carried {
		c.tables[i].Carried++
	}
	const often = 2000
	if c.done++; c.done%often == 0 {
		c.report(c.done)
	}
}

func (c *conversion) report(done int64) {
	if c.progress != nil {
		c.progress(done, c.total)
	}
}

// in makes a function of a set.
func in(set map[int64]bool) func(int64) bool { return func(id int64) bool { return set[id] } }

func (c *conversion) convertOrganizations(ctx context.Context) error {
	columns := []string{"id", "name", "domain", "address1", "address2", "zipcode", "country", "_public_key"}
	return c.rows(ctx, "organization", columns, func(v []any) bool {
		id := v[0].(int64)
		row := []any{id}
		for i, column := range columns[1:7] {
			row = append(row, c.text(v[i+1], "organization."+column, id))
		}
		c.organizations[id] = true
		c.put("organization", append(row, bytesOf(v[7]))...)
		return true
	})
}

// bytesOf reads what should be bytes.
func bytesOf(value any) any {
	switch v := value.(type) {
	case nil:
		return nil
	case []byte:
		return append([]byte{}, v...)
	}
	return []byte(fmt.Sprint(value))
}

func (c *conversion) convertCollaborations(ctx context.Context) error {
	names := map[string]bool{}
	return c.rows(ctx, "collaboration", []string{"id", "name", "encrypted"}, func(v []any) bool {
		id := v[0].(int64)
		name := c.unique(names, v[1], "collaboration.name", id)
		encrypted, known := c.number(v[2], "collaboration.encrypted", id).(int64)
		if !known {
			// Nodes compare it with 1.
			c.notes.add(kind{"collaborations that do not say whether they are encrypted", "not encrypted, as nodes take them"}, named(id, name))
		}
		c.collaborations[id] = true
		c.put("collaboration", id, name, encrypted != 0)
		return true
	})
}

// unique is text for a column in which nothing may stand twice.
func (c *conversion) unique(seen map[string]bool, value any, column string, id int64) any {
	text, there := c.text(value, column, id).(string)
	if !there {
		return nil
	}
	if seen[text] {
		c.notes.add(kind{column + " that another row has", "nothing; it stands in leftover"}, named(id, text))
		c.leave(column, "another row has it", map[string]any{"id": id, "value": text})
		return nil
	}
	seen[text] = true
	return text
}

// pair reads a row of a table that joins two others, and carries it once.
func (c *conversion) pairs(ctx context.Context, from, to string, columns [2]string, there [2]func(int64) (int64, bool)) error {
	seen := map[[2]int64]bool{}
	return c.rows(ctx, from, columns[:], func(v []any) bool {
		var p [2]int64
		for i := range p {
			n, ok := v[i].(int64)
			if ok {
				p[i], ok = there[i](n)
			}
			if !ok {
				c.leaveRow(from, "one of the two is not there", columns[:], v)
				return false
			}
		}
		if seen[p] {
			c.notes.add(kind{"pairs of " + from + " that stand twice", "once"}, fmt.Sprintf("%s %d, %s %d", columns[0], p[0], columns[1], p[1]))
			return false
		}
		seen[p] = true
		c.put(to, p[0], p[1])
		return true
	})
}

// itself looks an id up that stays what it is.
func itself(set map[int64]bool) func(int64) (int64, bool) {
	return func(id int64) (int64, bool) { return id, set[id] }
}

func (c *conversion) convertMembers(ctx context.Context) error {
	return c.pairs(ctx, "Member", "member", [2]string{"organization_id", "collaboration_id"},
		[2]func(int64) (int64, bool){itself(c.organizations), itself(c.collaborations)})
}

// convertCounters has numbers go on where the old server was.
func (c *conversion) convertCounters(context.Context) error {
	c.put("counter", "run", c.run)
	// Tokens of accounts that are gone do not fit those that get their ids.
	c.put("counter", "era", int64(1_000_000_000))
	c.put("counter", queries.TakenOver, time.Now().Unix())
	c.highest["algorithmport"] += c.ports
	for name, value := range queries.TakeoverCounters(c.highest, c.mode) {
		c.put("counter", name, value)
	}
	return nil
}
