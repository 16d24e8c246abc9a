package core

import (
	"cmp"
	"context"
	"errors"
	"time"

	"vserver/queries"
	"vserver/service/bus"
)

// foreignCheckInterval is how often it is looked for changes of other processes; rights that
// were taken away have to stop working within a second (/docs/security#u6).
const foreignCheckInterval = 500 * time.Millisecond

// WatchForeignChanges has cached rights forgotten and rooms judged anew whenever another
// process has changed the database, until ctx ends. It looks every so often; 0 stands
// for twice a second.
func (c *Core) WatchForeignChanges(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(cmp.Or(every, foreignCheckInterval))
	defer tick.Stop()
	// No number that is ever read, so that what was cached before the first look goes.
	was, failing := int64(-1), false
	for {
		now, err := c.db.ForeignChanges(ctx)
		if failing != (err != nil) && ctx.Err() == nil {
			failing = err != nil
			c.reportSight(err)
		}
		if err == nil && now != was {
			was = now
			c.bus.Publish(bus.Message{Topic: TopicRights})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reportSight says once that changes of others cannot be seen, or can be seen again.
func (c *Core) reportSight(err error) {
	switch {
	case err == nil:
		c.log.Info().Msg("Changes of other processes can be seen again")
	case errors.Is(err, queries.ErrGone):
		c.log.Error().Err(err).Msg("The database is gone: nothing is written any more")
	default:
		c.log.Warn().Err(err).Msg("Changes of other processes cannot be seen at the moment, it will be tried again")
	}
}
