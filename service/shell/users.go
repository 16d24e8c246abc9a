package shell

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

type userRow = queries.ShellUsersRow

func users() *model {
	return &model{
		name: "User", table: "user",
		columns: []column{
			idColumn(func(r *userRow) *int64 { return &r.ID }),
			typeColumn(func(r *userRow) *string { return &r.Type }),
			field("ip", func(r *userRow) any { return &r.IP }),
			field("last_seen", func(r *userRow) any { return &r.LastSeen }),
			field("status", func(r *userRow) any { return &r.Status }),
			field("username", func(r *userRow) any { return &r.Username }),
			secret(field("password", func(r *userRow) any { return &r.Password }), hashed),
			field("firstname", func(r *userRow) any { return &r.Firstname }),
			field("lastname", func(r *userRow) any { return &r.Lastname }),
			field("email", func(r *userRow) any { return &r.Email }),
			field("organization_id", func(r *userRow) any { return &r.OrganizationID }),
			field("failed_login_attempts", func(r *userRow) any { return &r.FailedLoginAttempts }),
			field("last_login_attempt", func(r *userRow) any { return &r.LastLoginAttempt }),
			field("otp_secret", func(r *userRow) any { return &r.OtpSecret }),
		},
		relations: []relation{
			{name: "organization", target: "Organization", key: "organization_id"},
			{name: "roles", target: "Role", by: "user_id", link: &rolesOfUser},
			{name: "rules", target: "Rule", by: "user_id", link: &rulesOfUser},
			{name: "created_tasks", target: "Task", by: "init_user_id"},
		},
		methods: []method{
			{"can", false, userCan},
			{"check_password", false, checkPassword},
			{"exists", true, userExists},
			{"get_by_email", true, required(byText("email", "email"))},
			{"get_by_username", true, required(byText("username", "username"))},
			{"get_user_list", true, userList},
			{"hash", true, hashOf(hashed)},
			{"is_blocked", false, isBlocked},
			{"set_password", false, setPassword},
			{"username_exists", true, usernameExists},
		},
		show: showUser,
		rows: userRows.any(),
	}
}

var userRows = typed[userRow]{
	blank: func() userRow {
		none := int64(0)
		return userRow{Type: access.User.String(), FailedLoginAttempts: &none}
	},
	find: func(ctx context.Context, q *queries.Queries, f filter) ([]userRow, error) {
		return q.ShellUsers(ctx, queries.ShellUsersParams{
			ID: f.number("id"), Username: f.text("username"), Email: f.text("email"), OrganizationID: f.number("organization_id"),
			RoleID: f.number("role_id"), RuleID: f.number("rule_id"),
		})
	},
	insert: func(ctx context.Context, tx *queries.Tx, _ *userRow) (int64, error) {
		ids, err := tx.InsertAccounts(ctx, access.User.String(), only(0))
		if err != nil {
			return 0, err
		}
		return ids[0], tx.ShellAddUser(ctx, ids[0])
	},
	hold:   holdUser,
	update: updateUser,
	remove: removeAccount,
}

func holdUser(ctx context.Context, tx *queries.Tx, id int64) (userRow, error) {
	u, err := tx.ShellHoldUser(ctx, id)
	if err != nil {
		return userRow{}, err
	}
	a, err := tx.ShellHoldAccount(ctx, id)
	return userRow{
		ID: u.ID, Username: u.Username, Password: u.Password, Firstname: u.Firstname, Lastname: u.Lastname, Email: u.Email,
		OrganizationID: u.OrganizationID, FailedLoginAttempts: u.FailedLoginAttempts, LastLoginAttempt: u.LastLoginAttempt,
		OtpSecret: u.OtpSecret, InitialPassword: u.InitialPassword, Type: a.Type, IP: a.IP, LastSeen: a.LastSeen, Status: a.Status,
	}, err
}

// updateUser ends the sessions of a user with a new password (SECURITY T03).
func updateUser(ctx context.Context, tx *queries.Tx, r *userRow, set names) error {
	if set["password"] {
		r.InitialPassword = false
		if err := tx.RevokeRefreshTokens(ctx, r.ID); err != nil {
			return err
		}
	}
	err := tx.ShellSaveUser(ctx, queries.ShellSaveUserParams{
		Username: r.Username, Password: r.Password, Firstname: r.Firstname, Lastname: r.Lastname, Email: r.Email,
		OrganizationID: r.OrganizationID, FailedLoginAttempts: r.FailedLoginAttempts, LastLoginAttempt: r.LastLoginAttempt,
		OtpSecret: r.OtpSecret, InitialPassword: r.InitialPassword, ID: r.ID,
	})
	if err != nil {
		return err
	}
	return tx.ShellSaveAccount(ctx, queries.ShellSaveAccountParams{IP: r.IP, LastSeen: r.LastSeen, Status: r.Status, ID: r.ID})
}

func removeAccount(ctx context.Context, tx *queries.Tx, id int64) error {
	return tx.DeleteAccounts(ctx, only(id))
}

var rolesOfUser = link{
	add: func(ctx context.Context, tx *queries.Tx, user, role int64) error {
		return tx.AddRolesToUser(ctx, user, only(role))
	},
	remove: func(ctx context.Context, tx *queries.Tx, user, role int64) error {
		return tx.RemoveRolesFromUser(ctx, user, only(role))
	},
}

var rulesOfUser = link{
	add: func(ctx context.Context, tx *queries.Tx, user, rule int64) error {
		return tx.AddRulesToUser(ctx, user, only(rule))
	},
	remove: func(ctx context.Context, tx *queries.Tx, user, rule int64) error {
		return tx.RemoveRulesFromUser(ctx, user, only(rule))
	},
}

// secret makes a column that keeps nothing but a digest of what it is set to, from
// the moment on that it is set.
func secret(c column, digest func(*session, string) (string, error)) column {
	c.take = func(s *session, v starlark.Value) (starlark.Value, error) {
		clear, err := text(v)
		if err != nil {
			return nil, err
		}
		stored, err := digest(s, clear)
		return starlark.String(stored), err
	}
	return c
}

func hashed(s *session, clear string) (string, error) { return s.core.HashNewPassword(s.ctx, clear) }

// hashOf makes the method that gives the stored form of a secret.
func hashOf(digest func(*session, string) (string, error)) func(call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		var clear string
		if err := c.unpack("secret", &clear); err != nil {
			return nil, err
		}
		stored, err := digest(c.session, clear)
		return starlark.String(stored), err
	}
}

// required makes of a method that may find nothing one that must find something.
func required(find func(call) (starlark.Value, error)) func(call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		v, err := find(c)
		if err == nil && v == starlark.None {
			err = problem("NoResultFound", "No row was found when one was required")
		}
		return v, err
	}
}

func userExists(c call) (starlark.Value, error) {
	var name string
	var wanted starlark.Value
	if err := c.unpack("field", &name, "value", &wanted); err != nil {
		return nil, err
	}
	column := c.model.column(name)
	if column == nil {
		return nil, problem("AttributeError", "a User has no column %s", name)
	}
	all, err := c.find(c.model, nil)
	for _, o := range all {
		if same, _ := starlark.Equal(outOf(column.at(o.row)), wanted); same {
			return starlark.True, nil
		}
	}
	return starlark.False, err
}

func usernameExists(c call) (starlark.Value, error) {
	v, err := byText("username", "username")(c)
	return starlark.Bool(v != starlark.None), err
}

func userList(c call) (starlark.Value, error) {
	if err := c.unpack(); err != nil {
		return nil, err
	}
	all, err := c.find(c.model, nil)
	return listOf(all), err
}

func checkPassword(c call) (starlark.Value, error) {
	var clear string
	if err := c.unpack("password", &clear); err != nil {
		return nil, err
	}
	ok, err := c.core.PasswordMatches(c.ctx, c.object.row.(*userRow).Password, clear)
	return starlark.Bool(ok), err
}

// setPassword stores a password that passes the policy, else it gives the reason why
// it does not.
func setPassword(c call) (starlark.Value, error) {
	var clear string
	if err := c.unpack("password", &clear); err != nil {
		return nil, err
	}
	if weak, ok := fault.As(core.CheckPasswordPolicy(clear)); ok {
		return starlark.String(weak.Msg), nil
	}
	if err := c.object.SetField("password", starlark.String(clear)); err != nil {
		return nil, err
	}
	return starlark.None, c.save(c.object)
}

// isBlocked tells whether too many log-ins failed of late, contract 10 §5.3.
func isBlocked(c call) (starlark.Value, error) {
	var most, minutes int64
	if err := c.unpack("max_failed_attempts", &most, "inactivation_in_minutes", &minutes); err != nil {
		return nil, err
	}
	u := c.object.row.(*userRow)
	if u.FailedLoginAttempts == nil || *u.FailedLoginAttempts < most || u.LastLoginAttempt == nil {
		return starlark.False, nil
	}
	ago := time.Since(u.LastLoginAttempt.Time)
	return starlark.Bool(ago >= 0 && ago < time.Duration(minutes)*time.Minute), nil
}

// userCan tells whether a user holds a rule, by a role or beside them.
func userCan(c call) (starlark.Value, error) {
	var resource string
	var scope, operation starlark.Value
	if err := c.unpack("resource", &resource, "scope", &scope, "operation", &operation); err != nil {
		return nil, err
	}
	held, err := c.db.RulesOfUser(c.ctx, c.object.id())
	for _, r := range held {
		if r.Name == resource && r.Scope == memberName(scope) && r.Operation == memberName(operation) {
			return starlark.True, nil
		}
	}
	return starlark.False, err
}

func showUser(s *session, o *object) string {
	roles, err := s.members(o, o.model.relation("roles"))
	shown := "?"
	if err == nil {
		shown = repr(roles)
	}
	return fmt.Sprintf("<User id=%s, username='%s', roles='%s', organization='%s'>",
		str(o.idValue()), s.shown(o, "username"), strings.TrimSpace(shown), s.nameOf(o, "organization", "name"))
}
