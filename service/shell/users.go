package shell

import (
	"cmp"
	"context"
	"time"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

type userRow = queries.FindUsersRow

func users() *model {
	return &model{
		name: "User", table: "user",
		columns: columnsOf[userRow]("id type ip last_seen status username password firstname lastname email organization_id "+
			"failed_login_attempts last_login_attempt otp_secret", secret("password", hashed)),
		relations: []relation{
			{name: "organization", target: "Organization", key: "organization_id"},
			{name: "roles", target: "Role", by: "user_id", link: &rolesOfUser},
			{name: "rules", target: "Rule", by: "user_id", link: &rulesOfUser},
			{name: "created_tasks", target: "Task", by: "init_user_id"},
		},
		methods: []method{
			{"can", false, userCan},
			{"check_password", false, withText("password", checkPassword)},
			{"exists", true, userExists},
			{"get_by_email", true, required(byText("email", "email"))},
			{"get_by_username", true, required(byText("username", "username"))},
			{"get_user_list", true, plain(userList)},
			{"hash", true, hashOf(hashed)},
			{"is_blocked", false, isBlocked},
			{"set_password", false, withText("password", setPassword)},
			{"username_exists", true, usernameExists},
		},
		line: "<User id={id}, username='{username}', roles='{roles}', organization='{organization.name}'>",
		rows: userRows(),
	}
}

func userRows() table[userRow] {
	none := int64(0)
	return table[userRow]{
		defaults: userRow{User: queries.User{FailedLoginAttempts: &none}, Account: queries.Account{Type: access.User.String()}},
		query:    filtered((*queries.Queries).FindUsers),
		held: func(t *core.Tx, ctx context.Context, id int64) (userRow, error) {
			u, err := t.HoldUser(ctx, id)
			a, accountErr := t.HoldAccount(ctx, id)
			return userRow{User: u, Account: a}, cmp.Or(err, accountErr)
		},
		add:        func(t *core.Tx, ctx context.Context, r *userRow) error { return t.AddUsers(ctx, &r.User) },
		save:       func(t *core.Tx, ctx context.Context, r userRow) error { return t.SaveUser(ctx, r.User) },
		removeByID: removeAccount,
		with: func(t *core.Tx, ctx context.Context, r *userRow, set names) error {
			if set["password"] {
				if err := t.PasswordSet(ctx, &r.User); err != nil {
					return err
				}
			}
			if set["otp_secret"] {
				if err := t.SetSecondFactor(ctx, r.User.ID, r.User.OtpSecret); err != nil {
					return err
				}
			}
			r.Account.ID = r.User.ID
			return t.SaveAccount(ctx, r.Account)
		},
	}
}

func removeAccount(t *core.Tx, ctx context.Context, id int64) error { return t.RemoveAccounts(ctx, id) }

var rolesOfUser = link{
	add: func(ctx context.Context, t *core.Tx, user, role int64) error {
		return t.Assign(ctx, queries.UserRole{UserID: user, RoleID: role})
	},
	remove: func(ctx context.Context, t *core.Tx, user, role int64) error { return t.Unassign(ctx, user, role) },
}

var rulesOfUser = link{
	add: func(ctx context.Context, t *core.Tx, user, rule int64) error { return t.GrantToUser(ctx, user, rule) },
	remove: func(ctx context.Context, t *core.Tx, user, rule int64) error {
		return t.RevokeFromUser(ctx, user, rule)
	},
}

// secret is a column that keeps nothing but a digest of what it is set to, from the
// moment on that it is set.
func secret(name string, digest func(*session, string) (string, error)) column {
	return column{name: name, take: func(s *session, v starlark.Value) (starlark.Value, error) {
		clear, err := text(v)
		if err != nil {
			return nil, err
		}
		stored, err := digest(s, clear)
		return starlark.String(stored), err
	}}
}

func hashed(s *session, clear string) (string, error) { return s.core.HashNewPassword(s.ctx, clear) }

// hashOf makes the method that returns the stored form of a secret.
func hashOf(digest func(*session, string) (string, error)) func(call) (starlark.Value, error) {
	return withText("secret", func(c call, clear string) (starlark.Value, error) {
		stored, err := digest(c.session, clear)
		return starlark.String(stored), err
	})
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
	all, err := c.find(c.model, nil)
	return listOf(all), err
}

func checkPassword(c call, clear string) (starlark.Value, error) {
	ok, err := c.core.PasswordMatches(c.ctx, c.object.row.(*userRow).User.Password, clear)
	return starlark.Bool(ok), err
}

// setPassword stores a password that passes the policy, else it returns the reason why
// it does not.
func setPassword(c call, clear string) (starlark.Value, error) {
	if weak, ok := fault.As(core.CheckPasswordPolicy(clear)); ok {
		return starlark.String(weak.Msg), nil
	}
	if err := c.object.SetField("password", starlark.String(clear)); err != nil {
		return nil, err
	}
	return starlark.None, c.save(c.object)
}

// isBlocked reports whether too many log-ins failed of late (/docs/tokens#lock).
func isBlocked(c call) (starlark.Value, error) {
	var most, minutes int64
	if err := c.unpack("max_failed_attempts", &most, "inactivation_in_minutes", &minutes); err != nil {
		return nil, err
	}
	u := c.object.row.(*userRow).User
	if u.FailedLoginAttempts == nil || *u.FailedLoginAttempts < most || u.LastLoginAttempt == nil {
		return starlark.False, nil
	}
	ago := time.Since(u.LastLoginAttempt.Time)
	return starlark.Bool(ago >= 0 && ago < time.Duration(minutes)*time.Minute), nil
}

// userCan reports whether a user holds a rule, by a role or beside them.
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
