package takeover

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// killedEnv has a copy of the test program do the work, to be killed.
const killedEnv = "VSERVER_TEST_KILLED_TAKEOVER"

// TestKilledProcess is the process that TestKilledTakeoverLeavesOldOrNew kills.
func TestKilledProcess(t *testing.T) {
	file := os.Getenv(killedEnv)
	if file == "" {
		t.Skip("runs within another test")
	}
	p := &patient{T: t}
	p.configureFile(file)
	if wanted, err := Wanted(t.Context(), p.inst); err == nil && !wanted {
		_, err = Back(t.Context(), p.inst)
		p.must(err)
		return
	}
	_, err := Do(t.Context(), p.inst, utc)
	p.must(err)
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		t.Log(string(status)) // with the most memory that it had
	}
}

// TestKilledTakeoverLeavesOldOrNew: whenever the process is killed, the old file is in its place byte for byte, or the new one is
// whole and the old one beside it; the next try ends it. The way back is killed as well.
func TestKilledTakeoverLeavesOldOrNew(t *testing.T) {
	onSQLite(t)
	rounds := 6
	if promise.Long() {
		rounds = 50
	}
	p := newPatient(t, dbtest.Reference373)
	for range rounds {
		p.killedAfter(700)
		id, err := queries.Identify(t.Context(), p.src())
		p.must(err)
		switch id.Kind {
		case queries.KindReference:
			if sum(t, p.inst.Database.Path) != p.before {
				t.Fatal("the old file has changed")
			}
		case queries.KindOurs:
			if _, err := queries.VerifySQLite(p.inst.Database.Path); err != nil {
				t.Fatal(err)
			}
			at, err := siteOf(p.inst.Database.Path)
			p.must(err)
			if list := at.keptFiles(); len(list) == 0 || sum(t, list[len(list)-1]) != p.before {
				t.Fatalf("the old file is not beside it: %v", list)
			}
		default:
			t.Fatalf("there is %+v", id)
		}
	}
	if wanted, err := Wanted(t.Context(), p.inst); err != nil || wanted {
		p.take(Options{})
	}
	if got := fmt.Sprint(p.query(p.src(), `SELECT COUNT(*) FROM result`)); got != "[[29]]" {
		t.Errorf("there are %s results", got)
	}
}

// killedAfter has another process take over, or go back, and kills it before so many milliseconds are over.
func (p *patient) killedAfter(most int) {
	p.Helper()
	cmd := exec.CommandContext(p.Context(), os.Args[0], "-test.run", "^TestKilledProcess$")
	cmd.Env = append(os.Environ(), killedEnv+"="+filepath.Join(p.inst.DataDir, "old.yaml"))
	p.must(cmd.Start())
	<-time.After(time.Duration(50+rand.IntN(most)) * time.Millisecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// TestKilledTakeoverOfTablesLeavesOldOrNew is the same on Postgres: the old tables are in their place or in the schema
// where they are kept, as they were.
func TestKilledTakeoverOfTablesLeavesOldOrNew(t *testing.T) {
	p := newPostgres(t)
	before := p.oldSums("public")
	rounds := 4
	if promise.Long() {
		rounds = 50
	}
	seen := map[queries.Kind]int{}
	for range rounds {
		p.killedAfter(2500)
		p.aloneAgain()
		id, err := queries.Identify(t.Context(), p.src())
		p.must(err)
		seen[id.Kind]++
		where := "public"
		if id.Kind == queries.KindOurs {
			where, err = queries.KeptSchema(t.Context(), p.src())
			p.must(err)
		} else if id.Kind != queries.KindReference {
			t.Fatalf("there is %+v", id)
		}
		if p.oldSums(where) != before {
			t.Fatalf("the old tables in %s have changed", where)
		}
	}
	t.Logf("after the kills there was %v", seen)
	if wanted, err := Wanted(t.Context(), p.inst); err != nil || wanted {
		p.take(Options{})
	}
	if got := fmt.Sprint(p.query(p.src(), `SELECT COUNT(*) FROM result`)); got != "[[29]]" {
		t.Errorf("there are %s results", got)
	}
}

// aloneAgain waits until the database has noticed that a process is gone.
func (p *patient) aloneAgain() {
	p.Helper()
	for end := time.Now().Add(promise.Patience); ; {
		who, err := queries.OthersOf(p.Context(), p.src())
		p.must(err)
		if who == "" {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("%s is still there", who)
		}
		<-time.After(20 * time.Millisecond)
	}
}
