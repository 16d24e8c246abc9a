package takeover

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// crashed is a patient whose last transaction is in the write-ahead log of a server that crashed.
func crashed(t *testing.T) (p *patient, log string) {
	t.Helper()
	p = newPatient(t, dbtest.Reference373)
	path := p.inst.Database.Path
	live := filepath.Join(t.TempDir(), "live.sqlite")
	text, err := os.ReadFile(path)
	p.must(err)
	p.must(os.WriteFile(live, text, 0o600))
	db, err := sql.Open("sqlite3", "file:"+live+"?_pragma=journal_mode(wal)&_pragma=wal_autocheckpoint(0)")
	p.must(err)
	_, err = db.ExecContext(t.Context(), `UPDATE organization SET name = 'in the log' WHERE id = 2`)
	p.must(err)
	for _, ending := range []string{"", "-wal"} {
		text, err := os.ReadFile(live + ending)
		p.must(err)
		p.must(os.WriteFile(path+ending, text, 0o600))
		p.hourAgo(path + ending)
	}
	p.must(db.Close())
	p.before = sum(t, path)
	return p, sum(t, path+"-wal")
}

// hourAgo has a file be written to an hour ago, so that nobody watches it.
func (p *patient) hourAgo(path string) {
	p.Helper()
	old := time.Now().Add(-time.Hour)
	p.must(os.Chtimes(path, old, old))
}

// wantOld wants the old file in its place with its log, and nothing of either under another name.
func (p *patient) wantOld(log string) {
	p.Helper()
	path := p.inst.Database.Path
	if sum(p.T, path) != p.before || sum(p.T, path+"-wal") != log {
		p.Error("the old file is not in its place with its log")
	}
	for _, pattern := range []string{".old*", "*.v3-*"} {
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), pattern)); left != nil {
			p.Errorf("%v is left", left)
		}
	}
}

// wantLogCarried wants what is only in the log in the new database.
func (p *patient) wantLogCarried() {
	p.Helper()
	if got := fmt.Sprint(p.query(p.src(), `SELECT name FROM organization WHERE id = 2`)); got != "[[in the log]]" {
		p.Errorf("of the log came %s", got)
	}
}

// TestLogOfACrashGoesAlong: what is only in the write-ahead log is carried, and kept beside the old file, whose bytes
// stay as they are; the way back restores both.
func TestLogOfACrashGoesAlong(t *testing.T) {
	onSQLite(t)
	p, log := crashed(t)
	r := p.take(Options{})
	if sum(t, r.Kept+"-wal") != log {
		t.Error("the log has changed")
	}
	p.wantLogCarried()
	_, err := Back(t.Context(), p.inst)
	p.must(err)
	p.wantOld(log)
}

// TestJournalOfACrashGoesAlong: what a transaction that never ended has written is not carried, the file and its journal stay
// as they are, and the way back restores both.
func TestJournalOfACrashGoesAlong(t *testing.T) {
	onSQLite(t)
	p := newPatient(t, dbtest.Reference373)
	path := p.inst.Database.Path
	live := filepath.Join(t.TempDir(), "live.sqlite")
	text, err := os.ReadFile(path)
	p.must(err)
	p.must(os.WriteFile(live, text, 0o600))
	db, err := sql.Open("sqlite3", "file:"+live+"?_pragma=journal_mode(delete)&_pragma=cache_size(1)&_pragma=cache_spill(1)")
	p.must(err)
	db.SetMaxOpenConns(1)
	for _, statement := range []string{`BEGIN IMMEDIATE`, `UPDATE organization SET name = 'never said'`, `UPDATE result SET log = 'never said'`, `UPDATE task SET name = 'never said'`} {
		_, err = db.ExecContext(t.Context(), statement)
		p.must(err)
	}
	for _, ending := range []string{"", "-journal"} {
		text, err := os.ReadFile(live + ending)
		p.must(err)
		p.must(os.WriteFile(path+ending, text, 0o600))
		p.hourAgo(path + ending)
	}
	_, err = db.ExecContext(t.Context(), `ROLLBACK`)
	p.must(errors.Join(err, db.Close()))
	p.before = sum(t, path)
	journal := sum(t, path+"-journal")
	if written, err := os.ReadFile(path); err != nil || !strings.Contains(string(written), "never said") {
		t.Fatalf("the transaction has written nothing: %v", err)
	}
	p.take(Options{})
	if got := fmt.Sprint(p.query(p.src(), `SELECT (SELECT COUNT(*) FROM organization WHERE name = 'never said'), (SELECT COUNT(*) FROM task WHERE name = 'never said')`)); got != "[[0 0]]" {
		t.Errorf("of what was never said came %s", got)
	}
	_, err = Back(t.Context(), p.inst)
	p.must(err)
	if sum(t, path) != p.before || sum(t, path+"-journal") != journal {
		t.Error("the way back did not restore both")
	}
}

// TestWayBackThatIsCutOffLosesNoTransaction: wherever it ends, the next way back, or takeover, has the log of the old file.
func TestWayBackThatIsCutOffLosesNoTransaction(t *testing.T) {
	onSQLite(t)
	p, log := crashed(t)
	for _, steps := range backSteps() {
		for _, next := range []string{"back", "takeover"} {
			r := p.take(Options{})
			p.backUpTo(r.Kept, steps)
			_, err := Look(t.Context(), p.inst, utc)
			if parted := steps > 0; parted != (err != nil && strings.Contains(err.Error(), "--back again")) {
				t.Errorf("a look after %d steps: %v", steps, err)
			}
			if steps == 2 && next == "takeover" {
				p.take(Options{})
				p.wantLogCarried()
			}
			u, err := Back(t.Context(), p.inst)
			p.must(err)
			if _, err := os.Stat(u.Kept); err != nil {
				t.Errorf("it says that the new database is %q: %v", u.Kept, err)
			}
			p.wantOld(log)
		}
	}
}

// backUpTo goes some of the three steps of a way back, and is cut off there.
func (p *patient) backUpTo(kept string, steps int) {
	p.Helper()
	at, err := siteOf(p.inst.Database.Path)
	p.must(err)
	p.must(queries.Settle(at.file))
	p.must(os.Link(at.file, at.setAside(time.Now())))
	if steps > 0 {
		p.must(putAside(kept, kept, at.back))
	}
	if steps > 1 {
		p.must(os.Chmod(kept, 0o640))
		p.must(os.Rename(kept, at.file))
	}
}

// TestLogComesToNoFileThatWasWrittenTo: what somebody wrote to the old file without its log would be destroyed by it. Both stay,
// and it is told.
func TestLogComesToNoFileThatWasWrittenTo(t *testing.T) {
	onSQLite(t)
	p, log := crashed(t)
	at, err := siteOf(p.inst.Database.Path)
	p.must(err)
	r := p.take(Options{})
	p.backUpTo(r.Kept, 2)
	other := at.file + "-wal"
	p.must(os.WriteFile(other, []byte("of another server"), 0o600))
	_, err = Back(t.Context(), p.inst)
	if err == nil || !strings.Contains(err.Error(), "without them") {
		t.Errorf("beside another log: %v", err)
	}
	p.must(os.Remove(other))
	p.write("written since")
	for range 2 {
		_, back := Back(t.Context(), p.inst)
		_, do := Do(t.Context(), p.inst, utc)
		for what, err := range map[string]error{"the way back": back, "the takeover": do} {
			if err == nil || !strings.Contains(err.Error(), "without them") {
				t.Errorf("%s, after the old server wrote: %v", what, err)
			}
		}
	}
	if sum(t, at.back+"-wal") != log {
		t.Error("the log has changed")
	}
	p.must(os.Remove(at.back + "-wal"))
	p.take(Options{})
	if got := fmt.Sprint(p.query(p.src(), `SELECT name FROM organization WHERE id = 3`)); got != "[[written since]]" {
		t.Errorf("of what the old server wrote came %s", got)
	}
}

// write has the old server write.
func (p *patient) write(name string) {
	p.Helper()
	path := p.inst.Database.Path
	p.must(os.Chmod(path, 0o600))
	db, err := sql.Open("sqlite3", "file:"+path)
	p.must(err)
	_, err = db.ExecContext(p.Context(), `UPDATE organization SET name = ? WHERE id = 3`, name)
	p.must(err)
	p.must(db.Close())
	p.before = sum(p.T, path)
}

// TestTakeoverThatIsCutOffWithinItsLastStep: the way back has the old file whole, the takeover ends it; but not with a new
// database that is older than what the old server wrote since.
func TestTakeoverThatIsCutOffWithinItsLastStep(t *testing.T) {
	onSQLite(t)
	p, log := crashed(t)
	at, err := siteOf(p.inst.Database.Path)
	p.must(err)
	cut := func() {
		t.Helper()
		r := p.take(Options{})
		p.must(os.Rename(at.file, at.ready))
		p.must(os.Link(r.Kept, at.file))
	}
	cut()
	u, err := Back(t.Context(), p.inst)
	if err != nil || u.Kept != "" {
		t.Errorf("the way back: %+v, %v", u, err)
	}
	p.must(os.Chmod(at.file, 0o600))
	p.wantOld(log)

	cut()
	p.take(Options{})
	p.wantLogCarried()
	_, err = Back(t.Context(), p.inst)
	p.must(err)

	p = newPatient(t, dbtest.Reference373)
	at, err = siteOf(p.inst.Database.Path)
	p.must(err)
	cut()
	p.write("written since")
	p.take(Options{})
	if got := fmt.Sprint(p.query(p.src(), `SELECT name FROM organization WHERE id = 3`)); got != "[[written since]]" {
		t.Errorf("of what the old server wrote since came %s", got)
	}
}

// TestFilesWithoutAnEndingAreTakenOverAndBack: what lies beside such a file is none that was kept.
func TestFilesWithoutAnEndingAreTakenOverAndBack(t *testing.T) {
	onSQLite(t)
	p, log := crashed(t)
	old := p.inst.Database.Path
	bare := strings.TrimSuffix(old, ".sqlite")
	for _, ending := range []string{"", "-wal"} {
		p.must(os.Rename(old+ending, bare+ending))
	}
	p.configure(p.inst.DataDir, "sqlite:///"+bare, "")
	for range 2 {
		r := p.take(Options{})
		p.must(os.WriteFile(r.Kept+"-shm", nil, 0o600))
		if u, err := Back(t.Context(), p.inst); err != nil || len(u.Left) > 0 {
			t.Fatal(u, err)
		}
		p.wantOld(log)
		p.hourAgo(bare)
	}
}

// TestSecondWayBackChangesNothing: it says where the new database is, and where there was no takeover that nothing is to undo.
func TestSecondWayBackChangesNothing(t *testing.T) {
	onSQLite(t)
	p := newPatient(t, dbtest.Reference304)
	if _, err := Back(t.Context(), p.inst); err == nil || !strings.Contains(err.Error(), "nothing to undo") {
		t.Errorf("without a takeover: %v", err)
	}
	p.take(Options{})
	first, err := Back(t.Context(), p.inst)
	p.must(err)
	second, err := Back(t.Context(), p.inst)
	if err != nil || second.Kept != first.Kept || sum(t, p.inst.Database.Path) != p.before {
		t.Errorf("the second way back: %+v, %v", second, err)
	}
	p.must(os.Remove(first.Kept))
	if _, err := Back(t.Context(), p.inst); err == nil {
		t.Error("a way back without any new database")
	}
	if _, err := os.Stat(p.inst.Database.Path); err != nil {
		t.Error(err, fs.ErrNotExist)
	}
}

// backSteps are after how many steps a way back is cut off: the last place alone tells most.
func backSteps() []int {
	if promise.Long() {
		return []int{0, 1, 2}
	}
	return []int{2}
}
