package takeover

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"vserver/queries/dbtest"
	"vserver/service"
	"vserver/service/core"
	"vserver/service/promise"
)

// TestLargeDatabaseIsTakenOverAndBack: ten texts of 100 MiB take no more memory than small ones, and many rows made since do
// not keep the way back from ending within a minute.
func TestLargeDatabaseIsTakenOverAndBack(t *testing.T) {
	onSQLite(t)
	const most = 200 << 10 // KiB
	texts, large, rows := 1, 8<<20, 5_000
	if promise.Long() {
		texts, large, rows = 10, 100<<20, 500_000
	}
	p := newPatient(t, dbtest.Reference373)
	for range texts { // on a connection each, whose memory is small
		p.exec(fmt.Sprintf(`INSERT INTO result (task_id, organization_id, input, status) VALUES (3, 2, zeroblob(%d), 'completed')`, large))
	}
	p.before = sum(t, p.inst.Database.Path)
	p.hourAgo(p.inst.Database.Path)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilledProcess$", "-test.v")
	cmd.Env = append(os.Environ(), killedEnv+"="+filepath.Join(p.inst.DataDir, "old.yaml"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var peak int64 // KiB
	if _, after, found := strings.Cut(string(out), "VmHWM:"); found {
		_, err = fmt.Sscan(after, &peak)
		p.must(err)
	}
	t.Logf("%d texts of %d MiB took %d MiB of memory", texts, large>>20, peak>>10)
	if peak == 0 || peak > most && promise.Long() { // the race detector takes its own
		t.Errorf("it took %d MiB of memory", peak>>10)
	}
	got := fmt.Sprint(p.query(p.src(), `SELECT COUNT(*), MIN(bytes) FROM stream WHERE part = 'input' AND bytes > 1000000`))
	if want := fmt.Sprintf("[[%d %d]]", texts, large); got != want {
		t.Errorf("there are texts of %s, want %s", got, want)
	}
	p.exec(`UPDATE counter SET value = value - 10 WHERE name = 'taken_over'`, fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO task (name, collaboration_id) SELECT 'since ' || i, 4 FROM n`, rows))
	began := time.Now()
	u, err := Back(t.Context(), p.inst)
	p.must(err)
	took := time.Since(began)
	t.Logf("the way back with %d rows took %s", rows, took)
	if took > promise.Within(time.Minute) || fmt.Sprint(u.Left) != fmt.Sprintf("[{task %d 0}]", rows) || sum(t, p.inst.Database.Path) != p.before {
		t.Errorf("after %s: %+v", took, u)
	}
}

// TestManyNodesAreInSoonWhenTheirKeysWereGiven: 300 of them, at once, within ten seconds.
func TestManyNodesAreInSoonWhenTheirKeysWereGiven(t *testing.T) {
	onSQLite(t)
	nodes := 30
	if promise.Long() {
		nodes = 300
	}
	var change []string
	var given []core.GivenKey
	for i := range nodes {
		key := fmt.Sprint("key-", i)
		hash, err := bcrypt.GenerateFromPassword([]byte(key), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint("hospital number ", i, ".")
		change = append(change, fmt.Sprintf(`INSERT INTO collaboration (id, name, encrypted) VALUES (%d, '%s', 0)`, 1000+i, name),
			fmt.Sprintf(`INSERT INTO Member VALUES (2, %d)`, 1000+i),
			fmt.Sprintf(`INSERT INTO authenticatable (id, type) VALUES (%d, 'node')`, 1000+i),
			fmt.Sprintf(`INSERT INTO node (id, name, api_key, collaboration_id, organization_id) VALUES (%d, '%s', '%s', %d, 2)`, 1000+i, name, hash, 1000+i))
		given = append(given, core.GivenKey{Key: key, Place: name, Hints: []string{name}})
	}
	p := newPatient(t, dbtest.Reference373, strings.Join(change, ";"))
	p.take(Options{})
	opened, err := service.OpenInstance(t.Context(), p.inst, false, zerolog.Nop())
	p.must(err)
	report, err := opened.Core.ConvertGivenKeys(t.Context(), given, func(int, int) {})
	p.must(err)
	p.must(opened.Close())
	if report.Converted != nodes {
		t.Errorf("%d keys were converted", report.Converted)
	}
	p.serve()
	began := time.Now()
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() {
			if status, reply := p.call("POST", "/token/node", "", map[string]any{"api_key": given[i].Key}); status != http.StatusOK {
				t.Errorf("node %d: %d %v", i, status, reply)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	t.Logf("%d nodes were in after %s", nodes, took)
	if took > promise.Within(10*time.Second) {
		t.Errorf("%d nodes were in after %s", nodes, took)
	}
}
