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
// learns which accounts exist or are locked (SECURITY T01).
func failedLogin() error { return fault.New(fault.Unauthorized, "Failed to login") }

// LogIn checks a user's name and password and counts failures, contract 10 §5.3.
// here tells whether the request comes from this machine (SECURITY T22).
func (c *Core) LogIn(ctx context.Context, username, password string, here bool) (Identity, error) {
	u, err := c.db.GetUserByUsername(ctx, &username)
	known := err == nil
	if err != nil && !queries.Missing(err) {
		return Identity{}, fmt.Errorf("looking up a user: %w", err)
	}
	if !known || c.locked(u) {
		if _, err := c.matches(ctx, nil, password); err != nil {
			return Identity{}, err
		}
		return Identity{}, failedLogin()
	}
	if u.InitialPassword && !here && !c.set.OpenRoot {
		c.log.Warn().Msgf("Refused a log-in of %q from another machine: its password is still the initial one. Change it from this machine "+
			"with PATCH password/change first", username)
		u.Password = nil
	}
	ok, err := c.checkPassword(ctx, u, password)
	if err != nil {
		return Identity{}, err
	}
	if !ok {
		return Identity{}, failedLogin()
	}
	return c.Identify(ctx, access.User, u.ID)
}

// locked tells whether an account has failed too often of late. A last failure in
// the future comes from a clock that was set back and locks nobody out.
func (c *Core) locked(u queries.User) bool {
	if value(u.FailedLoginAttempts) < int64(c.set.MaxFailedAttempts) || u.LastLoginAttempt == nil {
		return false
	}
	ago := time.Since(u.LastLoginAttempt.Time)
	return ago >= 0 && ago < c.set.LockFor
}

// checkPassword compares, and moves the counter of failures. It must not be asked
// for a locked account.
func (c *Core) checkPassword(ctx context.Context, u queries.User, password string) (bool, error) {
	ok, err := c.matches(ctx, u.Password, password)
	if err != nil {
		return false, err
	}
	if ok && value(u.FailedLoginAttempts) == 0 {
		return true, nil
	}
	err = c.inTx(ctx, func(ctx context.Context, t *tx) error {
		if ok {
			return t.ResetFailedLogins(ctx, u.ID)
		}
		most := int64(c.set.MaxFailedAttempts)
		return t.CountFailedLogin(ctx, queries.CountFailedLoginParams{Most: &most, At: &t.Now, ID: u.ID})
	})
	if err != nil {
		return false, fmt.Errorf("counting a log-in: %w", err)
	}
	return ok, nil
}

// LogInNode finds the node of an API key, contract 10 §3.2.
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

// AdmitContainer decides whether a node may have a token for a container, contract
// 10 §3.3.
func (c *Core) AdmitContainer(ctx context.Context, g access.Grant, task int64, image string) (ContainerTask, error) {
	a := g.Actor()
	row, err := c.db.TaskForContainer(ctx, &a.OrganizationID, task)
	switch {
	case queries.Missing(err):
		return ContainerTask{}, fault.New(fault.Invalid, "Master task does not exist!")
	case err != nil:
		return ContainerTask{}, fmt.Errorf("reading the task of a container: %w", err)
	case value(row.Image) != image:
		return ContainerTask{}, fault.New(fault.Denied, "Image and task do no match")
	case a.CollaborationID == 0 || value(row.CollaborationID) != a.CollaborationID:
		return ContainerTask{}, fault.New(fault.Denied, "You are not within the collaboration")
	case row.Results > 0 && row.OwnResults == 0:
		return ContainerTask{}, fault.New(fault.Denied, "Task is not assigned to your organization")
	case row.OpenResults == 0:
		return ContainerTask{}, fault.New(fault.Invalid, "Task is already finished!")
	}
	return ContainerTask{Database: row.Database}, nil
}
