package queries

import (
	"context"
	"errors"
	"fmt"
)

// ofStandbys are how commits wait, for whom, how many of them are there, and whether this account sees that.
const ofStandbys = `SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
	(SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
	(SELECT rolsuper OR pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER') FROM pg_roles WHERE rolname = current_user)`

// RequireSynchronousStandby returns an error unless a commit of PostgreSQL waits for a standby, and one is
// there (/docs/reliability#failover).
func RequireSynchronousStandby(ctx context.Context, dsn string) (err error) {
	db, err := openPostgresPool(dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var how, names string
	var there int
	var sees bool
	if err := db.QueryRowContext(ctx, ofStandbys).Scan(&how, &names, &there, &sees); err != nil {
		return fmt.Errorf("asking Postgres for its standbys: %w", Named(err))
	}
	switch {
	case how == "off" || how == "local":
		return fmt.Errorf("sync is required, and commits do not wait for a standby: synchronous_commit of PostgreSQL is %s", how)
	case names == "":
		return errors.New("sync is required, and no standby of PostgreSQL is synchronous: synchronous_standby_names is empty")
	case sees && there == 0:
		return errors.New("sync is required, and no synchronous standby of PostgreSQL is connected: " + names)
	}
	return nil
}
