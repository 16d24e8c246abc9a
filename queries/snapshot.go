package queries

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// snapshotsKept is how many snapshots stay beside an SQLite database.
const snapshotsKept = 3

const snapshotMark = ".snapshot-"

// snapshot copies an SQLite database whose schema is about to change, proves the
// copy, and removes the oldest ones. It returns the copy's name.
func snapshot(ctx context.Context, file string, has int64) (string, error) {
	if err := dropUnfinished(file); err != nil {
		return "", err
	}
	if err := roomFor(file); err != nil {
		return "", err
	}
	to := fmt.Sprintf("%s%s%s-schema-%d", file, snapshotMark, time.Now().UTC().Format("20060102T150405.000000000Z"), has)
	if _, err := BackupSQLite(ctx, file, to); err != nil {
		return "", fmt.Errorf("making a snapshot before the schema changes: %w", err)
	}
	return to, thinOut(file)
}

// roomFor wants space for a copy of a database, and as much again for what a change
// of the schema may rewrite.
func roomFor(file string) error {
	var size uint64
	for _, part := range []string{file, file + "-wal"} {
		if info, err := os.Stat(part); err == nil {
			size += uint64(info.Size()) //nolint:gosec // sizes are not negative
		}
	}
	free, err := FreeSpace(filepath.Dir(file))
	if err != nil {
		return err
	}
	return enough(free, 2*size)
}

func enough(free, needed uint64) error {
	if free >= needed {
		return nil
	}
	return fmt.Errorf("the schema has to change, which needs %d MiB of free space for a snapshot, and there are only %d MiB: make room and start again", needed>>20+1, free>>20)
}

// dropUnfinished removes snapshots that were cut off, so that they do not pile up.
func dropUnfinished(file string) error {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("looking for unfinished snapshots: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "."+filepath.Base(file)+snapshotMark) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(file), e.Name())); err != nil {
			return fmt.Errorf("removing an unfinished snapshot: %w", err)
		}
	}
	return nil
}

// thinOut removes the oldest snapshots; their names sort by time.
func thinOut(file string) error {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("looking for old snapshots: %w", err)
	}
	var snapshots []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(file)+snapshotMark) {
			snapshots = append(snapshots, e.Name())
		}
	}
	slices.Sort(snapshots)
	for len(snapshots) > snapshotsKept {
		if err := os.Remove(filepath.Join(filepath.Dir(file), snapshots[0])); err != nil {
			return fmt.Errorf("removing an old snapshot: %w", err)
		}
		snapshots = snapshots[1:]
	}
	return nil
}

// filled reports whether a database file exists and holds something.
func filled(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Size() > 0
}

// SchemaState compares a database with what this program knows.
type SchemaState struct {
	Exists  bool     `json:"exists"`  // there is a database, maybe an empty one
	Has     int64    `json:"version"` // 0 for none
	Knows   int64    `json:"known"`
	Pending []string `json:"pending"` // files of migrations that would be applied, oldest first
}

// LookAtSchema reads the state of a database's schema and changes nothing. A schema
// newer than this program is no error here, one of another program is a ForeignError.
func LookAtSchema(ctx context.Context, src Source) (SchemaState, error) {
	id, err := RequireOwn(ctx, src)
	s := SchemaState{Exists: id.Exists, Has: id.Version, Knows: KnownSchema(src.Engine), Pending: []string{}}
	for _, name := range migrations(src.Engine) {
		if numbered(name) > s.Has {
			s.Pending = append(s.Pending, path.Base(name))
		}
	}
	return s, err
}
