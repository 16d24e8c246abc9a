package takeover

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/config"
)

// goTo takes a database over into another place, and has the instance use that.
func (p *patient) goTo(uri string) {
	p.Helper()
	_, moved, err := To(p.Context(), config.ThisMachine(os.Getenv), p.inst, config.Secret(uri), utc)
	p.must(err)
	if moved.Rows == 0 || moved.Settings["uri"] == "" {
		p.Errorf("it says %+v", moved)
	}
	p.configure(p.inst.DataDir, uri, "")
}

// TestTakeoverInto: the new database stands in another place, the old one stays where and as it was, with nothing beside it.
func TestTakeoverInto(t *testing.T) {
	onSQLite(t)
	p, log := crashed(t)
	old := p.inst.Database.Path
	elsewhere := filepath.Join(t.TempDir(), "new.sqlite")
	p.goTo("sqlite:///" + elsewhere)
	p.wantLogCarried()
	p.goOn(false)
	_, _, err := To(t.Context(), config.ThisMachine(os.Getenv), p.inst, config.Secret("sqlite:///"+elsewhere), utc)
	if full := (*queries.FullError)(nil); !errors.As(err, &full) {
		t.Errorf("into a place that is not empty: %v", err)
	}
	p.configure(p.inst.DataDir, "sqlite:///"+old, "")
	p.wantOld(log)
}

// TestTakeoverIntoTheOtherEngine: from a file into PostgreSQL, and from PostgreSQL into a file.
func TestTakeoverIntoTheOtherEngine(t *testing.T) {
	empty := dbtest.Postgres(t)
	p := newPatient(t, dbtest.Reference373)
	p.goTo(strings.Replace(empty.DSN, "postgres://", "postgresql://", 1))
	p.goOn(false)

	p = newPostgres(t)
	before, old := p.oldSums("public"), p.src()
	p.goTo("sqlite:///" + filepath.Join(t.TempDir(), "new.sqlite"))
	p.goOn(false)
	if got := fmt.Sprint(p.query(p.src(), `SELECT COUNT(*) FROM result`)); got != "[[29]]" {
		t.Errorf("there are %s results", got)
	}
	p.configure(p.inst.DataDir, strings.Replace(old.DSN, "postgres://", "postgresql://", 1), "")
	if after := p.oldSums("public"); after != before {
		t.Errorf("the old tables were\n%s\nand are\n%s", before, after)
	}
	if left := p.query(p.src(), `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'v%'`); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestTakeoverSaysThatNobodyHasRoot, of a file that an import made before the server ever started.
func TestTakeoverSaysThatNobodyHasRoot(t *testing.T) {
	onSQLite(t)
	const told = "users, of whom none has the role Root"
	for name, want := range map[string]int64{dbtest.ReferenceImported: 3, dbtest.Reference373: 0, dbtest.Reference304: 0} {
		r, err := Look(t.Context(), newPatient(t, name).inst, utc)
		if err != nil {
			t.Fatal(err)
		}
		var count int64
		for _, c := range r.Changes {
			if c.What == told {
				count = c.Count
			}
		}
		if count != want {
			t.Errorf("%s: it tells of %d users, want %d", name, count, want)
		}
	}
}
