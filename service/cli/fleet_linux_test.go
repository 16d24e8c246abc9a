package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"vserver/queries/dbtest"
	"vserver/service/demo"
	"vserver/service/freeport"
	"vserver/service/promise"
)

// fleet is several processes of the program on one PostgreSQL, each with a way of its own there, behind the HAProxy of
// the machine. Its own url is that of the balancer.
type fleet struct {
	victim
	replicas []*member
}

// member is one of the servers.
type member struct {
	*victim
	proxy *dbtest.Proxy
}

func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	if os.Getenv("VSERVER_TEST_POSTGRES") == "" {
		t.Skip("skipped: an SQLite file has one server")
	}
	f := &fleet{}
	f.src = (&dbtest.Template{}).Copy(t)
	for range n {
		proxy, src := dbtest.NewProxy(t, f.src)
		f.replicas = append(f.replicas, &member{newVictimOn(t, src), proxy})
	}
	var starting sync.WaitGroup
	for _, r := range f.replicas {
		starting.Go(func() { r.start(t) })
	}
	starting.Wait()
	f.url = balanced(t, "haproxy", f.addresses()) + "/api"
	f.setStage(t)
	for _, r := range f.replicas {
		r.token = f.token
	}
	return f
}

func (f *fleet) addresses() (list []string) {
	for _, r := range f.replicas {
		list = append(list, r.address())
	}
	return list
}

// address is where a server listens.
func (s *victim) address() string {
	return strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/api")
}

// balancers are the configurations around those that /docs/operating#replicas shows: port, that, a folder, and the second part.
var balancers = map[string]struct{ title, file, around string }{
	"haproxy": {"# HAProxy", "haproxy.cfg", "%.0[4]sdefaults\n  mode http\n  timeout connect 2s\n  timeout client 1h\nfrontend all\n  bind 127.0.0.1:%[1]d\n  default_backend vserver\n%[2]s%.0[3]s"},
	"nginx": {"# nginx: before", "nginx.conf", "daemon off;\npid %[3]s/pid;\nerror_log %[3]s/error.log;\nevents {}\nhttp {\naccess_log off;\nclient_body_temp_path %[3]s/a;\nproxy_temp_path %[3]s/b;\n" +
		"fastcgi_temp_path %[3]s/c;\nuwsgi_temp_path %[3]s/d;\nscgi_temp_path %[3]s/e;\n%[2]s\nmap $http_upgrade $connection_upgrade { default upgrade; '' close; }\n" +
		"server { listen 127.0.0.1:%[1]d; location / { proxy_pass http://vserver; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; " +
		"proxy_set_header Connection $connection_upgrade; proxy_set_header Host $http_host; }\n%[4]s}\n}\n"},
	"caddy": {"# Caddy", "Caddyfile", "%.0[4]s{\n admin off\n auto_https off\n}\n%[2]s%.0[3]s"},
}

// balanced starts a load balancer, configured as the documents have it, and returns its address.
func balanced(t *testing.T, program string, to []string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if path = "/usr/sbin/" + program; exec.CommandContext(t.Context(), path, "-v").Run() != nil {
			t.Skipf("NOT TESTED: servers behind %s, which is not installed", program)
		}
	}
	port, err := freeport.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kind, dir := balancers[program], t.TempDir()
	text, within := documented(t, kind.title, to), ""
	if program == "nginx" {
		within = documented(t, "# nginx: within", to)
	}
	text = strings.Replace(text, "vserver.example.org {", fmt.Sprintf("http://127.0.0.1:%d {", port), 1)
	file := filepath.Join(dir, kind.file)
	if err := os.WriteFile(file, fmt.Appendf(nil, strings.TrimSpace(kind.around)+"\n", port, text, dir, within), 0o600); err != nil {
		t.Fatal(err)
	}
	args := map[string][]string{"haproxy": {"-db", "-f", file}, "nginx": {"-c", file}, "caddy": {"run", "--config", file, "--adapter", "caddyfile"}}[program]
	// The context of the test ends with a kill of this process alone, upon which the workers of nginx stay.
	c := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	c.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	said, err := os.Create(filepath.Join(dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = said, said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// No interrupt: a test in the background of a script ignores it, and all that it starts.
		_ = c.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(promise.Patience, func() { t.Errorf("%s does not end", program); _ = c.Process.Kill() })
		_ = c.Wait()
		late.Stop()
		_ = said.Close()
	})
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	for end := time.Now().Add(promise.Patience); ; time.Sleep(20 * time.Millisecond) {
		reply, err := http.Get(url + "/api/health")
		if err == nil {
			_ = reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				return url
			}
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(said.Name())
			t.Fatalf("%s does not answer: %v\n%s", program, err, text)
		}
	}
}

// documented is a configuration of /docs/operating#replicas with other servers.
func documented(t *testing.T, title string, to []string) string {
	t.Helper()
	page, err := os.ReadFile("../../embed/docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n    "+title)
	if !found {
		t.Fatalf("the page has no %s", title)
	}
	var lines []string
	for i, line := range strings.Split(text, "\n") {
		if i > 0 && strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "    # ") {
			break
		}
		if i > 0 {
			lines = append(lines, strings.TrimPrefix(line, "    "))
		}
	}
	text = strings.Join(lines, "\n")
	for i, at := range []string{"10.0.0.1:5000", "10.0.0.2:5000"} {
		text = strings.Replace(text, at, to[i], 1)
	}
	if len(to) > 2 { // of HAProxy
		text += fmt.Sprintf("    server c %s cookie c\n", to[2])
	}
	return text
}

// work has simulated nodes of keys work through the balancer until the returned function is called.
func (f *fleet) work(t *testing.T, keys []string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var nodes sync.WaitGroup
	for _, key := range keys {
		node := demo.NewNode(f.url, key, func(_ context.Context, c *demo.Container) (string, error) { return c.Input, nil })
		nodes.Go(func() {
			for ctx.Err() == nil {
				_ = node.Run(ctx) // until there is a server again
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); nodes.Wait() })
	t.Cleanup(stop)
	return stop
}

// ear is the live connection of a node that only listens.
type ear struct {
	t    *testing.T
	conn *websocket.Conn
}

// ear connects a node to one server, past the balancer.
func (m *member) ear(t *testing.T, key string) *ear {
	t.Helper()
	var session struct {
		Token string `json:"access_token"`
	}
	m.must(t, "POST", "/token/node", map[string]string{"api_key": key}, &session)
	conn, _, err := websocket.Dial(t.Context(), "ws://"+m.address()+"/socket.io/?EIO=4&transport=websocket",
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + session.Token}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("40/tasks,")); err != nil {
		t.Fatal(err)
	}
	e := &ear{t, conn}
	e.hears("40/tasks,", promise.Patience)
	return e
}

// hears waits until the node is told something that holds a text.
func (e *ear) hears(what string, within time.Duration) time.Duration {
	e.t.Helper()
	began := time.Now()
	err := e.listens(what, within)
	if err != nil {
		e.t.Errorf("%s was not heard within %s: %v", what, within, err)
	}
	return time.Since(began)
}

func (e *ear) listens(what string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(e.t.Context(), within)
	defer cancel()
	for {
		_, text, err := e.conn.Read(ctx)
		switch {
		case err != nil:
			return err
		case strings.Contains(string(text), what):
			return nil
		case string(text) == "2":
			_ = e.conn.Write(ctx, websocket.MessageText, []byte("3"))
		}
	}
}

// learns waits until the node is told of something, or that it may have missed it, upon which nodes ask what there is.
func (e *ear) learns(what string, within time.Duration) {
	e.t.Helper()
	err := e.listens(what, within)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		e.t.Errorf("%s was not heard within %s, and the connection did not end: %v", what, within, err)
	}
}

// reads asks the database itself for one number.
func (f *fleet) reads(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	db, err := dbtest.SQL(f.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// comesTrue waits until a number of the database is as wanted.
func (f *fleet) comesTrue(t *testing.T, what string, within time.Duration, want int64, query string, args ...any) {
	t.Helper()
	began := time.Now()
	for {
		got := f.reads(t, query, args...)
		if got == want {
			t.Logf("%s after %s", what, time.Since(began).Round(time.Millisecond))
			return
		}
		if time.Since(began) > within {
			t.Errorf("%s: %d, want %d, within %s", what, got, want, within)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}
