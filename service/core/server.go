package core

import (
	"context"

	"vserver/service/access"
	"vserver/service/fault"
)

// MayOperate asks for every rule, which looking after the server takes (/docs/server#who).
func (c *Core) MayOperate(g access.Grant[access.OperateServer]) error {
	if !g.Has(access.Global) {
		return fault.Deny()
	}
	return nil
}

// ServerCounts are counts of the database for who looks after the server.
type ServerCounts struct{ NodesOnline, MailsWaiting int64 }

// ServerCounts counts (/docs/server#state).
func (c *Core) ServerCounts(ctx context.Context, g access.Grant[access.OperateServer]) (n ServerCounts, err error) {
	if err := c.MayOperate(g); err != nil {
		return n, err
	}
	if n.NodesOnline, err = c.NodesOnline(ctx); err != nil {
		return n, err
	}
	n.MailsWaiting, err = c.WaitingMails(ctx)
	return n, err
}
