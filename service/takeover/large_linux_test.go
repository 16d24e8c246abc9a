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
	peak, _ := p.takeApart()
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

// takeApart takes over in a process of its own, and returns the most memory in KiB that it had, and how long it took.
func (p *patient) takeApart() (peak int64, took time.Duration) {
	p.Helper()
	cmd := exec.CommandContext(p.Context(), os.Args[0], "-test.run", "^TestKilledProcess$", "-test.v")
	cmd.Env = append(os.Environ(), killedEnv+"="+filepath.Join(p.inst.DataDir, "old.yaml"))
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(began)
	if err != nil {
		p.Fatalf("%v\n%s", err, out)
	}
	if _, after, found := strings.Cut(string(out), "VmHWM:"); found {
		_, err = fmt.Sscan(after, &peak)
		p.must(err)
	}
	return peak, took
}

// TestMillionResultsAreTakenOverWithinAMinute, and with ten texts of 100 MiB besides, in little memory, on both engines.
func TestMillionResultsAreTakenOverWithinAMinute(t *testing.T) {
	const most = 200 << 10 // KiB
	rows, texts, large := 2_000, 1, 1<<20
	if promise.Long() {
		rows, texts, large = 1_000_000, 10, 100<<20
	}
	for _, c := range []struct {
		name  string
		texts int
		limit time.Duration
	}{{"rows", 0, promise.Within(time.Minute)}, {"texts besides", texts, promise.Patience}} {
		t.Run(c.name, func(t *testing.T) {
			p := manyResults(t, rows, c.texts, large)
			peak, took := p.takeApart()
			t.Logf("%d results of 1 kB and %d of %d MiB took %s and %d MiB of memory", rows, c.texts, large>>20, took, peak>>10)
			if peak == 0 || promise.Long() && peak > most || took > c.limit {
				t.Errorf("it took %s and %d MiB of memory", took, peak>>10)
			}
			got := fmt.Sprint(p.query(p.src(), `SELECT (SELECT COUNT(*) FROM result), (SELECT COUNT(*) FROM stream WHERE bytes > 1000000)`))
			if want := fmt.Sprintf("[[%d %d]]", 29+rows+c.texts, c.texts); got != want {
				t.Errorf("there are results and long texts %s, want %s", got, want)
			}
		})
	}
}

// manyResults is a patient with many results of 1 kB, and a few with a large input.
func manyResults(t *testing.T, rows, texts, large int) *patient {
	t.Helper()
	const many = `INSERT INTO result (id, task_id, organization_id, result, status) SELECT 1000 + i, 3, 2, %s, 'completed' FROM %s`
	const few = `INSERT INTO result (id, task_id, organization_id, input, status) VALUES (%d, 3, 2, %s, 'completed')`
	postgres := os.Getenv("VSERVER_TEST_POSTGRES") != ""
	text, numbers, long := "hex(randomblob(500))", fmt.Sprintf("(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n)", rows), fmt.Sprintf("zeroblob(%d)", large)
	if postgres {
		text, numbers, long = "repeat(md5(i::text), 31)", fmt.Sprintf("generate_series(1, %d) i", rows), fmt.Sprintf("repeat('y', %d)", large)
	}
	change := []string{fmt.Sprintf(many, text, numbers)}
	for i := range texts {
		change = append(change, fmt.Sprintf(few, 100+i, long))
	}
	if postgres {
		return newPostgres(t, change...)
	}
	return newPatient(t, dbtest.Reference373, change...)
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
