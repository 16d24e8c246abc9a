package queries_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/fault"
	"vserver/service/promise"
)

// TestReliability_R3 has the n-th write or sync below SQLite fail, once or with all after
// it: in the long run for every n = 1…300 and both ways, else for every seventh. Nothing is acknowledged that is not there afterwards, what was
// acknowledged can be read meanwhile, and the database goes on when the disk does.
func TestReliability_R3_TheNthWriteFails(t *testing.T) {
	const last = 300
	var template dbtest.Template
	if template.Copy(t).Engine != queries.SQLite {
		t.Skip("skipped: faults are put below SQLite only")
	}
	disk := dbtest.NewDisk(t)
	sound := failing{disk: disk, src: template.Copy(t)}
	sound.run(t, 0, false)
	if sound.writes < last {
		t.Fatalf("a run without faults writes %d times: that is no load", sound.writes)
	}
	kinds, step, first := []bool{false, true}, 1, 1
	if !promise.Long() {
		step, first = 7, 1+rand.IntN(7)
	}
	runs, met, kept := 0, 0, 0
	for n := first; n <= last; n += step {
		if step > 1 {
			kinds = []bool{n%2 == 0}
		}
		for _, on := range kinds {
			f := failing{disk: disk, src: template.Copy(t)}
			f.run(t, n, on)
			runs++
			if f.met {
				met++
			}
			kept += len(f.acknowledged)
			if t.Failed() {
				t.Fatalf("failed for write %d, with all after it: %v", n, on)
			}
		}
	}
	t.Logf("%d of %d runs met their fault, %d transactions were acknowledged", met, runs, kept)
	if met < runs*9/10 {
		t.Errorf("only %d runs met their fault", met)
	}
}

// failing is a run on a disk that fails.
type failing struct {
	disk   *dbtest.Disk
	src    queries.Source
	writes int
	met    bool // the fault came

	mu           sync.Mutex
	acknowledged []string
}

// run opens the database twice and writes, the second time from several sides, while
// the n-th write fails; then the disk heals.
func (f *failing) run(t *testing.T, n int, on bool) {
	t.Helper()
	f.disk.FailAt(n, on)
	src := f.src
	src.VFS = f.disk.Name
	if db := f.open(t, src); db != nil {
		for k := range 12 {
			before := f.disk.Failed()
			err := f.write(t, db, fmt.Sprintf("alone %d", k))
			if err == nil && (f.disk.Failed() > before || on && before > 0) {
				t.Error("a transaction was acknowledged although its write failed")
			}
			f.read(t, db)
		}
		_ = db.Close() // what it cannot move out of the log stays there
	}
	db := f.open(t, src)
	if db != nil {
		f.together(t, db, on)
		f.read(t, db)
	}
	f.writes, f.met = f.disk.Writes(), f.disk.Failed() > 0
	f.disk.Heal()
	if db == nil {
		if db = f.open(t, src); db == nil {
			t.Fatal("the database does not open on a sound disk")
		}
	}
	f.resumes(t, db)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	f.audit(t)
}

// open returns nil when it failed because of the disk.
func (f *failing) open(t *testing.T, src queries.Source) *queries.DB {
	t.Helper()
	before := f.disk.Failed()
	db, err := queries.Open(t.Context(), src)
	if err != nil && f.disk.Failed() == before {
		t.Errorf("opening without a fault: %v", err)
	}
	return db
}

// write makes two organizations in one transaction.
func (f *failing) write(t *testing.T, db *queries.DB, name string) error {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		for _, half := range []string{"a", "b"} {
			whole := name + half
			_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &whole, PublicKey: make([]byte, 6000)})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.acknowledged = append(f.acknowledged, name)
	}
	return err
}

// together writes from four sides, so that transactions share a commit.
func (f *failing) together(t *testing.T, db *queries.DB, on bool) {
	t.Helper()
	before := f.disk.Failed()
	var sides sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for side := range 4 {
		sides.Go(func() {
			for k := range 6 {
				broken := f.disk.Failed() > 0
				err := f.write(t, db, fmt.Sprintf("side %d %d", side, k))
				if err == nil && on && broken {
					t.Error("a transaction was acknowledged on a broken disk")
				}
				mu.Lock()
				if err != nil {
					refused++
				}
				mu.Unlock()
			}
		})
	}
	sides.Wait()
	if f.disk.Failed() > before && refused == 0 {
		t.Error("a write failed and nobody was told")
	}
}

// read wants every acknowledged row, whatever the disk does.
func (f *failing) read(t *testing.T, db *queries.DB) {
	t.Helper()
	rows, err := db.ListOrganizations(t.Context(), queries.ListOrganizationsParams{Lim: 1000})
	if err != nil {
		t.Errorf("reading: %v", err)
	}
	there := map[string]bool{}
	for _, o := range rows {
		there[*o.Name] = true
	}
	for _, name := range f.acknowledged {
		if !there[name+"a"] || !there[name+"b"] {
			t.Errorf("%q was acknowledged and is not there", name)
		}
	}
}

// resumes wants the next writes to get through within five seconds.
func (f *failing) resumes(t *testing.T, db *queries.DB) {
	t.Helper()
	end := time.Now().Add(promise.Within(5 * time.Second))
	for k := 0; ; k++ {
		err := f.write(t, db, fmt.Sprintf("again %d", k))
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("writes do not resume: %v", err)
		}
	}
}

// audit looks at the file as it lies on the disk.
func (f *failing) audit(t *testing.T) {
	t.Helper()
	if err := queries.ProveSQLite(f.src.Path); err != nil {
		t.Error(err)
	}
	db, err := queries.Open(t.Context(), f.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	f.read(t, db)
	n, err := db.Count(t.Context(), queries.ListOrganizations, queries.ListOrganizationsParams{})
	if err != nil || n%2 != 0 {
		t.Errorf("%d organizations, %v: half a transaction is there", n, err)
	}
}

// TestReliability_R2 fills the disk below SQLite: writes are refused as the fault of a
// full storage, reads go on, and writes resume when there is room.
func TestReliability_R2_TheDiskIsFull(t *testing.T) {
	var template dbtest.Template
	f := failing{disk: dbtest.NewDisk(t), src: template.Copy(t)}
	if f.src.Engine != queries.SQLite {
		t.Skip("skipped: the disk is that of SQLite")
	}
	src := f.src
	src.VFS = f.disk.Name
	db := f.open(t, src)
	for round := range 3 {
		f.disk.Fill()
		refused := 0
		for k := range 20 {
			err := f.write(t, db, fmt.Sprintf("full %d %d", round, k))
			if err != nil && !fault.Is(err, fault.Full) {
				t.Errorf("round %d: %v", round, err)
			}
			if err != nil {
				refused++
			}
			f.read(t, db)
		}
		if refused == 0 {
			t.Fatal("the disk was never full")
		}
		f.disk.Heal()
		f.resumes(t, db)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	f.audit(t)
}
