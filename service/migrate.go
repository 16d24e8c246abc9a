package service

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/config"
)

// SchemaState compares a database with what this program knows.
type SchemaState = queries.SchemaState

// source is where an instance's data lies.
func source(inst config.Instance) queries.Source {
	return queries.Source{
		Engine: queries.Engine(inst.Database.Engine), Path: inst.Database.Path, DSN: inst.Database.DSN.Reveal(),
	}
}

// LookAtSchema reads the state of an instance's database and changes nothing.
func LookAtSchema(ctx context.Context, inst config.Instance) (SchemaState, error) {
	return queries.LookAtSchema(ctx, source(inst))
}

// Migrate brings the schema of an instance's database up to date, as every opening
// does, and returns the snapshot made before, if any. While there is something to
// change it takes the instance's address, so that no server works meanwhile.
func Migrate(ctx context.Context, inst config.Instance) (snapshot string, err error) {
	state, err := LookAtSchema(ctx, inst)
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
	db, err := queries.Open(ctx, source(inst))
	if err != nil {
		return "", fmt.Errorf("opening the database: %w", err)
	}
	return db.Snapshot, db.Close()
}
