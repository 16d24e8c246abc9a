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
	if _, err := os.Lstat(at.file); errors.Is(err, fs.ErrNotExist) && len(list) > 0 { // cut off where files have one name only
		if u.Kept = at.lastAside(); at.unfinished() {
			u.Kept = ""
		}
		err = at.place(list[len(list)-1], 0)
		if err == nil && at.unfinished() {
			err = at.giveUp()
		}
		return u, err
	}
	if who := holderOf(at.file); who != "" {
		return u, fmt.Errorf("%w: %s has %s open: stop it, then try again", queries.ErrInUse, who, at.file)
	}
	id, err := queries.Identify(ctx, src)
	if err != nil {
		return u, err
	}
	if id.Kind == queries.KindReference {
		return at.endBack()
	}
	if id.Kind != queries.KindOurs {
		return u, fmt.Errorf("%s is no database of this server: there is nothing to undo", at.file)
	}
	if len(list) == 0 {
		return u, fmt.Errorf("there is no old database beside %s to go back to", at.file)
	}
	kept := list[len(list)-1]
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

// endBack does what is left where the old database has its place already: of a way back that was cut off, or of a takeover
// within its last step.
func (s site) endBack() (u Undone, err error) {
	if s.unfinished() {
		return u, s.giveUp()
	}
	if err := s.restore(s.newest()); err != nil {
		return u, err
	}
	if u.Kept = s.lastAside(); u.Kept == "" {
		return u, fmt.Errorf("%s is the database of the 3.x server already: there is nothing to undo", s.file)
	}
	return u, s.reunite(s.back)
}

// aside begins the name of a new database that made way.
const aside = ".vserver-"

// setAside names the new database as it is kept: by the second, and never as another one.
func (s site) setAside(now time.Time) string {
	ending := filepath.Ext(s.file)
	for ; ; now = now.Add(time.Second) {
		file := strings.TrimSuffix(s.file, ending) + aside + now.Format("2006-01-02T150405") + ending
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
}

// lastAside is the new database that made way last; empty when none did.
func (s site) lastAside() (last string) {
	ending := filepath.Ext(s.file)
	begin := filepath.Base(strings.TrimSuffix(s.file, ending)) + aside
	entries, _ := os.ReadDir(filepath.Dir(s.file)) // without any there is none
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), begin) && filepath.Ext(e.Name()) == ending && e.Type().IsRegular() {
			last = filepath.Join(filepath.Dir(s.file), e.Name())
		}
	}
	return last
}

// putBack gives the new file its other name, and the old one its place.
func (s site) putBack(kept, aside string, mode fs.FileMode) error {
	if err := os.Link(s.file, aside); err != nil {
		if err := os.Rename(s.file, aside); err != nil { // where files have one name only
			return fmt.Errorf("keeping the new database: %w", err)
		}
	}
	for _, ending := range besides { // Settle has left nothing in them
		if err := os.Remove(s.file + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing what lay beside the new database: %w", err)
		}
	}
	return s.place(kept, mode)
}

// place puts the old database in its place. Where no copy can stand in for it, what lies beside it goes under a name that only
// a way back gives first, so that the next run knows whose it is when this one is cut off.
func (s site) place(kept string, mode fs.FileMode) error {
	if mode == 0 {
		mode = private.Mode
	}
	if err := s.standIn(kept, mode); err != nil || s.standsIn() {
		return errors.Join(err, s.restore(kept))
	}
	if err := putAside(kept, kept, s.back); err != nil {
		return err
	}
	if err := os.Chmod(kept, mode); err != nil {
		return fmt.Errorf("letting the old database be written to: %w", err)
	}
	if err := os.Rename(kept, s.file); err != nil {
		return fmt.Errorf("putting the old database in its place: %w", err)
	}
	return s.reunite(s.back)
}

// logs are the endings of what holds the last transactions of an SQLite file after a crash.
var logs = []string{"-wal", "-journal"}

// putAside gives what lies beside a database another name, and the logs the time of the database, by which reunite sees
// whether somebody wrote to it without them.
func putAside(database, from, to string) error {
	info, err := os.Stat(database)
	if err != nil {
		return fmt.Errorf("looking at the old database: %w", err)
	}
	for _, ending := range logs {
		err := os.Chtimes(from+ending, info.ModTime(), info.ModTime())
		if err == nil {
			err = os.Rename(from+ending, to+ending)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keeping what lies beside the old database: %w", err)
		}
	}
	if err := os.Remove(from + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) { // is made again
		return fmt.Errorf("removing what lay beside the old database: %w", err)
	}
	return nil
}

// reunite gives what was put aside its name beside the old database again. A log never comes to a database that was written
// to without it, which would destroy it.
func (s site) reunite(from string) error {
	for _, ending := range logs {
		log, err := os.Lstat(from + ending)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		database, err2 := os.Stat(s.file)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("looking at what lies beside the old database: %w", err)
		}
		_, err = os.Lstat(s.file + ending)
		if err == nil || !database.ModTime().Equal(log.ModTime()) {
			return fmt.Errorf("%s holds transactions of the old database, but somebody has written to %s without them: to go on without them move it away",
				from+ending, s.file)
		}
		if err := os.Chmod(from+ending, private.Mode); err != nil {
			return fmt.Errorf("letting what lies beside the old database be written to: %w", err)
		}
		if err := os.Rename(from+ending, s.file+ending); err != nil {
			return fmt.Errorf("putting back what lies beside the old database: %w", err)
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
