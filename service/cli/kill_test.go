package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// TestReliability_R1_KillUnderLoad kills the server with SIGKILL while clients post
// tasks, starts it again, and looks for every task that was acknowledged, with all
// of its results; no task may be there with only some of them.
func TestReliability_R1_KillUnderLoad(t *testing.T) {
	rounds := 8
	if os.Getenv("VSERVER_LONG") != "" {
		rounds = 1000
	}
	s := newVictim(t)
	s.start(t)
	s.setStage(t)
	acknowledged := map[int64]bool{}
	for range rounds {
		for _, id := range s.loadUntilKilled(t, time.Duration(rand.IntN(250))*time.Millisecond) {
			acknowledged[id] = true
		}
		s.start(t)
		t.Logf("%d tasks acknowledged so far", len(acknowledged))
	}
	if len(acknowledged) < enough*rounds {
		t.Errorf("only %d tasks were acknowledged in %d rounds: that is no load", len(acknowledged), rounds)
	}
	s.audit(t, acknowledged)
}

// enough is how many tasks a round has to see acknowledged before the server is
// killed.
const enough = 20

// victim is a server process that is killed and started again.
type victim struct {
	bin, config string
	url         string
	src         queries.Source
	cmd         *exec.Cmd
	token       string
	study       int64
	hospitals   []int64
}

var binary struct {
	once sync.Once
	path string
	err  error
}

// buildBinary builds the shipped program once for all tests: without the race
// detector, which makes every password take seconds.
func buildBinary(t *testing.T) string {
	t.Helper()
	binary.once.Do(func() {
		dir, err := os.MkdirTemp("", "vserver-bin-")
		if err != nil {
			binary.err = err
			return
		}
		binary.path = filepath.Join(dir, "vserver")
		cmd := exec.Command("go", "build", "-o", binary.path, "vserver")
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

func newVictim(t *testing.T) *victim {
	t.Helper()
	dir := t.TempDir()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	s := &victim{bin: buildBinary(t), config: filepath.Join(dir, "victim.yaml"), url: fmt.Sprintf("http://127.0.0.1:%d/api", port)}
	s.src = (&dbtest.Template{}).Copy(t)
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
	s.cmd = exec.Command(s.bin, "run", "--config", s.config, "--environment", "test")
	s.cmd.Stderr = os.Stderr
	s.cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(s.config)) // for its record
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(20 * time.Second)
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

// setStage logs in as root, whose organization joins a study of three with nodes.
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
	var study row
	s.must(t, "POST", "/collaboration", map[string]any{"name": "study", "organization_ids": s.hospitals}, &study)
	s.study = study.ID
	for _, o := range s.hospitals {
		s.must(t, "POST", "/node", map[string]any{"collaboration_id": s.study, "organization_id": o}, nil)
	}
}

// loadUntilKilled posts tasks from 16 clients, kills the server some time after the
// load is there and gives the tasks that were acknowledged.
func (s *victim) loadUntilKilled(t *testing.T, later time.Duration) []int64 {
	t.Helper()
	body := map[string]any{"name": "t", "image": "i", "collaboration_id": s.study}
	var organizations []any
	for _, o := range s.hospitals {
		organizations = append(organizations, map[string]any{"id": o, "input": "aW4="})
	}
	body["organizations"] = organizations
	var mu sync.Mutex
	var got []int64
	killed := make(chan struct{})
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for {
				var made struct {
					ID int64 `json:"id"`
				}
				status, err := s.call(t.Context(), "POST", "/task", body, &made)
				if err != nil || status == 0 {
					return
				}
				if status != http.StatusCreated {
					t.Errorf("POST /task: %d", status)
					return
				}
				mu.Lock()
				got = append(got, made.ID)
				if len(got) == enough {
					time.AfterFunc(later, func() { defer close(killed); s.kill() })
				}
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	<-killed
	return got
}

// audit reads the database itself.
func (s *victim) audit(t *testing.T, acknowledged map[int64]bool) {
	t.Helper()
	db, err := dbtest.SQL(s.src)
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
		delete(acknowledged, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for id := range acknowledged {
		t.Errorf("task %d was acknowledged and is not there", id)
	}
	if s.src.Engine == queries.SQLite {
		var verdict string
		if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("integrity: %q, %v", verdict, err)
		}
	}
}
