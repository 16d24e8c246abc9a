package takeover

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/private"
)

// Undone is what a way back did.
type Undone struct {
	Left []Table `json:"left_out"`       // rows made or changed since the takeover
	File string  `json:"file,omitempty"` // with them, one JSON object a line
	Kept string  `json:"kept"`           // where the new database is now
}

// Back puts the old database in its place again.
func Back(ctx context.Context, inst config.Instance) (Undone, error) {
	if inst.Database.Engine == config.SQLite {
		return backFile(ctx, inst)
	}
	return backSchema(ctx, inst)
}

// backFile does so for SQLite.
func backFile(ctx context.Context, inst config.Instance) (u Undone, err error) {
	at, err := siteOf(inst.Database.Path)
	if err != nil {
		return u, err
	}
	src := queries.Source{Engine: queries.SQLite, Path: at.file}
	release, err := queries.Occupy(src, fmt.Sprintf("a way back from a takeover (process %d)", os.Getpid()))
	if err != nil {
		return u, err
	}
	defer release()
	list := at.keptFiles()
	if len(list) == 0 {
		return u, fmt.Errorf("there is no old database beside %s to go back to", at.file)
	}
	kept := list[len(list)-1]
	if who := holderOf(at.file); who != "" {
		return u, fmt.Errorf("%w: %s has %s open: stop it, then try again", queries.ErrInUse, who, at.file)
	}
	id, err := queries.Identify(ctx, src)
	if err != nil {
		return u, err
	}
	if id.Kind == queries.KindReference { // cut off behind the last renaming
		u.Kept = at.setAside(time.Now())
		return u, at.restoreBesides(kept)
	}
	if id.Kind != queries.KindOurs {
		return u, fmt.Errorf("%s is no database of this server: there is nothing to undo", at.file)
	}
	if err := queries.Settle(at.file); err != nil {
		return u, err
	}
	u, mode, err := leftOut(ctx, src, queries.Source{Engine: queries.SQLite, Path: kept}, strings.TrimSuffix(at.file, filepath.Ext(at.file)))
	if err != nil {
		return u, err
	}
	u.Kept = at.setAside(time.Now())
	return u, at.putBack(kept, u.Kept, mode)
}

// setAside names the new database as it is kept.
func (s site) setAside(now time.Time) string {
	ending := filepath.Ext(s.file)
	return strings.TrimSuffix(s.file, ending) + ".vserver-" + now.Format("2006-01-02T150405") + ending
}

// putBack gives the new file its other name, and the old one its place.
func (s site) putBack(kept, aside string, mode fs.FileMode) error {
	if err := os.Link(s.file, aside); err != nil {
		if err := os.Rename(s.file, aside); err != nil { // where files have one name only
			return fmt.Errorf("keeping the new database: %w", err)
		}
	}
	if err := os.Remove(s.file + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing what lay beside the new database: %w", err)
	}
	if mode == 0 {
		mode = private.Mode
	}
	if err := os.Chmod(kept, mode); err != nil {
		return fmt.Errorf("letting the old database be written to: %w", err)
	}
	if err := os.Rename(kept, s.file); err != nil {
		return fmt.Errorf("putting the old database in its place: %w", err)
	}
	return s.restoreBesides(kept)
}

// restoreBesides gives what lay beside the old database its name again.
func (s site) restoreBesides(kept string) error {
	for _, ending := range []string{"-wal", "-journal"} {
		err := os.Rename(kept+ending, s.file+ending)
		if err == nil {
			err = os.Chmod(s.file+ending, private.Mode)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("putting back what lay beside the old database: %w", err)
		}
	}
	return syncFolder(s.file)
}

// leftOut writes what was made or changed since a takeover to a file, and returns the mode that the old file had.
func leftOut(ctx context.Context, now, before queries.Source, name string) (u Undone, mode fs.FileMode, err error) {
	id, err := queries.Identify(ctx, before)
	if err == nil && id.Kind != queries.KindReference {
		err = errors.New("it is none of a 3.x server")
	}
	if err != nil {
		return u, 0, fmt.Errorf("looking at the old database: %w", err)
	}
	file := fmt.Sprintf("%s.since-takeover-%s.jsonl", name, time.Now().Format("2006-01-02T150405"))
	f, err := private.Open(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY)
	if err != nil {
		return u, 0, fmt.Errorf("making the file of what is left out: %w", err)
	}
	defer func() {
		if len(u.Left) == 0 || err != nil {
			_ = os.Remove(file)
		}
	}()
	to := bufio.NewWriterSize(f, 1<<20)
	lines := json.NewEncoder(to)
	was, err := queries.Since(ctx, now, func(table string, row map[string]any) error {
		if len(u.Left) == 0 || u.Left[len(u.Left)-1].Name != table {
			u.Left = append(u.Left, Table{Name: table})
		}
		u.Left[len(u.Left)-1].Rows++
		return lines.Encode(map[string]any{"table": table, "row": row})
	})
	if err = errors.Join(err, to.Flush(), private.HandOver(f), f.Sync(), f.Close()); err != nil {
		return u, 0, fmt.Errorf("writing what is left out: %w", err)
	}
	if len(u.Left) > 0 {
		u.File = file
	}
	return u, fs.FileMode(was), nil
}

// backSchema does so for Postgres.
func backSchema(ctx context.Context, inst config.Instance) (u Undone, err error) {
	src := service.Source(inst)
	who, err := queries.OthersOf(ctx, src)
	if err != nil {
		return u, err
	}
	if who != "" {
		return u, fmt.Errorf("%w: %s: stop the server, and whatever else is connected, then try again", queries.ErrInUse, who)
	}
	kept, err := queries.KeptSchema(ctx, src)
	if err != nil {
		return u, err
	}
	before := queries.Source{Engine: queries.Postgres, DSN: queries.InSchema(src.DSN, kept)}
	u, _, err = leftOut(ctx, src, before, filepath.Join(inst.DataDir, inst.Name))
	if err != nil {
		return u, err
	}
	aside, err := queries.ExchangeBack(ctx, src, kept, "vserver_"+time.Now().Format("20060102"))
	u.Kept = "schema " + aside
	return u, err
}
