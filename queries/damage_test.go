package queries_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

const (
	damagePage  = 4096
	organized   = 80 // transactions of two organizations
	logged      = 40 // more of them, few enough to stay in the log
	restoreHint = "vserver restore"
)

// patient is a database with some megabytes in it, to be damaged.
type patient struct {
	sound      []byte // the file
	early, log []byte // the file before, and the write-ahead log that leads from there to sound
	sum        string // of what can be read
	root       int    // the page that every look at the organizations reads
}

func newPatient(t *testing.T) patient {
	t.Helper()
	f := failing{src: queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "p.sqlite")}}
	db, err := queries.Open(t.Context(), f.src)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(from, to int) {
		for k := from; k < to; k++ {
			if err := f.write(t, db, fmt.Sprintf("o%d ", k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(0, organized)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var p patient
	if p.early, err = os.ReadFile(f.src.Path); err != nil {
		t.Fatal(err)
	}
	if db, err = queries.Open(t.Context(), f.src); err != nil {
		t.Fatal(err)
	}
	fill(organized, organized+logged)
	if p.log, err = os.ReadFile(f.src.Path + "-wal"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if p.sound, err = os.ReadFile(f.src.Path); err != nil {
		t.Fatal(err)
	}
	if p.sum, err = use(t, f.src.Path); err != nil {
		t.Fatal(err)
	}
	raw, err := dbtest.SQL(f.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	err = raw.QueryRowContext(t.Context(), "SELECT rootpage - 1 FROM sqlite_schema WHERE name = 'organization'").Scan(&p.root)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// use opens a database, reads all organizations in two ways and writes one; it gives a
// text of all that was read.
func use(t *testing.T, path string) (sum string, err error) {
	t.Helper()
	db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: path})
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.ListOrganizations(t.Context(), queries.ListOrganizationsParams{Lim: 10_000})
	if err != nil {
		return "", queries.Named(err)
	}
	var text strings.Builder
	for _, o := range rows {
		again, err := db.GetOrganization(t.Context(), o.ID)
		if err != nil {
			return "", queries.Named(err)
		}
		fmt.Fprintf(&text, "%d %s %x\n", again.ID, *again.Name, again.PublicKey)
	}
	name := "written"
	return text.String(), db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name, PublicKey: make([]byte, 6000)})
		return err
	})
}

// lay puts a damaged file where it can be opened.
func lay(t *testing.T, file, log []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "d.sqlite")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if log != nil {
		if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func flipped(file []byte, at int) []byte {
	file = append([]byte{}, file...)
	file[at] ^= byte(1 + rand.IntN(255))
	return file
}

// TestReliability_R4_AFlippedByteInAPagesHead damages the head of pages: the check that
// `vserver doctor` makes finds every one, and use either does not touch the page or
// fails with a message that names the way back. Nothing panics.
func TestReliability_R4_AFlippedByteInAPagesHead(t *testing.T) {
	p := newPatient(t)
	rounds := 24
	if promise.Long() {
		rounds = 3000
	}
	failed := 0
	for round := range rounds {
		page := rand.IntN(len(p.sound) / damagePage)
		if round == 0 {
			page = p.root
		}
		at := page * damagePage
		if page == 0 {
			at = 100 // after the head of the file
		}
		// The kind of the page, or where a long value goes on; or the number of its rows,
		// some of which are not found then.
		kind := round == 0 || round%2 == 1 || binary.BigEndian.Uint16(p.sound[at:]) == 0
		if !kind {
			at += 3
		}
		file := append([]byte{}, p.sound...)
		file[at] ^= byte(0x80 + rand.IntN(0x80)) // no other kind of page has this bit
		path := lay(t, file, nil)
		if err := queries.ProveSQLite(path); err == nil {
			t.Errorf("byte %d of page %d: the check finds nothing", at%damagePage, page+1)
		}
		if _, err := use(t, path); err != nil {
			failed++
			if kind && !strings.Contains(err.Error(), restoreHint) {
				t.Errorf("byte %d of page %d: using it says only: %v", at%damagePage, page+1, err)
			}
		}
	}
	t.Logf("%d of %d were met at use", failed, rounds)
	if failed == 0 {
		t.Error("not even the damage to what every look reads was met at use")
	}
}

// TestReliability_R4_AFlippedByteAnywhere damages any byte. Nothing panics, and what makes
// no sense is refused with the way back. The content of a value has no checksum: a change
// in there alone is not found.
func TestReliability_R4_AFlippedByteAnywhere(t *testing.T) {
	p := newPatient(t)
	rounds := 24
	if promise.Long() {
		rounds = 3000
	}
	found, met, unnamed, other := 0, 0, 0, 0
	for range rounds {
		path := lay(t, flipped(p.sound, rand.IntN(len(p.sound))), nil)
		doctor := queries.ProveSQLite(path)
		sum, err := use(t, path)
		switch {
		case err != nil && strings.Contains(err.Error(), restoreHint):
			met++
			if doctor == nil {
				t.Errorf("using it says %v, the check nothing", err)
			}
		case err != nil: // a row or a name that is another one now
			unnamed++
			t.Logf("using it says %v, the check %v", err, doctor)
		case sum != p.sum:
			other++
		}
		if doctor != nil {
			found++
		}
	}
	t.Logf("of %d: %d found by the check, %d named at use, %d failed otherwise, %d read other values", rounds, found, met, unnamed, other)
}

// TestReliability_R4_ATruncatedFile cuts the database.
func TestReliability_R4_ATruncatedFile(t *testing.T) {
	p := newPatient(t)
	for _, size := range []int{1, 99, 100, 512, damagePage - 1, damagePage, damagePage + 1, len(p.sound) / 2, len(p.sound) - damagePage, len(p.sound) - 1} {
		path := lay(t, p.sound[:size], nil)
		if err := queries.ProveSQLite(path); err == nil {
			t.Errorf("%d bytes: the check finds nothing", size)
		}
		if _, err := use(t, path); err == nil || !strings.Contains(err.Error(), restoreHint) {
			t.Errorf("%d bytes: using it says %v", size, err)
		}
	}
}

// TestReliability_R4_ATruncatedLog cuts the write-ahead log, or flips a byte of it. What
// is left is the state after one of the transactions, whole. Where the file had all of
// them already, the older pages in the log may not fit it: then the check finds that.
func TestReliability_R4_ATruncatedLog(t *testing.T) {
	p := newPatient(t)
	rounds := 16
	if promise.Long() {
		rounds = 1000
	}
	shorter, mixed := 0, 0
	for round := range rounds {
		file, log := p.early, p.log[:rand.IntN(len(p.log))]
		if round%2 == 0 {
			log = flipped(p.log, rand.IntN(len(p.log)))
		}
		if round%4 > 1 {
			file = p.sound
		}
		path := lay(t, file, log)
		if err := queries.ProveSQLite(path); err != nil {
			mixed++
			if round%4 < 2 {
				t.Errorf("round %d: %.200v", round, err)
			}
			if _, err = use(t, path); err != nil && !strings.Contains(err.Error(), restoreHint) {
				t.Errorf("round %d: using it says only: %v", round, err)
			}
			continue
		}
		sum, err := use(t, path)
		if err != nil || !strings.HasPrefix(p.sum, sum) || strings.Count(sum, "\n")%2 != 0 {
			t.Errorf("round %d: %d lines are left, %v: no state after a transaction", round, strings.Count(sum, "\n"), err)
		}
		if sum != p.sum {
			shorter++
		}
	}
	t.Logf("of %d: %d have fewer transactions, %d were found damaged", rounds, shorter, mixed)
	if shorter == 0 {
		t.Error("the log made no difference")
	}
}
