package takeover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vserver/queries"
	"vserver/service/config"
)

// site is where an SQLite file lies that is taken over, and what lies beside it meanwhile.
type site struct {
	file  string // itself, whatever link leads to it
	fresh string // the new one while it is built
	ready string // the new one when it is whole and proven
	back  string // what lies beside the old one, on its way back; only there between two steps, where files have one name only
	whole string // a copy of the old one that stands in its place between two steps, see standIn
}

// siteOf finds the site of a file that is there or, cut off on the way, is not.
func siteOf(path string) (site, error) {
	file, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = path, nil
	}
	if err != nil {
		return site{}, fmt.Errorf("looking for the database: %w", err)
	}
	hidden := filepath.Join(filepath.Dir(file), "."+filepath.Base(file))
	return site{file, hidden + ".takeover", hidden + ".taken-over", hidden + ".back", hidden + ".whole"}, nil
}

// besides are the endings of what belongs to an SQLite file.
var besides = []string{"-wal", "-journal", "-shm"}

// kept names the old file as it is kept: NAME.v3-DATE.sqlite.
func (s site) kept(now time.Time) string {
	ending := filepath.Ext(s.file)
	name := strings.TrimSuffix(s.file, ending) + ".v3-" + now.Format(time.DateOnly)
	for n := 1; ; n++ {
		file := name + ending
		if n > 1 {
			file = fmt.Sprintf("%s-%d%s", name, n, ending)
		}
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
}

// keptFiles are those of earlier takeovers, the newest last.
func (s site) keptFiles() []string {
	ending := filepath.Ext(s.file)
	begin := filepath.Base(strings.TrimSuffix(s.file, ending)) + ".v3-"
	entries, _ := os.ReadDir(filepath.Dir(s.file)) // without any there are none
	var list []string
	for _, e := range entries {
		name, whole := strings.CutSuffix(e.Name(), ending)
		if day, begins := strings.CutPrefix(name, begin); whole && begins && keptDay(day) && e.Type().IsRegular() {
			list = append(list, e.Name())
		}
	}
	day := func(name string) string { return name[:len(begin)+len(time.DateOnly)] }
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(strings.Compare(day(a), day(b)), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	for i, name := range list {
		list[i] = filepath.Join(filepath.Dir(s.file), name)
	}
	return list
}

// keptDay tells DATE and DATE-N from what else may stand there.
func keptDay(text string) bool {
	if len(text) < len(time.DateOnly) {
		return false
	}
	day, rest := text[:len(time.DateOnly)], text[len(time.DateOnly):]
	_, err := time.Parse(time.DateOnly, day)
	if n, more := strings.CutPrefix(rest, "-"); more && err == nil {
		_, err = strconv.ParseUint(n, 10, 32)
		return err == nil
	}
	return err == nil && rest == ""
}

// unfinished reports whether a new file was whole and the last step did not end.
func (s site) unfinished() bool {
	_, err := os.Lstat(s.ready)
	return err == nil
}

// openUnused opens the old file, which nobody else may use, and says in which state it is.
func (s site) openUnused(ctx context.Context, inst config.Instance) (old *queries.Old, state []string, err error) {
	if err := unused(ctx, inst, s); err != nil {
		return nil, nil, err
	}
	state = s.state()
	old, err = queries.OpenOld(ctx, queries.Source{Engine: queries.SQLite, Path: s.file}, true)
	if err != nil {
		return nil, nil, err
	}
	free, err := s.free()
	want := needs(old.Bytes, 0).Bytes
	if hasLog(s.file) { // which takes a copy
		want += old.Bytes
	}
	if err == nil && free < want {
		err = fmt.Errorf("the takeover needs %d MiB of free space in %s, and there are only %d MiB: make room and try again; nothing has changed",
			want>>20+1, filepath.Dir(s.file), free>>20)
	}
	if err != nil {
		return nil, nil, errors.Join(err, old.Close())
	}
	return old, state, nil
}

// buildFresh builds the new file, and looks that the old one was not changed meanwhile.
func (s site) buildFresh(ctx context.Context, inst config.Instance, old *queries.Old, before []string, o Options) (*conversion, error) {
	if err := s.clear(); err != nil {
		return nil, err
	}
	c, err := build(ctx, inst, old, queries.Source{Engine: queries.SQLite, Path: s.fresh}, o)
	if err == nil && !slices.Equal(before, s.state()) {
		err = fmt.Errorf("%s was changed while it was taken over: stop the old server and try again", s.file)
	}
	return c, err
}

// parted reports whether a log or a journal of the old database is still on its way back.
func (s site) parted() bool {
	return hasLog(s.back)
}

// free is the room on the disk.
func (s site) free() (int64, error) {
	free, err := queries.FreeSpace(filepath.Dir(s.file))
	return int64(min(free, 1<<62)), err
}

// takeFile takes an SQLite file over.
func takeFile(ctx context.Context, inst config.Instance, o Options) (r Report, err error) {
	at, err := siteOf(inst.Database.Path)
	if err != nil {
		return r, err
	}
	src := queries.Source{Engine: queries.SQLite, Path: at.file}
	release, err := queries.Occupy(src, fmt.Sprintf("a takeover (process %d)", os.Getpid()))
	if err != nil {
		return r, err
	}
	defer release()
	if at.unfinished() {
		resumed, r, err := at.resume(ctx, inst)
		if resumed || err != nil {
			return r, err
		}
	}
	if err := errors.Join(at.restore(at.newest()), at.reunite(at.back)); err != nil { // of a way back that was cut off
		return r, err
	}
	old, before, err := at.openUnused(ctx, inst)
	if err != nil {
		return r, err
	}
	defer func() { _ = old.Close() }()
	c, err := at.buildFresh(ctx, inst, old, before, o)
	if err != nil {
		return r, errors.Join(err, at.clear())
	}
	r = c.reported(inst, o)
	now := time.Now()
	if err := os.Chtimes(at.fresh, now, now); err != nil { // resume compares it with the old file
		return r, errors.Join(fmt.Errorf("noting the time of the new database: %w", err), at.clear())
	}
	if err := os.Rename(at.fresh, at.ready); err != nil {
		return r, errors.Join(fmt.Errorf("naming the new database: %w", err), at.clear())
	}
	if err := syncFolder(at.file); err != nil {
		return r, err
	}
	if mustClose {
		if err := old.Close(); err != nil {
			return r, fmt.Errorf("closing the old database: %w", err)
		}
	}
	r.Kept, err = at.exchange(at.kept(time.Now()))
	return r, err
}

// clear removes what an earlier takeover left that was cut off.
func (s site) clear() error {
	for _, ending := range append([]string{""}, besides...) {
		if err := os.Remove(s.fresh + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing what a takeover left: %w", err)
		}
	}
	return nil
}

// state tells whether the old file, or what lies beside it, was changed.
func (s site) state() (list []string) {
	for _, ending := range append([]string{""}, logs...) {
		if info, err := os.Stat(s.file + ending); err == nil {
			list = append(list, fmt.Sprint(ending, info.Size(), info.ModTime()))
		}
	}
	return list
}

// resume does what is left of a takeover that was cut off within its last step, unless the old server has worked since: then
// the new database is not that of today, and goes.
func (s site) resume(ctx context.Context, inst config.Instance) (resumed bool, r Report, err error) {
	r.Database = inst.Database.String()
	list := s.keptFiles()
	if _, err := os.Stat(s.file); err != nil {
		// Where a file has one name only it is missing between two steps.
		if len(list) == 0 {
			return false, r, fmt.Errorf("%s is not there, and neither is what a takeover would have kept of it; %s is the new one", s.file, s.ready)
		}
		r.Kept, err = s.exchange(list[len(list)-1])
		return true, r, err
	}
	id, err := queries.Identify(ctx, queries.Source{Engine: queries.SQLite, Path: s.file})
	if err != nil {
		return false, r, err
	}
	if id.Kind != queries.KindReference {
		return false, r, fmt.Errorf("%s is what a takeover made that was cut off, and %s is no database of a 3.x server any more: remove the former if nobody needs it", s.ready, s.file)
	}
	made, err := os.Stat(s.ready)
	if err == nil && (s.changedSince(made.ModTime()) || s.standsIn() && !s.untouched(s.newest())) {
		return false, r, s.giveUp()
	}
	if err != nil {
		return false, r, fmt.Errorf("looking at what a takeover made: %w", err)
	}
	r.Generation = id.Generation
	kept := s.kept(time.Now())
	if s.standsIn() {
		kept = s.newest()
	}
	// The old file may have its other name already.
	for _, file := range list {
		if same(file, s.file) {
			kept = file
		}
	}
	r.Kept, err = s.exchange(kept)
	return true, r, err
}

// giveUp removes the new database of a takeover whose last step did not end. The old one is in its place.
func (s site) giveUp() error {
	if err := s.restore(s.newest()); err != nil {
		return err
	}
	for _, file := range s.keptFiles() {
		if !same(file, s.file) {
			continue
		}
		if err := s.reunite(file); err != nil {
			return err
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing a second name of the old database: %w", err)
		}
	}
	if err := os.Remove(s.ready); err != nil {
		return fmt.Errorf("removing what a takeover made: %w", err)
	}
	return syncFolder(s.file)
}

func same(a, b string) bool {
	one, err1 := os.Stat(a)
	other, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, other)
}

// exchange gives the old file its other name, and the new one its place. Up to the renaming of the new one the old one is
// in its place, or a copy of it, and whole; resume ends what is cut off.
func (s site) exchange(kept string) (string, error) {
	for _, step := range s.steps(kept) {
		if err := step(); err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// steps are those of exchange; after each of them the database in its place is complete.
func (s site) steps(kept string) []func() error {
	return []func() error{
		func() error { return s.keep(kept) },
		func() error {
			info, err := os.Stat(s.file)
			if errors.Is(err, fs.ErrNotExist) { // where files have one name only
				return nil
			}
			if err != nil {
				return fmt.Errorf("looking at the old database: %w", err)
			}
			return s.standIn(s.file, info.Mode().Perm())
		},
		func() error { return putAside(kept, s.file, kept) },
		func() error {
			if err := os.Rename(s.ready, s.file); err != nil {
				return fmt.Errorf("putting the new database in place: %w", err)
			}
			return nil
		},
		func() error { return s.protect(kept) },
	}
}

// keep gives the old file its other name.
func (s site) keep(kept string) error {
	switch _, err := os.Stat(s.file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at the old database: %w", err)
	}
	if same(kept, s.file) || s.standsIn() {
		return nil
	}
	if err := os.Link(s.file, kept); err != nil { // where files have one name only
		err = os.Rename(s.file, kept)
		if err != nil {
			return fmt.Errorf("keeping the old database: %w", err)
		}
	}
	return nil
}

// protect has nobody write to the old database.
func (s site) protect(kept string) error {
	for _, ending := range append([]string{""}, logs...) {
		if err := os.Chmod(kept+ending, 0o400); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("protecting the old database: %w", err)
		}
	}
	return errors.Join(s.removeWhole(), syncFolder(s.file))
}

// syncFolder has names be on the disk.
func syncFolder(file string) error {
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("opening the folder of the database: %w", err)
	}
	_ = dir.Sync() // some systems cannot
	return dir.Close()
}
