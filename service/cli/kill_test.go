package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/freeport"
	"vserver/service/promise"
)

// TestReliability_R1_KillUnderLoad kills the server with SIGKILL while clients post
// tasks, starts it again, and looks for every task that was acknowledged, with all
// of its results; no task may be there with only some of them.
func TestReliability_R1_KillUnderLoad(t *testing.T) {
	rounds := 50
	if promise.Long() {
		rounds = 1000
	}
	s := newVictim(t)
	s.start(t)
	s.setStage(t)
	var waits []time.Duration
	for range rounds {
		later := time.Duration(rand.IntN(250)) * time.Millisecond
		s.load(t, func() { time.Sleep(later); s.kill() })
		began := time.Now()
		s.start(t)
		waits = append(waits, time.Since(began))
	}
	slices.Sort(waits)
	t.Logf("ready again after %s, at most %s", waits[len(waits)/2], waits[len(waits)-1])
	if waits[len(waits)/2] > promise.Within(time.Second) {
		t.Error("more than every second start took longer than a second")
	}
	s.audit(t)
	s.proveLoad(t, rounds)
}

// enough is how many tasks a round has to see acknowledged before the server is
// ended; leastRate is how many a second all rounds together have to see.
const (
	enough    = 20
	leastRate = 100
)

// victim is a server process that is killed and started again.
type victim struct {
	bin, config string
	url         string
	src         queries.Source
	command     func(args ...string) *exec.Cmd
	cmd         *exec.Cmd
	token       string
	studies     []int64
	hospitals   []int64
	keys        []string // of the nodes, study by study

	mu           sync.Mutex
	acknowledged []posted      // in the order that the clients heard of them
	loaded       time.Duration // from each round's first task to its last
}

// posted is a task that was acknowledged.
type posted struct {
	id    int64
	known int // so many others were acknowledged before it was sent
	sent  time.Time
	took  time.Duration
}

var binary struct {
	once sync.Once
	path string
	err  error
}

// buildBinary builds the shipped program once for all tests: without the race
// detector, which makes every password take seconds. The compiler's cache serves all
// builds of one commit, wherever its files lie.
func buildBinary(t *testing.T) string {
	t.Helper()
	binary.once.Do(func() {
		dir, err := os.MkdirTemp("", "vserver-bin-")
		if err != nil {
			binary.err = err
			return
		}
		binary.path = filepath.Join(dir, "vserver")
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary.path, "vserver")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatalf("building the program: %v", binary.err)
	}
	return binary.path
}

// TestMain removes what buildBinary has built. Where TestPanicOfACommand asks for it, the
// process is a command instead.
func TestMain(m *testing.M) {
	if order := os.Getenv(panicOrder); order != "" {
		os.Exit(commandThatPanics(order)) //nolint:forbidigo // this process is the command, and TestMain its main
	}
	m.Run()
	if binary.path != "" {
		_ = os.RemoveAll(filepath.Dir(binary.path))
	}
}

// onSQLite skips what concerns the files of SQLite only.
func onSQLite(t *testing.T) {
	t.Helper()
	if os.Getenv("VSERVER_TEST_POSTGRES") != "" {
		t.Skip("skipped: this concerns the files of SQLite")
	}
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	return newVictimOn(t, (&dbtest.Template{}).Copy(t))
}

// newVictimOn is a victim on a database.
func newVictimOn(t *testing.T, src queries.Source) *victim {
	t.Helper()
	dir := t.TempDir()
	port, err := freeport.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &victim{bin: buildBinary(t), config: filepath.Join(dir, "victim.yaml"), url: fmt.Sprintf("http://127.0.0.1:%d/api", port)}
	s.command = func(args ...string) *exec.Cmd { return exec.Command(s.bin, args...) }
	s.src = src
	uri := "sqlite:///" + s.src.Path
	if s.src.Engine == queries.Postgres {
		uri = strings.Replace(s.src.DSN, "postgres://", "postgresql://", 1)
	}
	text := fmt.Sprintf(victimConfig, port, uri, dir, dir)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill() })
	return s
}

const victimConfig = `environments:
  test:
    description: victim
    type: test
    ip: 127.0.0.1
    port: %d
    api_path: /api
    uri: %s
    allow_drop_all: false
    jwt_secret_key: 0123456789abcdef0123456789abcdef
    directories: {data: %s, log: %s}
    logging: {level: WARNING, file: victim.log, use_console: false, backup_count: 1, max_size: 1024, format: "%%(message)s", datefmt: ""}
`

// start starts the process and waits until it answers.
func (s *victim) start(t *testing.T) {
	t.Helper()
	s.cmd = s.command("run", "--config", s.config, "--environment", "test")
	s.cmd.Stderr = os.Stderr
	s.cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(s.config)) // for its record
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(promise.Patience)
	for time.Now().Before(end) {
		if status, _ := s.call(t.Context(), "GET", "/version", nil, nil); status == http.StatusOK {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the server does not answer")
}

func (s *victim) kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// call sends a request; status 0 means that there was no answer.
func (s *victim) call(ctx context.Context, method, path string, body, into any) (int, error) {
	var raw io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		raw = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, raw)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer reply.Body.Close()
	b, err := io.ReadAll(reply.Body)
	if err != nil {
		return 0, err
	}
	if into != nil && reply.StatusCode < 300 {
		return reply.StatusCode, json.Unmarshal(b, into)
	}
	return reply.StatusCode, nil
}

func (s *victim) must(t *testing.T, method, path string, body, into any) {
	t.Helper()
	if status, err := s.call(t.Context(), method, path, body, into); status > 210 || err != nil {
		t.Fatalf("%s %s: %d %v", method, path, status, err)
	}
}

// setStage logs in as root, whose organization joins studies of three with nodes:
// several, since the tasks of one wait for each other on Postgres.
func (s *victim) setStage(t *testing.T) {
	t.Helper()
	var session struct {
		Token string `json:"access_token"`
	}
	s.must(t, "POST", "/token/user", map[string]string{"username": "root", "password": "root"}, &session)
	s.token = session.Token
	type row struct {
		ID int64 `json:"id"`
	}
	s.hospitals = []int64{1}
	for _, name := range []string{"a", "b"} {
		var o row
		s.must(t, "POST", "/organization", map[string]string{"name": name}, &o)
		s.hospitals = append(s.hospitals, o.ID)
	}
	for _, name := range []string{"one", "two", "three", "four"} {
		var study row
		s.must(t, "POST", "/collaboration", map[string]any{"name": name, "organization_ids": s.hospitals}, &study)
		s.studies = append(s.studies, study.ID)
		for _, o := range s.hospitals {
			var node struct {
				Key string `json:"api_key"`
			}
			s.must(t, "POST", "/node", map[string]any{"collaboration_id": study.ID, "organization_id": o}, &node)
			s.keys = append(s.keys, node.Key)
		}
	}
}

// load posts tasks from 16 clients until the server answers no more, which end brings
// about once enough of them were acknowledged.
func (s *victim) load(t *testing.T, end func()) {
	t.Helper()
	var organizations []any
	for _, o := range s.hospitals {
		organizations = append(organizations, map[string]any{"id": o, "input": "aW4="})
	}
	var began time.Time
	var ending sync.WaitGroup
	var clients sync.WaitGroup
	var got atomic.Int64
	for i := range 16 {
		body := map[string]any{
			"name": "t", "image": "i", "collaboration_id": s.studies[i%len(s.studies)], "organizations": organizations,
		}
		clients.Go(func() {
			for s.post(t, body) {
				switch got.Add(1) {
				case 1:
					began = time.Now()
				case enough:
					ending.Go(end)
				}
			}
		})
	}
	clients.Wait()
	s.loaded += time.Since(began)
	if got.Load() < enough {
		t.Fatalf("only %d tasks were acknowledged before the end", got.Load())
	}
	ending.Wait()
}

// post posts a task, notes that it was acknowledged, and reports whether it was.
func (s *victim) post(t *testing.T, body any) bool {
	var made struct {
		ID int64 `json:"id"`
	}
	known, sent := s.known(), time.Now()
	status, err := s.call(t.Context(), "POST", "/task", body, &made)
	if err != nil || status == 0 {
		return false
	}
	if status != http.StatusCreated {
		t.Errorf("POST /task: %d", status)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acknowledged = append(s.acknowledged, posted{made.ID, known, sent, time.Since(sent)})
	return true
}

// known is how many tasks were acknowledged so far.
func (s *victim) known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acknowledged)
}

// proveLoad calls a run invalid that had too little load to show anything; each round
// has seen enough tasks anyway.
func (s *victim) proveLoad(t *testing.T, rounds int) {
	t.Helper()
	rate := float64(len(s.acknowledged)) / s.loaded.Seconds()
	t.Logf("%d tasks acknowledged in %d rounds, %.0f a second", len(s.acknowledged), rounds, rate)
	if rate < leastRate {
		t.Skipf("skipped: %.0f tasks a second are no load, this machine is too slow or too busy", rate)
	}
}

// audit reads the database itself: every acknowledged task is there, and whole.
func (s *victim) audit(t *testing.T) {
	t.Helper()
	s.auditOf(t, s.src, s.acknowledged)
}

// auditOf looks for tasks in a database that holds what this server had stored.
func (s *victim) auditOf(t *testing.T, src queries.Source, acknowledged []posted) {
	t.Helper()
	missing := map[int64]bool{}
	for _, p := range acknowledged {
		missing[p.id] = true
	}
	db, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT t.id, COUNT(r.id), COUNT(p.result_id) FROM task t
		LEFT JOIN result r ON r.task_id = t.id LEFT JOIN payload p ON p.result_id = r.id GROUP BY t.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, results, payloads int64
		if err := rows.Scan(&id, &results, &payloads); err != nil {
			t.Fatal(err)
		}
		if want := int64(len(s.hospitals)); results != want || payloads != want {
			t.Errorf("task %d has %d results and %d inputs", id, results, payloads)
		}
		delete(missing, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for id := range missing {
		t.Errorf("task %d was acknowledged and is not there", id)
	}
	if src.Engine == queries.SQLite {
		var verdict string
		if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("integrity: %q, %v", verdict, err)
		}
		var orphans int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pragma_foreign_key_check`).Scan(&orphans); err != nil || orphans != 0 {
			t.Errorf("%d rows refer to others that are not there, %v", orphans, err)
		}
	}
}
