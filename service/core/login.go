package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// failedLogin is the one answer to every log-in that did not work, so that nobody
// learns which accounts exist or are locked (/docs/security#t01).
func failedLogin() error { return fault.New(fault.Unauthorized, "Failed to login") }

// LogIn checks a user's name and password and counts failures (/docs/tokens#lock).
// here reports whether the request comes from this machine (/docs/security#t22).
func (c *Core) LogIn(ctx context.Context, username, password string, here bool) (Identity, error) {
	u, err := c.db.GetUserByUsername(ctx, &username)
	if queries.Missing(err) {
		_, err = c.matches(ctx, nil, password)
		return Identity{}, firstError(err, failedLogin())
	}
	if err != nil {
		return Identity{}, fmt.Errorf("looking up a user: %w", err)
	}
	if u.InitialPassword && !here && !c.set.RootFromAnywhere {
		c.log.Warn().Msgf("Refused a log-in of %q from another machine: its password is still the initial one. Change it from this machine "+
			"with PATCH password/change first", username)
		u.Password = nil
	}
	ok, err := c.proves(ctx, u, password)
	if err == nil && !ok {
		err = failedLogin()
	}
	if err == nil && value(u.FailedLoginAttempts) > 0 {
		err = c.forgiveFailures(ctx, u.ID)
	}
	if err != nil {
		return Identity{}, err
	}
	return c.Identify(ctx, access.User, u.ID)
}

// locked reports whether an account has failed too often of late. A last failure in
// the future comes from a clock that was set back and locks nobody out.
func (c *Core) locked(u queries.User) bool {
	if value(u.FailedLoginAttempts) < int64(c.set.MaxFailedAttempts) || u.LastLoginAttempt == nil {
		return false
	}
	ago := time.Since(u.LastLoginAttempt.Time)
	return ago >= 0 && ago < c.set.LockFor
}

// proves compares a password with the account's and counts a failure. While the
// account is locked no password is right and nothing is counted; what it takes is
// the same in all cases (/docs/security#t11, /docs/security#t20).
func (c *Core) proves(ctx context.Context, u queries.User, password string) (bool, error) {
	if c.locked(u) {
		_, err := c.matches(ctx, nil, password)
		return false, err
	}
	ok, err := c.matches(ctx, u.Password, password)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, c.countFailure(ctx, u.ID)
	}
	// Guesses that ran beside this one may have locked the account meanwhile.
	now, err := c.db.CredentialsOfUser(ctx, u.ID)
	if err != nil && !queries.Missing(err) {
		return false, fmt.Errorf("reading a user: %w", err)
	}
	return err == nil && !c.locked(now), nil
}

// countFailure counts a wrong password, unless the account is locked by now.
func (c *Core) countFailure(ctx context.Context, user int64) error {
	most := int64(c.set.MaxFailedAttempts)
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		since := queries.At(t.Now.Add(-c.set.LockFor))
		return t.CountFailedLogin(ctx, queries.CountFailedLoginParams{Most: &most, At: &t.Now, Since: &since, ID: user})
	})
	if err != nil {
		return fmt.Errorf("counting a wrong password: %w", err)
	}
	return nil
}

func (c *Core) forgiveFailures(ctx context.Context, user int64) error {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error { return t.ResetFailedLogins(ctx, user) })
	if err != nil {
		return fmt.Errorf("forgetting wrong passwords: %w", err)
	}
	return nil
}

// LogInNode finds the node of an API key (/docs/tokens#node).
func (c *Core) LogInNode(ctx context.Context, key string) (Identity, error) {
	digest := c.DigestAPIKey(key)
	id, err := c.db.NodeByAPIKey(ctx, &digest)
	if queries.Missing(err) {
		return Identity{}, fault.New(fault.Unauthorized, "Api key is not recognized!")
	}
	if err != nil {
		return Identity{}, fmt.Errorf("looking up an API key: %w", err)
	}
	return c.Identify(ctx, access.Node, id)
}

// RoleNames are the names of a user's roles, which its tokens mention.
func (c *Core) RoleNames(ctx context.Context, user int64) ([]string, error) {
	rows, err := c.db.RoleNamesOfUser(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("reading the roles of a user: %w", err)
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = value(r)
	}
	return names, nil
}

// ContainerTask is what a container's token says about its task.
type ContainerTask struct {
	Database *string
}

// AdmitContainer decides whether a node may have a token for a container
// (/docs/tokens#container-token).
func (c *Core) AdmitContainer(ctx context.Context, g access.Grant[access.NodeItself], task int64, image string) (ContainerTask, error) {
	a := g.Actor()
	row, err := c.db.TaskForContainer(ctx, &a.OrganizationID, task)
	switch {
	case queries.Missing(err):
		return ContainerTask{}, fault.New(fault.Invalid, "Master task does not exist!")
	case err != nil:
		return ContainerTask{}, fmt.Errorf("reading the task of a container: %w", err)
	case value(row.Image) != image:
		return ContainerTask{}, fault.New(fault.Denied, "Image and task do no match")
	case !a.WorksIn(row.CollaborationID):
		return ContainerTask{}, fault.New(fault.Denied, "You are not within the collaboration")
	case row.Results > 0 && row.OwnResults == 0:
		return ContainerTask{}, fault.New(fault.Denied, "Task is not assigned to your organization")
	case row.OpenResults == 0:
		return ContainerTask{}, fault.New(fault.Invalid, "Task is already finished!")
	}
	return ContainerTask{Database: row.Database}, nil
}
