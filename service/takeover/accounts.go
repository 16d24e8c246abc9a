package takeover

import (
	"context"
	"time"

	"golang.org/x/crypto/bcrypt"

	"vserver/queries"
)

// account is a row that users and nodes have in common.
type account struct {
	id                     int64
	kind, ip, seen, status any
	barred                 bool // its tokens are good no longer
}

// initialPassword is the one that everybody knows, of the user of the same name.
const initialPassword = "root"

func (c *conversion) convertAccounts(ctx context.Context) error {
	accounts := map[int64]*account{}
	var order []int64
	err := c.rows(ctx, "authenticatable", []string{"id", "type", "ip", "last_seen", "status"}, func(v []any) bool {
		id := v[0].(int64)
		order = append(order, id)
		accounts[id] = &account{
			id: id, kind: c.text(v[1], "authenticatable.type", id), ip: c.text(v[2], "authenticatable.ip", id),
			seen: c.moment(v[3], time.UTC, "authenticatable.last_seen", id), status: c.text(v[4], "authenticatable.status", id),
		}
		return true
	})
	if err != nil {
		return err
	}
	of := func(id int64, kind string) *account {
		a := accounts[id]
		if a == nil {
			a = &account{id: id}
			accounts[id] = a
			order = append(order, id)
			c.notes.add(kindOf(kind, "s without a row in authenticatable", "they get one"), named(id, nil))
		}
		a.kind = kind
		return a
	}
	if err := c.convertUsers(ctx, of); err != nil {
		return err
	}
	if err := c.convertNodes(ctx, of); err != nil {
		return err
	}
	for _, id := range order {
		a := accounts[id]
		if !c.users[id] && !c.nodes[id] {
			c.notes.add(kind{"rows of authenticatable of no user and no node", "they stay, and nobody can log in as them"}, named(id, nil))
			if a.kind == nil {
				a.kind = "unknown"
			}
		}
		bar := int64(0)
		if a.barred {
			bar = 1
		}
		c.put("authenticatable", a.id, a.kind, a.ip, a.seen, a.status, bar, bar)
	}
	return nil
}

func kindOf(subject, what, becomes string) kind { return kind{subject + what, becomes} }

func (c *conversion) convertUsers(ctx context.Context, of func(int64, string) *account) error {
	columns := []string{"id", "username", "password", "firstname", "lastname", "email", "organization_id", "failed_login_attempts", "last_login_attempt", "otp_secret"}
	names, mails := map[string]bool{}, map[string]bool{}
	return c.rows(ctx, "user", columns, func(v []any) bool {
		id := v[0].(int64)
		a := of(id, "user")
		c.users[id] = true
		if len(c.firstNames) < firstShown {
			c.firstNames[id] = v[1]
		}
		name := c.unique(names, v[1], "user.username", id)
		password := c.text(v[2], "user.password", id)
		attempts, _ := c.number(v[7], "user.failed_login_attempts", id).(int64)
		last := c.moment(v[8], c.zone, "user.last_login_attempt", id)
		initial := c.to != nil && name == initialPassword && isInitial(password)
		if initial {
			c.notes.add(kind{"users with the password that everybody knows", "they get in from this machine only, until it is changed"}, named(id, name))
		}
		secret, pending, pendingAt := c.secondFactor(v[9], a, id, name)
		c.put("user", id, name, password, c.text(v[3], "user.firstname", id), c.text(v[4], "user.lastname", id),
			c.unique(mails, v[5], "user.email", id), c.reference(v[6], in(c.organizations), "user.organization_id", id),
			attempts, last, secret, pending, pendingAt, initial)
		if attempts > 0 && last != nil {
			c.put("failed_login", id, "", attempts, last)
		}
		return true
	})
}

func isInitial(hash any) bool {
	text, ok := hash.(string)
	return ok && bcrypt.CompareHashAndPassword([]byte(text), []byte(initialPassword)) == nil
}

// secondFactor carries the secret of a second factor, which the old server stored as soon as it was shown. That of an
// account which never did anything with a token counts as not confirmed, and waits for its first code.
func (c *conversion) secondFactor(value any, a *account, id int64, name any) (secret, pending, at any) {
	text, _ := c.text(value, "user.otp_secret", id).(string)
	switch {
	case text == "":
		return nil, nil, nil
	case a.seen == nil:
		c.notes.add(kind{"second factors of users who were never seen", "they wait for their first code for an hour after the takeover, then the users set up new ones"}, named(id, name))
		return nil, text, queries.Now()
	}
	return text, nil, nil
}

// place is where a node works.
type place struct{ organization, collaboration int64 }

func (c *conversion) convertNodes(ctx context.Context, of func(int64, string) *account) error {
	columns := []string{"id", "name", "api_key", "collaboration_id", "organization_id"}
	rows := [][]any{}
	holder := map[place]*account{}
	err := c.rows(ctx, "node", columns, func(v []any) bool {
		id := v[0].(int64)
		if c.users[id] {
			c.leaveRow("node", "a user has its id", columns, v)
			return false
		}
		a := of(id, "node")
		c.nodes[id] = true
		v[1], v[2] = c.text(v[1], "node.name", id), c.text(v[2], "node.api_key", id)
		v[3] = c.reference(v[3], in(c.collaborations), "node.collaboration_id", id)
		v[4] = c.reference(v[4], in(c.organizations), "node.organization_id", id)
		rows = append(rows, append(v, a))
		if at, placed := placeOf(v); placed {
			if first := holder[at]; first == nil || later(a, first) {
				holder[at] = a
			}
		}
		return true
	})
	for _, v := range rows {
		id, a := v[0].(int64), v[5].(*account)
		if at, placed := placeOf(v); placed && holder[at] != a {
			c.notes.add(kind{"nodes whose organization has another one in the collaboration, which was seen later", "they are in no collaboration and cannot log in"}, named(id, v[1]))
			c.leave("node", "another node has its place", map[string]any{"id": id, "collaboration_id": v[3], "api_key": v[2]})
			v[2], v[3], a.barred = nil, nil, true
		}
		c.put("node", id, v[1], v[3], v[4])
		if key, _ := v[2].(string); key != "" {
			c.put("node_old_key", id, key)
		}
	}
	return err
}

// later reports whether an account was seen after another one.
func later(a, b *account) bool {
	seen, ok := a.seen.(queries.Time)
	before, was := b.seen.(queries.Time)
	return ok && (!was || seen.After(before.Time))
}

// placeOf is where the node of a row works.
func placeOf(v []any) (place, bool) {
	collaboration, ok1 := v[3].(int64)
	organization, ok2 := v[4].(int64)
	return place{organization, collaboration}, ok1 && ok2
}

func (c *conversion) convertNodeConfig(ctx context.Context) error {
	columns := []string{"id", "node_id", "key", "value"}
	return c.rows(ctx, "nodeconfig", columns, func(v []any) bool {
		id := v[0].(int64)
		node, ok := v[1].(int64)
		if !ok || !c.nodes[node] {
			c.leaveRow("nodeconfig", "its node is not there", columns, v)
			return false
		}
		c.put("nodeconfig", id, node, c.text(v[2], "nodeconfig.key", id), c.text(v[3], "nodeconfig.value", id))
		return true
	})
}
