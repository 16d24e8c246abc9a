package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vserver/queries/dbtest"
	"vserver/service/config"
	"vserver/service/freeport"
	"vserver/service/instance"
	"vserver/service/promise"
)

// home is a user of a machine of its own, as far as files are concerned.
type home struct {
	*testing.T
	dir  string
	env  []string
	port int
}

// newHome has the documentation's configuration by the name doc, on a free port.
func newHome(t *testing.T) *home {
	t.Helper()
	port, err := freeport.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	h := &home{T: t, dir: dir, port: port, env: append(os.Environ(),
		"PATH="+filepath.Dir(buildBinary(t))+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+dir, "XDG_CONFIG_DIRS="+filepath.Join(dir, "etc"), "XDG_DATA_DIRS="+filepath.Join(dir, "share"), "NO_COLOR=1")}
	text, err := os.ReadFile("../config/testdata/documentation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("port: 5000"), fmt.Appendf(nil, "port: %d", port))
	text = bytes.ReplaceAll(text, []byte("ip: 0.0.0.0"), []byte("ip: 127.0.0.1"))
	folder := filepath.Join(dir, ".config", "vantage6", "server")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "doc.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAll(t, h.getenv) })
	return h
}

// getenv finds what the commands find: the last entry of a name.
func (h *home) getenv(name string) string {
	for _, line := range slices.Backward(h.env) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

func (h *home) locations() config.Locations { return config.ThisMachine(h.getenv) }

// vserver runs a command that has to succeed, and gives its output.
func (h *home) vserver(args ...string) string {
	h.Helper()
	cmd := exec.CommandContext(h.Context(), buildBinary(h.T), args...)
	cmd.Env, cmd.Dir = h.env, h.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.Fatalf("vserver %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// stopAll ends every server of a test.
func stopAll(t interface{ Log(args ...any) }, getenv func(string) string) {
	locations := config.ThisMachine(getenv)
	for _, r := range instance.FindAll(locations, config.System, config.User) {
		if _, err := instance.Stop(context.Background(), locations, r, instance.StopTime); err != nil {
			t.Log(err)
		}
	}
}

// called finds the first server of a name.
func called(locations config.Locations, scope config.Scope, name string) (instance.Running, bool) {
	for _, r := range instance.FindAll(locations, scope) {
		if r.Name == name {
			return r, true
		}
	}
	return instance.Running{}, false
}

// running finds the server of a script.
func running(ts *testscript.TestScript, scope, name string) instance.Running {
	r, ok := called(config.ThisMachine(ts.Getenv), config.Scope(scope), name)
	if !ok {
		ts.Fatalf("%s does not run", name)
	}
	return r
}

// kill9 ends a server without a chance to tidy up.
func kill9(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: kill9 SCOPE NAME")
	}
	r := running(ts, args[0], args[1])
	ts.Check(kill(r))
	until(ts.Fatalf, args[1]+" does not die", func() bool { return !r.Alive() })
}

func kill(r instance.Running) error {
	p, err := os.FindProcess(r.PID)
	if err != nil {
		return err
	}
	return p.Kill()
}

// waitfor waits until a server that another command starts answers.
func waitfor(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: waitfor SCOPE NAME")
	}
	until(ts.Fatalf, args[1]+" does not answer", func() bool {
		r, ok := called(config.ThisMachine(ts.Getenv), config.Scope(args[0]), args[1])
		return ok && r.URL != ""
	})
}

// until waits for a condition, for twenty seconds at most.
func until(fail func(string, ...any), complaint string, holds func() bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(promise.Patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			fail("%s", complaint)
			return
		}
	}
}

// Each round leaves no process, no record and no port behind; every tenth is killed
// instead of stopped, and the next start works at once.
func TestHundredStartsAndStops(t *testing.T) {
	dbtest.Once(t)
	h := newHome(t)
	rounds := 30
	if promise.Long() {
		rounds = 100
	}
	for round := range rounds {
		h.vserver("start", "--user", "--name", "doc", "-e", "test")
		r, ok := called(h.locations(), config.User, "doc")
		if !ok {
			t.Fatalf("round %d: not found after its start", round)
		}
		if round%10 == 9 {
			if err := kill(r); err != nil {
				t.Fatal(err)
			}
			until(t.Fatalf, "it does not die", func() bool { return !r.Alive() })
			continue
		}
		h.vserver("stop", "--user", "--name", "doc")
		if r.Alive() {
			t.Fatalf("round %d: process %d is left", round, r.PID)
		}
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", h.port))
		if err != nil {
			t.Fatalf("round %d: the port is left: %v", round, err)
		}
		_ = l.Close()
		left, err := filepath.Glob(filepath.Join(h.dir, ".local/share/vantage6/server/doc/.[a-z]*"))
		if err != nil || len(left) != 0 {
			t.Fatalf("round %d: files are left: %v %v", round, left, err)
		}
	}
}

// Of many starts at once one wins; the others say so.
func TestStartsAtOnce(t *testing.T) {
	h := newHome(t)
	const many = 5
	outputs := make(chan string, many)
	for range many {
		go func() {
			cmd := exec.CommandContext(t.Context(), buildBinary(t), "start", "--user", "--name", "doc", "-e", "test")
			cmd.Env = h.env
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				out = append(out, err.Error()...)
			}
			outputs <- string(out)
		}()
	}
	won := 0
	for range many {
		switch out := <-outputs; {
		case strings.Contains(out, "Success!"):
			won++
		case !strings.Contains(out, "Server doc is already running"):
			t.Error(out)
		}
	}
	if won != 1 {
		t.Errorf("%d starts won", won)
	}
}
