package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"vserver/handlers"
	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/freeport"
	"vserver/service/live"
)

// benchRow is one line of the table: what was measured, what it is compared with,
// and what is aimed at.
type benchRow struct{ what, value, baseline, ratio, aim string }

// BenchmarkTable measures the server against baselines taken in the same run and
// prints the table that `make bench` shows.
func BenchmarkTable(b *testing.B) {
	for b.Loop() {
		var rows []benchRow
		for _, measure := range []func(*testing.B) []benchRow{
			benchReads, benchTaskCreation, benchNodeLogIn, benchLogInUnderFlood, benchOldKeys, benchBroadcast, benchProcess,
		} {
			rows = append(rows, measure(b)...)
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "\nmeasured\tvalue\tbaseline\tratio\taim")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.what, r.value, r.baseline, r.ratio, r.aim)
		}
		_ = w.Flush()
	}
}

// benchServer is a server on SQLite behind a real socket.
type benchServer struct {
	*httptest.Server
	db    *queries.DB
	src   queries.Source
	core  *core.Core
	token string // of root
}

func newBenchServer(b *testing.B, fill func(c *core.Core) []string) *benchServer {
	b.Helper()
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(b.TempDir(), "bench.sqlite")}
	db, err := queries.Open(b.Context(), src)
	must(b, err)
	c, err := core.New(b.Context(), db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{MaxFailedAttempts: 5, LockFor: time.Minute})
	must(b, err)
	raw, err := dbtest.SQL(src)
	must(b, err)
	for _, s := range fill(c) {
		_, err := raw.ExecContext(b.Context(), s)
		must(b, err)
	}
	must(b, raw.Close())
	h := handlers.New(c, zerolog.Nop(), handlers.Options{
		APIPath: "/api", Secret: bytes.Repeat([]byte("k"), 32), AccessFor: time.Hour, RefreshFor: time.Hour,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	s := &benchServer{Server: httptest.NewServer(h), db: db, src: src, core: c}
	b.Cleanup(func() { s.Close(); must(b, h.Close(context.WithoutCancel(b.Context()))); _ = db.Close() })
	s.token = s.logIn(b, "/api/token/user", `{"username":"root","password":"root"}`)
	return s
}

func (s *benchServer) logIn(b *testing.B, path, body string) string {
	b.Helper()
	var j struct {
		Token string `json:"access_token"`
	}
	status, raw := s.call(b, "POST", path, "", body)
	if status != http.StatusOK {
		b.Fatalf("log-in: %d %s", status, raw)
	}
	must(b, json.Unmarshal(raw, &j))
	return j.Token
}

func (s *benchServer) call(b *testing.B, method, path, token, body string) (int, []byte) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, s.URL+path, strings.NewReader(body))
	must(b, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	reply, err := benchClient.Do(req)
	must(b, err)
	defer reply.Body.Close()
	raw, err := io.ReadAll(reply.Body)
	must(b, err)
	return reply.StatusCode, raw
}

var benchClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// perSecond runs f from several clients for n calls and gives calls a second.
func perSecond(clients, n int, f func(i int)) float64 {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Go(func() {
			for {
				i := int(next.Add(1))
				if i > n {
					return
				}
				f(i)
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(start).Seconds()
}

// turns measures two things in turns, so that noise hits both, and returns the middle
// of each.
func turns(rounds int, a, base func() float64) (float64, float64) {
	var as, bs []float64
	for range rounds {
		bs = append(bs, base())
		as = append(as, a())
	}
	slices.Sort(as)
	slices.Sort(bs)
	return as[rounds/2], bs[rounds/2]
}

func rate(what string, value, base float64, baseline, aim string) benchRow {
	return benchRow{what, fmt.Sprintf("%.0f/s", value), fmt.Sprintf("%s %.0f/s", baseline, base), fmt.Sprintf("%.2f", value/base), aim}
}

// people are one organization (2) with a collaboration, three members and nodes.
func people(c *core.Core) []string {
	list := []string{
		`INSERT INTO organization (name) VALUES ('a'), ('b'), ('c')`,
		`INSERT INTO collaboration (name, encrypted) VALUES ('study', FALSE)`,
		`INSERT INTO member (collaboration_id, organization_id) VALUES (1, 1), (1, 2), (1, 3), (1, 4)`,
	}
	for i := range 3 {
		list = append(list, `INSERT INTO authenticatable (type) VALUES ('node')`,
			fmt.Sprintf(`INSERT INTO node (id, name, api_key, organization_id, collaboration_id) VALUES (%d, 'n', '%s', %d, 1)`,
				i+2, c.DigestAPIKey(fmt.Sprint("key-", i)), i+2))
	}
	return list
}

// tasks are n tasks with three results each.
func tasks(n int) []string {
	count := `WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ` + strconv.Itoa(n) + `) `
	return []string{
		count + `INSERT INTO task (name, description, image, database, collaboration_id, run_id, initiator_id, init_user_id)
			SELECT 't', '', 'image', 'default', 1, n, 1, 1 FROM i`,
		count + `INSERT INTO result (task_id, organization_id, status, assigned_at)
			SELECT n, o.id, 'pending', '2026-01-01T00:00:00.000000Z' FROM i CROSS JOIN (SELECT 2 AS id UNION SELECT 3 UNION SELECT 4) o ORDER BY n`,
		`INSERT INTO payload (result_id, input) SELECT id, CAST('aW5wdXQ=' AS BLOB) FROM result`,
	}
}

// bare is an echo server that answers every request with the same bytes.
func bare(b *testing.B, body []byte) *httptest.Server {
	b.Helper()
	e := echo.New()
	e.Any("/*", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/json", body) })
	s := httptest.NewServer(e)
	b.Cleanup(s.Close)
	return s
}

// benchReads compares authenticated reads with a handler that reads nothing.
func benchReads(b *testing.B) []benchRow {
	var rows []benchRow
	for _, n := range []int{1_000, 100_000} {
		s := newBenchServer(b, func(c *core.Core) []string { return append(people(c), tasks(n)...) })
		for _, path := range []string{"/api/node/2", "/api/task?page=1&per_page=10"} {
			_, body := s.call(b, "GET", path, s.token, "")
			echoed := &benchServer{Server: bare(b, body)}
			get := func(on *benchServer) func() float64 {
				return func() float64 {
					return perSecond(8, 2_000, func(int) {
						if status, raw := on.call(b, "GET", path, s.token, ""); status != 200 {
							b.Errorf("GET %s: %d %s", path, status, raw)
						}
					})
				}
			}
			value, base := turns(5, get(s), get(echoed))
			aim := "flat"
			if strings.Contains(path, "node") {
				aim = ">= 0.60"
			}
			rows = append(rows, rate(fmt.Sprintf("GET %s at %d tasks", path, n), value, base, "bare echo", aim))
		}
	}
	return rows
}

// benchTaskCreation compares POST /task, which writes a task, three results and
// their inputs, with one-row commits one after the other.
func benchTaskCreation(b *testing.B) []benchRow {
	var rows []benchRow
	for _, clients := range []int{1, 64} {
		s := newBenchServer(b, people)
		body := `{"name":"t","image":"i","collaboration_id":1,"organizations":[{"id":2,"input":"aQ=="},{"id":3,"input":"aQ=="},{"id":4,"input":"aQ=="}]}`
		post := func() float64 {
			return perSecond(clients, 2_000, func(int) {
				if status, raw := s.call(b, "POST", "/api/task", s.token, body); status != 201 {
					b.Errorf("POST /task: %d %s", status, raw)
				}
			})
		}
		value, base := turns(5, post, oneRowCommits(b))
		aim := "-"
		if clients == 64 {
			aim = ">= 2.00"
		}
		rows = append(rows, rate(fmt.Sprintf("POST /api/task, 3 results, %d clients", clients), value, base, "one-row commits", aim))
	}
	return rows
}

func oneRowCommits(b *testing.B) func() float64 {
	b.Helper()
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(b.TempDir(), "base.sqlite")}
	db, err := queries.Open(b.Context(), src)
	must(b, err)
	b.Cleanup(func() { _ = db.Close() })
	name := "n"
	return func() float64 {
		return perSecond(1, 500, func(int) {
			must(b, db.InTx(b.Context(), func(ctx context.Context, tx *queries.Tx) error {
				_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name})
				return err
			}))
		})
	}
}

// benchNodeLogIn shows that a node's log-in costs the same however many there are.
func benchNodeLogIn(b *testing.B) []benchRow {
	servers := map[int]*benchServer{}
	for _, n := range []int{10, 10_000} {
		servers[n] = newBenchServer(b, func(c *core.Core) []string {
			list := []string{`INSERT INTO organization (name) VALUES ('a')`, `BEGIN`}
			for i := range n {
				list = append(list,
					fmt.Sprintf(`INSERT INTO collaboration (name, encrypted) VALUES ('c%d', FALSE)`, i),
					`INSERT INTO authenticatable (type) VALUES ('node')`,
					fmt.Sprintf(`INSERT INTO node (id, name, api_key, organization_id, collaboration_id) VALUES (%d, 'n', '%s', 2, %d)`,
						i+2, c.DigestAPIKey(fmt.Sprint("key-", i)), i+1))
			}
			return append(list, `COMMIT`)
		})
	}
	logIn := func(n int) func() float64 {
		return func() float64 {
			return perSecond(1, 500, func(i int) {
				servers[n].logIn(b, "/api/token/node", fmt.Sprintf(`{"api_key":"key-%d"}`, i%n))
			})
		}
	}
	many, few := turns(5, logIn(10_000), logIn(10))
	row := rate("POST /api/token/node at 10000 nodes", many, few, "at 10 nodes", "flat, <= 1 ms")
	row.value += fmt.Sprintf(" (%.2f ms)", 1000/many)
	return []benchRow{row}
}

// benchBroadcast sends one event to 2,000 idle sockets in one room and weighs them.
// It asks the live channel itself: through the API every join is told to everybody
// who is there already, which would be measured with it.
func benchBroadcast(b *testing.B) []benchRow {
	const sockets = 2_000
	engine := live.New(live.Options{})
	tasks := engine.Namespace("/tasks")
	tasks.OnConnect(func(s *live.Socket) { s.Join("everybody") })
	server := httptest.NewServer(engine)
	defer server.Close()
	defer func() { must(b, engine.Close(context.WithoutCancel(b.Context()))) }()
	before := residentKiB(b, os.Getpid())
	conns := make([]*websocket.Conn, sockets)
	for i := range conns {
		conns[i] = socket(b, server.URL)
	}
	weight := float64(residentKiB(b, os.Getpid())-before) / sockets
	tell := func() float64 {
		var arrived sync.WaitGroup
		for _, c := range conns {
			arrived.Go(func() { awaitEvent(b, c, "new_task") })
		}
		return milliseconds(func() {
			must(b, tasks.Emit("everybody", "new_task", 1))
			arrived.Wait()
		})
	}
	base := func() float64 {
		return milliseconds(func() {
			for range sockets {
				must(b, tasks.Emit("nobody", "new_task", 1))
			}
		})
	}
	value, nobody := turns(5, tell, base)
	for _, c := range conns {
		_ = c.CloseNow()
	}
	return []benchRow{
		{fmt.Sprintf("broadcast to %d idle sockets, last one told", sockets), fmt.Sprintf("%.0f ms", value),
			fmt.Sprintf("as many events to nobody %.1f ms", nobody), fmt.Sprintf("%.1f", value/nobody), "-"},
		{"memory per socket, client's side included", fmt.Sprintf("%.0f KiB", weight), "-", "", "<= 30 KiB"},
	}
}

// socket opens a live connection.
func socket(b *testing.B, url string) *websocket.Conn {
	b.Helper()
	c, reply, err := websocket.Dial(b.Context(), strings.Replace(url, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	must(b, err)
	if reply.Body != nil {
		_ = reply.Body.Close()
	}
	must(b, c.Write(b.Context(), websocket.MessageText, []byte("40/tasks,")))
	for {
		_, msg, err := c.Read(b.Context())
		must(b, err)
		if strings.HasPrefix(string(msg), "40/tasks") {
			return c
		}
	}
}

func awaitEvent(b *testing.B, c *websocket.Conn, event string) {
	for {
		_, msg, err := c.Read(b.Context())
		if err != nil {
			b.Error(err)
			return
		}
		if strings.Contains(string(msg), `["`+event+`"`) {
			return
		}
	}
}

// builtProgram builds the shipped binary.
func builtProgram(b *testing.B) (file string) {
	b.Helper()
	file = filepath.Join(b.TempDir(), "vserver")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "vserver")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	return file
}

// benchProcess starts the shipped binary: how soon it answers, how much memory it
// takes when idle, how large it is.
func benchProcess(b *testing.B) []benchRow {
	bin := builtProgram(b)
	dir := filepath.Dir(bin)
	info, err := os.Stat(bin)
	must(b, err)
	config := filepath.Join(dir, "bench.yaml")
	port := freePort(b)
	must(b, os.WriteFile(config, []byte(benchConfig(port, dir)), 0o600))
	var starts, bares []float64
	var idle int
	for range 5 {
		bares = append(bares, milliseconds(func() { must(b, exec.CommandContext(b.Context(), bin, "version", "--program").Run()) }))
		start, kib := startOnce(b, bin, config, port)
		starts, idle = append(starts, start), kib
	}
	slices.Sort(starts)
	slices.Sort(bares)
	return []benchRow{
		{"start to first answer", fmt.Sprintf("%.0f ms", starts[2]), fmt.Sprintf("vserver version --program %.0f ms", bares[2]), fmt.Sprintf("%.1f", starts[2]/bares[2]), "<= 100 ms"},
		{"idle memory (RSS)", fmt.Sprintf("%.0f MB", float64(idle)/1024), "-", "", "<= 40 MB"},
		{"binary size", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "-", "", "<= 40 MB"},
	}
}

func milliseconds(f func()) float64 {
	start := time.Now()
	f()
	return float64(time.Since(start).Microseconds()) / 1000
}

// startOnce starts the server, waits for an answer, weighs it and stops it again.
func startOnce(b *testing.B, bin, config string, port int) (ms float64, kib int) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), bin, "run", "--config", config, "--environment", "test")
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	ms = milliseconds(func() {
		must(b, cmd.Start())
		for {
			reply, err := benchClient.Get(fmt.Sprintf("http://127.0.0.1:%d/api/version", port))
			if err == nil {
				_ = reply.Body.Close()
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	kib = residentKiB(b, cmd.Process.Pid)
	must(b, cmd.Process.Signal(os.Interrupt))
	must(b, cmd.Wait())
	return ms, kib
}

func residentKiB(b *testing.B, pid int) int {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	for line := range strings.SplitSeq(string(raw), "\n") {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			return kib
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

func freePort(b *testing.B) int {
	b.Helper()
	port, err := freeport.Next(b.Context())
	must(b, err)
	return port
}

func benchConfig(port int, dir string) string {
	return fmt.Sprintf(`environments:
  test:
    description: bench
    type: test
    ip: 127.0.0.1
    port: %d
    api_path: /api
    uri: sqlite:///%s/bench.sqlite
    allow_drop_all: false
    jwt_secret_key: 0123456789abcdef0123456789abcdef
    directories: {log: %s, data: %s}
    logging:
      level: WARNING
      file: bench.log
      use_console: false
      backup_count: 1
      max_size: 1024
      format: "%%(message)s"
      datefmt: ""
`, port, dir, dir, dir)
}
