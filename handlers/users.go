package handlers

import (
	"encoding/json"
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) userRoutes() []route {
	return []route{
		{method: "GET", path: "/user", who: access.User, judges: core.CreatesForOrganization, endpoint: requires[access.ViewUsers](s.handleListUsers)},
		{method: "POST", path: "/user", who: access.User, once: true, judges: core.CreatesForOrganization, endpoint: requires[access.CreateUsers](s.handleCreateUser)},
		{method: "GET", path: "/user/:id", who: access.User, judges: core.ViewsUser, endpoint: requires[access.ViewUsers](s.handleGetUser)},
		{method: "PATCH", path: "/user/:id", who: access.User, once: true, judges: core.ChangesUser, endpoint: requires[access.EditUsers](s.handleChangeUser)},
		{method: "POST", path: "/user/:id/unlock", who: access.User, once: true, judges: core.HasUserInCharge, endpoint: requires[access.EditUsers](s.handleUnlock)},
		{method: "POST", path: "/user/:id/invite", who: access.User, once: true, judges: core.HasUserInCharge, endpoint: requires[access.EditUsers](s.handleInvite)},
		{method: "DELETE", path: "/user/:id", who: access.User, once: true, judges: core.DeletesUser, endpoint: requires[access.DeleteUsers](s.handleDeleteUser)},
	}
}

// userJSON is a user on the wire (/docs/users#object).
type userJSON struct {
	ID           int64   `json:"id"`
	Type         string  `json:"type"`
	Username     *string `json:"username"`
	Firstname    *string `json:"firstname"`
	Lastname     *string `json:"lastname"`
	Email        *string `json:"email"`
	Organization *link   `json:"organization"`
	Roles        []link  `json:"roles"`
	Rules        []link  `json:"rules"`
	CreatedTasks []int64 `json:"created_tasks"`
	LastSeen     *string `json:"last_seen"`
	Status       *string `json:"status"`
	// Always null: the first was never filled, the second is a secret. Clients know
	// the keys.
	IP        *string `json:"ip"`
	OTPSecret *string `json:"otp_secret"`
	// Only when it was asked for, of a user who is locked, for who may unlock it.
	Lock *lockJSON `json:"lock,omitempty"`
}

func (s *Server) userJSON(u core.User) userJSON {
	return userJSON{
		ID: u.ID, Type: access.User.String(), Username: u.Username, Firstname: u.Firstname, Lastname: u.Lastname, Email: u.Email,
		Organization: s.link("organization", u.OrganizationID), Roles: s.links("role", u.Roles), Rules: s.links("rule", u.Rules),
		CreatedTasks: plain(u.CreatedTasks), LastSeen: moment(u.LastSeen), Status: u.Status,
	}
}

func (s *Server) handleListUsers(k *call, g access.Grant[access.ViewUsers]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.UserFilter{
		Username: f.text("username"), Firstname: f.text("firstname"), Lastname: f.text("lastname"), Email: f.text("email"),
		OrganizationID: f.id("organization_id"), RoleID: f.id("role_id"), RuleID: f.id("rule_id"),
		SeenFrom: f.moment("last_seen_from"), SeenTill: f.moment("last_seen_till"),
	}
	if f.err() != nil {
		return f.err()
	}
	rows, total, err := s.core.Users(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	wire, err := s.userWire(k, g, rows...)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, wire), total)
}

func (s *Server) handleGetUser(k *call, g access.Grant[access.ViewUsers]) error {
	u, err := s.core.User(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	wire, err := s.userWire(k, g, u)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, wire(u))
}

func (s *Server) handleCreateUser(k *call, g access.Grant[access.CreateUsers]) error {
	b, err := k.parserBody()
	if err != nil {
		return err
	}
	in := newUser(b)
	if b.err() != nil {
		return b.err()
	}
	u, err := s.core.CreateUser(k.ctx, g, in)
	if err != nil {
		return err
	}
	return k.reply(http.StatusCreated, s.userJSON(u))
}

// newUser reads the fields in the order in which their faults are reported.
func newUser(b *body) core.NewUser {
	var in core.NewUser
	for _, f := range []struct {
		name string
		to   *string
		read func(string) *string
	}{
		{"username", &in.Username, b.filled(b.name)},
		{"firstname", &in.Firstname, b.short},
		{"lastname", &in.Lastname, b.short},
		{"password", &in.Password, b.password},
		{"email", &in.Email, b.filled(b.short)},
	} {
		b.need(f.name)
		if s := f.read(f.name); s != nil {
			*f.to = *s
		}
	}
	in.OrganizationID = b.organization("organization_id")
	in.Roles, in.Rules = b.ids("roles"), b.ids("rules")
	return in
}

// short reads a text of the usual length.
func (b *body) short(field string) *string { return b.text(field, shortText) }

// password reads a text of any length; what it has to be is the policy's business.
func (b *body) password(field string) *string { return b.text(field, unbounded) }

// filled reads with another reader and refuses the empty text.
func (b *body) filled(read func(string) *string) func(string) *string {
	return func(field string) *string {
		s := read(field)
		if s != nil && *s == "" {
			b.refuse(field, "must not be empty")
		}
		return s
	}
}

// organization reads an id whose fault has a wording of its own; 0 when absent.
func (b *body) organization(field string) int64 {
	raw, ok := b.get(field)
	if !ok {
		return 0
	}
	id, err := b.whole(raw)
	if err != nil {
		b.refuse(field, "This is only used if you're root")
	}
	return id
}

func (s *Server) handleChangeUser(k *call, g access.Grant[access.EditUsers]) error {
	in := sent(k.body, func(b *body) core.UserChanges {
		b.parser = true
		return core.UserChanges{
			Username: b.short("username"), Firstname: b.short("firstname"), Lastname: b.short("lastname"), Email: b.short("email"),
			Roles: b.ids("roles"), Rules: b.ids("rules"), Password: b.truthy("password"),
		}
	})
	u, err := s.core.ChangeUser(k.ctx, g, k.id("id"), in)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.userJSON(u))
}

// truthy reports whether a field of any type is there and neither empty nor zero.
func (b *body) truthy(field string) bool {
	var v any
	if raw, ok := b.get(field); !ok || json.Unmarshal(raw, &v) != nil {
		return false
	}
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return false
}

func (s *Server) handleDeleteUser(k *call, g access.Grant[access.DeleteUsers]) error {
	id := k.id("id")
	if err := s.core.DeleteUser(k.ctx, g, id); err != nil {
		return err
	}
	return k.say("user id=%d is removed from the database", id)
}
