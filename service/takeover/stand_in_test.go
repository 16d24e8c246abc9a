package takeover

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vserver/queries"
	"vserver/service/promise"
)

// wantWhole wants the place to hold the old database or the new one, complete for every program that opens it now.
func (p *patient) wantWhole(after string) {
	p.Helper()
	file := filepath.Join(p.TempDir(), "seen.sqlite")
	for _, ending := range append([]string{""}, logs...) {
		if text, err := os.ReadFile(p.inst.Database.Path + ending); err == nil {
			p.must(os.WriteFile(file+ending, text, 0o600))
		}
	}
	src := queries.Source{Engine: queries.SQLite, Path: file}
	if got := fmt.Sprint(p.query(src, `SELECT name FROM organization WHERE id = 2`)); got != "[[in the log]]" {
		p.Errorf("after %s there is %s", after, got)
	}
	if got := fmt.Sprint(p.query(src, `PRAGMA integrity_check`)); got != "[[ok]]" {
		p.Errorf("after %s: %s", after, got)
	}
}

// cutTakeover goes some of the steps that put the new database in its place, and no further.
func (p *patient) cutTakeover(steps int) {
	p.Helper()
	at, err := siteOf(p.inst.Database.Path)
	p.must(err)
	old, before, err := at.openUnused(p.Context(), p.inst)
	p.must(err)
	_, err = at.buildFresh(p.Context(), p.inst, old, before, utc)
	p.must(err)
	p.must(old.Close())
	now := time.Now().Add(-50 * time.Minute) // nobody has to watch what is written later
	p.must(os.Chtimes(at.fresh, now, now))
	p.must(os.Rename(at.fresh, at.ready))
	for _, step := range at.steps(at.kept(now))[:steps] {
		p.must(step())
	}
}

// TestEveryStepOfATakeoverLeavesACompleteDatabase, with all that is only in the log of a crash, whatever program opens it then;
// the next takeover ends it, the way back has the old file to the byte.
func TestEveryStepOfATakeoverLeavesACompleteDatabase(t *testing.T) {
	onSQLite(t)
	for steps := range len(site{}.steps("")) + 1 {
		if !promise.Long() && steps != 3 { // there the log is away
			continue
		}
		for _, next := range []string{"back", "takeover"} {
			t.Run(fmt.Sprint(steps, next), func(t *testing.T) {
				p, log := crashed(t)
				p.cutTakeover(steps)
				p.wantWhole(fmt.Sprint(steps, " steps"))
				if next == "takeover" {
					p.takeIfWanted()
					p.wantWhole("the takeover")
				}
				_, err := Back(t.Context(), p.inst)
				p.must(err)
				p.wantOld(log)
			})
		}
	}
}

// takeIfWanted does what a start does.
func (p *patient) takeIfWanted() {
	p.Helper()
	if wanted, err := Wanted(p.Context(), p.inst); err != nil || wanted {
		p.take(Options{})
	}
}

// cutBack goes some of the steps of a way back.
func (p *patient) cutBack(kept string, steps int) {
	p.Helper()
	at, err := siteOf(p.inst.Database.Path)
	p.must(err)
	p.must(queries.Settle(at.file))
	p.must(os.Link(at.file, at.setAside(time.Now())))
	for _, step := range []func() error{
		func() error { return at.standIn(kept, 0o640) },
		func() error { return at.logsBack(kept) },
		func() error { return os.Chmod(kept, 0o640) },
		func() error { return os.Rename(kept, at.file) },
	}[:steps] {
		p.must(step())
	}
}

// TestEveryStepOfAWayBackLeavesACompleteDatabase in the same way.
func TestEveryStepOfAWayBackLeavesACompleteDatabase(t *testing.T) {
	onSQLite(t)
	for steps := range 5 {
		if !promise.Long() && steps != 2 { // there the log is back before its database
			continue
		}
		for _, next := range []string{"back", "takeover"} {
			t.Run(fmt.Sprint(steps, next), func(t *testing.T) {
				p, log := crashed(t)
				p.cutBack(p.take(Options{}).Kept, steps)
				p.wantWhole(fmt.Sprint(steps, " steps"))
				if next == "takeover" {
					p.takeIfWanted()
					p.wantWhole("the takeover")
				}
				_, err := Back(t.Context(), p.inst)
				p.must(err)
				p.wantOld(log)
			})
		}
	}
}

// TestOldServerMayWorkWhereATakeoverWasCutOff: what it writes is carried by the next takeover, beside all that it had before.
func TestOldServerMayWorkWhereATakeoverWasCutOff(t *testing.T) {
	onSQLite(t)
	for steps := 1; steps < 4; steps++ {
		p, _ := crashed(t)
		p.cutTakeover(steps)
		p.write("written since")
		since := time.Now().Add(-10 * time.Minute)
		p.must(os.Chtimes(p.inst.Database.Path, since, since))
		p.wantWhole("the old server")
		p.take(Options{})
		p.wantLogCarried()
		if got := fmt.Sprint(p.query(p.src(), `SELECT name FROM organization WHERE id = 3`)); got != "[[written since]]" {
			t.Errorf("after %d steps, of what the old server wrote since came %s", steps, got)
		}
		_, err := Back(t.Context(), p.inst)
		p.must(err)
		p.wantWhole("the way back")
		if left, _ := filepath.Glob(filepath.Join(p.inst.DataDir, ".old*")); len(left) > 0 {
			t.Errorf("after %d steps %s is left", steps, strings.Join(left, ", "))
		}
	}
}
