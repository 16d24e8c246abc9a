package upkeep

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
)

// SchemaState compares a database with what this program knows.
type SchemaState = queries.SchemaState

// ReadSchema reads the state of an instance's database and changes nothing.
func ReadSchema(ctx context.Context, inst config.Instance) (SchemaState, error) {
	return queries.LookAtSchema(ctx, service.Source(inst))
}

// Migrate brings the schema of an instance's database up to date, as every opening
// does, and returns the snapshot made before, if any. While there is something to
// change it takes the instance's address, so that no server works meanwhile.
func Migrate(ctx context.Context, inst config.Instance) (snapshot string, err error) {
	state, err := ReadSchema(ctx, inst)
	if err != nil {
		return "", err
	}
	if len(state.Pending) > 0 {
		release, err := occupied(ctx, inst)
		if err != nil {
			return "", err
		}
		defer release()
	}
	db, err := queries.Open(ctx, service.Source(inst))
	if err != nil {
		return "", fmt.Errorf("opening the database: %w", err)
	}
	return db.Snapshot, db.Close()
}
