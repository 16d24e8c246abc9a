package cli_test

import (
	"database/sql"
	"fmt"
	"hash/fnv"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// TestReliability_R11_BackupUnderLoad backs the database up again and again while
// clients post tasks. Each copy, restored elsewhere, is the database at one commit: all
// that was acknowledged before is in it, nothing without what came before it, and
// nothing but what the database holds.
func TestReliability_R11_BackupUnderLoad(t *testing.T) {
	rounds, every := 5, 200*time.Millisecond
	if promise.Long() {
		rounds, every = 60, time.Second
	}
	s := newVictim(t)
	if s.src.Engine == queries.Postgres {
		for _, name := range []string{"pg_dump", "pg_restore"} {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("skipped: %s is not installed", name)
			}
		}
	}
	s.start(t)
	s.setStage(t)
	var made []backup
	s.load(t, func() {
		defer s.kill()
		made = s.backUp(t, rounds, every)
	})
	elsewhere := newVictim(t)
	origin := wholeTasks(t, s.src)
	during := 0
	for _, b := range made {
		during += b.during(s.acknowledged)
		elsewhere.do(t, "restore", b.file)
		s.auditOf(t, elsewhere.src, s.acknowledged[:b.known])
		s.isOneCommit(t, elsewhere.src, origin)
	}
	if during < len(made) {
		t.Errorf("only %d tasks were acknowledged while %d backups were made", during, len(made))
	}
	s.logDelay(t, made)
	s.proveLoad(t, 1)
	elsewhere.start(t)
	elsewhere.token = s.token // which the copy's accounts hold good
	elsewhere.must(t, "GET", fmt.Sprintf("/task/%d", s.acknowledged[0].id), nil, nil)
}

// backup is a copy that was made under load.
type backup struct {
	file       string
	known      int // so many tasks were acknowledged before it began
	began, end time.Time
}

// backUp makes copies as an administrator does.
func (s *victim) backUp(t *testing.T, rounds int, every time.Duration) (made []backup) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range rounds {
		b := backup{file: filepath.Join(filepath.Dir(s.config), fmt.Sprintf("copy-%d", i)), known: s.known(), began: time.Now()}
		if out, err := s.command("backup", b.file, "--config", s.config, "--environment", "test").CombinedOutput(); err != nil {
			t.Errorf("backup %d: %v: %s", i, err, out)
			return made
		}
		b.end = time.Now()
		made = append(made, b)
		<-tick.C
	}
	return made
}

// do runs a command on the server's configuration.
func (s *victim) do(t *testing.T, command, argument string) {
	t.Helper()
	if out, err := s.command(command, argument, "--config", s.config, "--environment", "test").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}

// during counts the tasks that were acknowledged while a copy was made.
func (b backup) during(all []posted) (n int) {
	for _, p := range all {
		if at := p.sent.Add(p.took); at.After(b.began) && at.Before(b.end) {
			n++
		}
	}
	return n
}

// overlaps reports whether a task was under way while a copy was made.
func (b backup) overlaps(p posted) bool {
	return p.sent.Before(b.end) && p.sent.Add(p.took).After(b.began)
}

// isOneCommit wants a copy to hold, for each of its tasks, all that were acknowledged
// before this one was sent; of each what the original holds; and counts that fit.
// SQLite gives numbers in the order of commits, so there the numbers have no gap.
func (s *victim) isOneCommit(t *testing.T, src queries.Source, origin map[int64]uint64) {
	t.Helper()
	held := wholeTasks(t, src)
	highest := int64(0)
	for id, sum := range held {
		if highest = max(highest, id); sum != origin[id] {
			t.Errorf("task %d is another one than in the original", id)
		}
	}
	if src.Engine == queries.SQLite && int(highest) != len(held) {
		t.Errorf("there are %d tasks with numbers up to %d", len(held), highest)
	}
	before := 0
	for _, p := range s.acknowledged {
		if _, ok := held[p.id]; ok {
			before = max(before, p.known)
		}
	}
	for _, p := range s.acknowledged[:before] {
		if _, ok := held[p.id]; !ok {
			t.Errorf("task %d is missing, and one that was sent after its acknowledgement is there", p.id)
		}
	}
	db := plain(t, src)
	defer db.Close()
	var tasks, results int
	const counts = `SELECT SUM(tasks), SUM(results) FROM extent`
	if err := db.QueryRowContext(t.Context(), counts).Scan(&tasks, &results); err != nil {
		t.Fatal(err)
	}
	if tasks != len(held) || results != len(held)*len(s.hospitals) {
		t.Errorf("%d tasks and %d results are counted, %d tasks are there", tasks, results, len(held))
	}
}

// wholeTasks returns a sum over all columns of each task, its results and its inputs.
func wholeTasks(t *testing.T, src queries.Source) map[int64]uint64 {
	t.Helper()
	db := plain(t, src)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT t.*, r.*, p.* FROM task t
		JOIN result r ON r.task_id = t.id JOIN payload p ON p.result_id = r.id ORDER BY t.id, r.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	sums := map[int64]uint64{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		sum := fnv.New64a()
		id := values[0].(int64)
		fmt.Fprint(sum, sums[id], values)
		sums[id] = sum.Sum64()
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return sums
}

// plain opens a database for the test's own questions.
func plain(t *testing.T, src queries.Source) *sql.DB {
	t.Helper()
	db, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// logDelay logs how much slower writes are during a backup, as a ratio within one run.
func (s *victim) logDelay(t *testing.T, made []backup) {
	var beside, without []time.Duration
	for _, p := range s.acknowledged {
		if slices.ContainsFunc(made, func(b backup) bool { return b.overlaps(p) }) {
			beside = append(beside, p.took)
		} else {
			without = append(without, p.took)
		}
	}
	if len(beside) < 100 || len(without) < 100 {
		t.Logf("%d tasks beside backups, %d without: too few for a ratio", len(beside), len(without))
		return
	}
	slices.Sort(beside)
	slices.Sort(without)
	p50 := float64(beside[len(beside)/2]) / float64(without[len(without)/2])
	p99 := float64(beside[len(beside)*99/100]) / float64(without[len(without)*99/100])
	t.Logf("%d backups; %d tasks beside them took p50 x%.2f, p99 x%.2f of %d without", len(made), len(beside), p50, p99, len(without))
}
