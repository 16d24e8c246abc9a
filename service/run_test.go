package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/config"
	"vserver/service/promise"
)

// What a first start finds, and what later ones find.
var (
	emptyDatabase   dbtest.Template
	startedDatabase = dbtest.Template{Build: func(ctx context.Context, src queries.Source) error {
		o, err := OpenInstance(ctx, config.Instance{Database: asConfigured(src)}, false, zerolog.Nop())
		if err != nil {
			return err
		}
		return o.Close()
	}}
)

func asConfigured(src queries.Source) config.Database {
	return config.Database{Engine: config.Engine(src.Engine), Path: src.Path, DSN: config.Secret(src.DSN)}
}

// configured is an instance on a database of the engine under test that a server
// has been started on before; the system chooses the port.
func configured(t *testing.T) config.Instance {
	t.Helper()
	c := config.Config{
		Environment: "test", IP: "127.0.0.1", APIPath: "/api", Logging: documented(),
		JWTSecretKey: "a secret that is long enough for tests", AccessTokenLife: time.Hour, RefreshTokenLife: time.Hour,
		PasswordPolicy:     config.PasswordPolicy{MaxFailedAttempts: 5, Inactivation: time.Minute},
		CORSAllowedOrigins: config.Origins{Any: true},
	}
	return config.Instance{
		Name: "x", Scope: config.User, File: "/etc/x.yaml", Config: c, LogFile: filepath.Join(t.TempDir(), "x.log"),
		Database: asConfigured(startedDatabase.Copy(t)),
	}
}

// documented is the logging block of the documentation's example.
func documented() config.Logging {
	return config.Logging{
		Level: "DEBUG", File: "test.log", UseConsole: true, BackupCount: 5, MaxSize: 1024,
		Format:     "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s",
		DateFormat: "%Y-%m-%d %H:%M:%S",
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// running is a server under test.
type running struct {
	*testing.T
	address string
	end     context.CancelFunc
	ended   chan error
}

// start runs an instance until the test ends, or end is called.
func start(t *testing.T, inst config.Instance) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{T: t, end: cancel, ended: make(chan error, 1)}
	ready := make(chan net.Addr, 1)
	go func() {
		r.ended <- Run(ctx, inst, RunOptions{Ready: func(a net.Addr) { ready <- a }})
	}()
	select {
	case a := <-ready:
		r.address = a.String()
	case err := <-r.ended:
		t.Fatalf("ended at once: %v", err)
	}
	t.Cleanup(func() { r.wait() })
	return r
}

// wait ends the server and gives how it ended; nil when it has ended before.
func (r *running) wait() error {
	r.end()
	err := <-r.ended
	r.ended <- nil
	return err
}

// call sends a request and gives status and body.
func (r *running) call(method, path, token string, body any) (int, string) {
	r.Helper()
	var sent bytes.Buffer
	if body != nil {
		_ = json.NewEncoder(&sent).Encode(body)
	}
	req, err := http.NewRequestWithContext(r.Context(), method, "http://"+r.address+path, &sent)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	reply, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		r.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

// logIn returns the access token of the first user.
func (r *running) logIn() string {
	r.Helper()
	status, body := r.call("POST", "/api/token/user", "", map[string]string{"username": "root", "password": "root"})
	var reply struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil || status != http.StatusOK {
		r.Fatalf("%d %s %v", status, body, err)
	}
	return reply.Token
}

func TestRunServesUntilItIsAskedToEnd(t *testing.T) {
	inst := configured(t)
	inst.Database = asConfigured(emptyDatabase.Copy(t))
	inst.Warnings = []config.Warning{{File: inst.File, Line: 3, Key: "environments.test.prot", Text: "unknown key, ignored"}}
	r := start(t, inst)
	if status, body := r.call("GET", "/api/version", "", nil); status != 200 || !strings.Contains(body, Emulates) {
		t.Errorf("version: %d %s", status, body)
	}
	token := r.logIn()
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	log := content(t, inst.LogFile)
	for _, want := range []string{
		"- context        - INFO     - Starting server x with environment test version=",
		"- context        - INFO     - Loaded the configuration from '/etc/x.yaml'",
		"- context        - INFO     - Logging to '" + inst.LogFile + "'",
		"- context        - WARNING  - /etc/x.yaml:3: environments.test.prot: unknown key, ignored",
		"- base           - DEBUG    - Opening the database engine=" + string(inst.Database.Engine),
		"- base           - WARNING  - There was no user yet: made user \"root\"",
		"- server         - INFO     - Listening on http://" + r.address + "/api",
		"- server         - DEBUG    - Received request: POST /api/token/user status=200 ms=",
		"- server         - INFO     - The server has ended",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	again := start(t, inst)
	if status, body := again.call("GET", "/api/user/1", token, nil); status != 200 {
		t.Errorf("a token of before the restart: %d %s", status, body)
	}
}

func TestRunSaysWhyItEnds(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, c := range map[string]struct {
		spoil func(*config.Instance)
		want  string
	}{
		"port in use":     {func(i *config.Instance) { i.Config.Port = taken.Addr().(*net.TCPAddr).Port }, "cannot listen on 127.0.0.1:"},
		"no such address": {func(i *config.Instance) { i.Config.IP = "host.invalid" }, "cannot listen on host.invalid:0"},
		"no certificate":  {func(i *config.Instance) { i.Config.TLS = &config.TLS{Cert: "/none", Key: "/none"} }, "reading the certificate: "},
		"log":             {func(i *config.Instance) { i.LogFile = "/dev/null/x.log" }, "Can't write to log dir: /dev/null/x.log!"},
		"database": {func(i *config.Instance) {
			i.Database = config.Database{Engine: config.SQLite, Path: "/dev/null/x.sqlite"}
		}, "opening the database: "},
	} {
		t.Run(name, func(t *testing.T) {
			inst := configured(t)
			c.spoil(&inst)
			err := Run(t.Context(), inst, RunOptions{Ready: func(net.Addr) { t.Error("it was ready") }})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if name != "log" && !strings.Contains(content(t, inst.LogFile), c.want) {
				t.Error("the log does not say it")
			}
		})
	}
}

// Requests that are under way when the end is asked for are answered, live
// connections are closed, and nothing is left of the server (/docs/reliability#r16).
func TestRunDrains(t *testing.T) {
	inst := configured(t)
	r := start(t, inst)
	token := r.logIn()
	socket := r.socket(token)
	half, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = half.Close() }()
	body := `{"name": "made at the end"}`
	_, _ = fmt.Fprintf(half, "POST /api/organization HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", token, len(body))
	const awaited = "HTTP/1.1 100 Continue\r\n\r\n"
	if _, err := io.ReadFull(half, make([]byte, len(awaited))); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(half, body[:5])
	r.end()
	if err := r.closes(socket); err != nil {
		t.Errorf("the live connection: %v", err)
	}
	_, _ = io.WriteString(half, body[5:])
	reply, err := io.ReadAll(half)
	if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.1 201") {
		t.Errorf("the request under way: %q, %v", reply, err)
	}
	if err := r.wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if c, err := net.Dial("tcp", r.address); err == nil {
		_ = c.Close()
		t.Error("something still listens")
	}
	db, err := queries.Open(t.Context(), queries.Source{
		Engine: queries.Engine(inst.Database.Engine), Path: inst.Database.Path, DSN: inst.Database.DSN.Reveal(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if o, err := db.GetOrganization(t.Context(), 2); err != nil || *o.Name != "made at the end" {
		t.Errorf("the organization: %+v, %v", o, err)
	}
	if a, err := db.FindAccounts(t.Context(), new(int64(1))); err != nil || a[0].Status == nil || *a[0].Status != "offline" || a[0].LastSeen == nil {
		t.Errorf("the account: %+v, %v", a, err)
	}
}

// socket opens a live connection that has joined the namespace of tasks.
func (r *running) socket(token string) *websocket.Conn {
	r.Helper()
	c, _, err := websocket.Dial(r.Context(), "ws://"+r.address+"/socket.io/?EIO=4&transport=websocket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		r.Fatal(err)
	}
	if err := c.Write(r.Context(), websocket.MessageText, []byte("40/tasks,")); err != nil {
		r.Fatal(err)
	}
	for {
		_, text, err := c.Read(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		if strings.HasPrefix(string(text), "40/tasks,") {
			return c
		}
	}
}

// closes waits for the server to end a live connection.
func (r *running) closes(c *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(r.Context(), promise.Patience)
	defer cancel()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		}
	}
}

// A server has one listener (/docs/security#t10).
func TestAdvisory_T10_OneListener(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	before := len(listening(t))
	r := start(t, configured(t))
	after := listening(t)
	if len(after) != before+1 || !slices.ContainsFunc(after, func(s netSocket) bool { return strings.HasSuffix(r.address, ":"+s.port) }) {
		t.Errorf("%d listeners before, then %v; the server is on %s", before, after, r.address)
	}
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	inst := configured(t)
	inst.Config.Metrics = &config.Metrics{IP: "127.0.0.1", Port: freePort(t)}
	start(t, inst)
	if after := listening(t); len(after) != before+2 {
		t.Errorf("%d listeners before, then with metrics %v", before, after)
	}
}

// netSocket is a row of /proc/net/tcp.
type netSocket struct{ port, state, inode string }

// listenState is a listener's in /proc/net/tcp.
const listenState = "0A"

func sockets(t *testing.T) []netSocket {
	t.Helper()
	var all []netSocket
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for _, line := range strings.Split(content(t, file), "\n")[1:] {
			if f := strings.Fields(line); len(f) > 9 {
				var port int
				_, _ = fmt.Sscanf(f[1][strings.IndexByte(f[1], ':')+1:], "%X", &port)
				all = append(all, netSocket{fmt.Sprint(port), f[3], f[9]})
			}
		}
	}
	return all
}

// listening are the listeners of this process.
func listening(t *testing.T) []netSocket {
	t.Helper()
	own := map[string]bool{}
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if target, err := os.Readlink(f); err == nil {
			own[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	return slices.DeleteFunc(sockets(t), func(s netSocket) bool { return s.state != listenState || !own[s.inode] })
}

// TestOwnNamesComeFromTheConfiguration: addresses of public_url may read, and each name counts,
// that of the machine as well.
func TestOwnNamesComeFromTheConfiguration(t *testing.T) {
	c := config.Config{
		PublicURL:          []string{"https://v6.example.org/server", "http://[::1]:5000"},
		CORSAllowedOrigins: config.Origins{List: []string{"https://ui.example.org:8443"}},
	}
	o := wireOptions(c)
	if got := strings.Join(o.AllowedOrigins, " "); got != "https://ui.example.org:8443 https://v6.example.org http://[::1]:5000" {
		t.Error(got)
	}
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{machine, "v6.example.org", "ui.example.org"} {
		if !slices.Contains(o.Names, name) {
			t.Errorf("%s is not among %q", name, o.Names)
		}
	}
	c.CORSAllowedOrigins = config.Origins{Any: true}
	if got := wireOptions(c).AllowedOrigins; got != nil {
		t.Errorf("of an open server: %q", got)
	}
}
