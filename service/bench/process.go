package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"vserver/queries"
	"vserver/service/freeport"
)

// server is a server that is measured.
type server struct {
	url, host          string // with the API path, and without
	metrics            string // address of the metrics, "" when not known
	pid                int    // 0 when not known
	username, password string // of its administrator
	proc               *process
	stage
}

// process is a server of our own.
type process struct {
	program, dir string
	descriptors  int
	environ      []string
	cmd          *exec.Cmd
	ended        chan struct{}
	remove       func(context.Context) error // takes the database away
}

const (
	// startTimeout is how long a start may take.
	startTimeout = time.Minute
	// stopTime is how long a server may take to end before it is killed.
	stopTime = 30 * time.Second
)

// start starts a server of a program on an empty database.
func start(ctx context.Context, program, postgres string, descriptors int) (_ *server, err error) {
	dir, err := os.MkdirTemp("", "vserver-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for a server: %w", err)
	}
	s := &server{username: "root", password: "Bench-" + rand.Text()[:16] + "-1a"}
	s.proc = &process{program: program, dir: dir, descriptors: descriptors, remove: func(context.Context) error { return nil }}
	defer func() {
		if err != nil {
			err = s.end(ctx, err)
		}
	}()
	s.proc.environ = environment(dir, s.password)
	if postgres != "" {
		own, remove, err := queries.Scratch(ctx, postgres)
		if err != nil {
			return nil, err
		}
		s.proc.remove = remove
		s.proc.environ = append(s.proc.environ, "VANTAGE6_DB_URI="+own)
	}
	port, err := freeport.Next(ctx)
	if err != nil {
		return nil, err
	}
	metrics, err := freeport.Next(ctx)
	if err != nil {
		return nil, err
	}
	s.host = fmt.Sprintf("127.0.0.1:%d", port)
	s.url, s.metrics = "http://"+s.host+"/api", fmt.Sprintf("127.0.0.1:%d", metrics)
	text := fmt.Sprintf(configuration, port, rand.Text(), metrics, filepath.ToSlash(dir))
	if err := os.WriteFile(filepath.Join(dir, "bench.yaml"), []byte(strings.ReplaceAll(text, "DIR", filepath.ToSlash(dir))), 0o600); err != nil {
		return nil, fmt.Errorf("writing a configuration: %w", err)
	}
	return s, s.launch(ctx)
}

const configuration = `environments:
  test:
    description: A server to be measured, gone when it ends
    type: test
    ip: 127.0.0.1
    port: %d
    api_path: /api
    uri: sqlite:///bench.sqlite
    allow_drop_all: false
    jwt_secret_key: %s
    metrics: {ip: 127.0.0.1, port: %d}
    directories: {data: "DIR/data", log: "%s"}
    logging:
      level: WARNING
      file: bench.log
      use_console: false
      backup_count: 1
      max_size: 10240
      format: "%%(asctime)s - %%(levelname)s - %%(message)s"
      datefmt: ""
`

// environment is what a server sees of the surroundings: nothing that would change it.
func environment(dir, password string) []string {
	all := []string{"VSERVER_ROOT_PASSWORD=" + password, "HOME=" + dir, "USERPROFILE=" + dir}
	for _, name := range []string{"PATH", "TMPDIR", "TMP", "TEMP", "SystemRoot", "GOMAXPROCS", "GODEBUG"} {
		if value, there := os.LookupEnv(name); there {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// launch starts the process and waits until it answers.
func (s *server) launch(ctx context.Context) error {
	p := s.proc
	name, args := p.program, []string{"run", "--config", filepath.Join(p.dir, "bench.yaml"), "--environment", "test", "--user"}
	if p.descriptors > 0 {
		if runtime.GOOS == "windows" {
			return errNotHere
		}
		args = append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, p.descriptors), name}, args...)
		name = "sh"
	}
	out, err := os.OpenFile(filepath.Join(p.dir, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("starting a server: %w", err)
	}
	defer func() { _ = out.Close() }()
	// It is ended in an orderly way, so it does not get the context.
	p.cmd = exec.Command(name, args...) //nolint:gosec,noctx // the program that was asked for
	p.cmd.Env, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.environ, p.dir, out, out
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting a server: %w", err)
	}
	s.pid = p.cmd.Process.Pid
	p.ended = make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // how it ended is in its output
		close(p.ended)
	}()
	return s.awaitAnswer(ctx)
}

// errNotHere says that this system does not allow a measurement.
var errNotHere = errors.New("not measured on this system")

// awaitAnswer waits until the server answers for the first time.
func (s *server) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c := newClient(s.url, "").fresh(startTimeout)
	for {
		err := c.get(ctx, "/version")
		if err == nil {
			return nil
		}
		select {
		case <-s.proc.ended:
			return errors.New("the server has ended")
		default:
		}
		if !pause(ctx, time.Millisecond) {
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

// stop ends the process.
func (p *process) stop() {
	if p.ended == nil {
		return
	}
	if p.cmd.Process.Signal(os.Interrupt) != nil { // Windows has none
		_ = p.cmd.Process.Kill()
	}
	timer := time.AfterFunc(stopTime, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	<-p.ended
}

// restart ends the server and starts it again on its database.
func (s *server) restart(ctx context.Context) error {
	s.proc.stop()
	return s.launch(ctx)
}

// end ends a server of our own and removes all that it has left. An error gets the last words of a
// server that has ended before.
func (s *server) end(ctx context.Context, err error) error {
	p := s.proc
	select {
	case <-p.ended:
		if err != nil {
			err = fmt.Errorf("%w; the server has ended: %s", err, p.lastWords())
		}
	default:
	}
	p.stop()
	return errors.Join(err, p.remove(context.WithoutCancel(ctx)), os.RemoveAll(p.dir))
}

// lastWords are the lines of the output that say why a server has ended.
func (p *process) lastWords() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "output"))
	if at := bytes.Index(text, []byte("panic: ")); at >= 0 {
		text = text[at:]
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first)
}

// programVersion asks a program what it is; one that does not know its commit is named by its file.
func programVersion(ctx context.Context, program string) (string, error) {
	out, err := exec.CommandContext(ctx, program, "version", "--program").Output()
	if err != nil {
		return "", fmt.Errorf("the program to compare with does not say its version: %w", err)
	}
	lines := strings.Split(string(out), "\n")
	name := strings.TrimSpace(lines[0])
	for _, line := range lines[1:] {
		if commit, found := strings.CutPrefix(line, "commit"); found && !strings.Contains(commit, "unknown") {
			return name + " " + strings.TrimSpace(commit), nil
		}
	}
	return name + " (" + filepath.Base(program) + ")", nil
}

// attach is a server that runs. Only one of this machine is measured: the load would be an attack
// elsewhere.
func attach(address, username, password string, pid int) (*server, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	at, _ := url.Parse(address)
	at.Path = strings.TrimSuffix(at.Path, "/")
	return &server{url: at.String(), host: at.Host, username: username, password: password, pid: pid}, nil
}

// CheckAddress returns an error for anything but the address of a server on loopback.
func CheckAddress(address string) error {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" || at.Port() == "" || at.User != nil || at.RawQuery != "" {
		return errors.New("must be an address like http://127.0.0.1:5000/api")
	}
	ip, err := netip.ParseAddr(at.Hostname())
	if at.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("must be on loopback, such as 127.0.0.1, but %s is not: the load would hit others", at.Hostname())
	}
	return nil
}
