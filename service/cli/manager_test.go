package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vserver/service/config"
	"vserver/service/daemon"
	"vserver/service/terminal"
)

// fakeManager has one service, whose server runs in this process.
type fakeManager struct {
	daemon.Manager // nil: nothing else is asked of it
	state          daemon.State
	fault          error
	asked          []string
	begin          func()
	finish         func()
}

// find is daemon.Find on a machine where every instance has this service.
func (m *fakeManager) find(_ config.Locations, inst config.Instance) (daemon.Manager, daemon.State, error) {
	m.asked = append(m.asked, fmt.Sprintf("%s %s", inst.Scope, inst.Name))
	return m, m.state, nil
}

// Start starts the server, unless there is a fault.
func (m *fakeManager) Start() error {
	m.asked = append(m.asked, "start")
	if m.fault == nil {
		m.begin()
	}
	return m.fault
}

// Stop ends the server.
func (m *fakeManager) Stop() error {
	m.asked = append(m.asked, "stop")
	m.finish()
	return nil
}

// inProcess is the command line in a home of its own, with services.
func inProcess(t *testing.T, m *fakeManager) (p *program, inst config.Instance, out *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, ".config", "vantage6", "server")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../config/testdata/documentation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "doc.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	out = &bytes.Buffer{}
	p = &program{
		findService: m.find,
		in:          &terminal.Input{Reader: strings.NewReader("")}, out: out, err: out, Console: terminal.Console{Out: out},
		getenv: func(name string) string { return map[string]string{"HOME": dir, "XDG_DATA_DIRS": dir}[name] },
	}
	inst, err = config.ThisMachine(p.getenv).Resolve(config.Wanted{Name: "doc", Scope: config.User})
	if err != nil {
		t.Fatal(err)
	}
	return p, inst, out
}

// serve runs the instance in this process as the manager's would.
func serve(t *testing.T, p *program, inst config.Instance, m *fakeManager) {
	inst.Config.IP, inst.Config.Port = "127.0.0.1", 0
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	m.begin = func() {
		go func() {
			silent := *p
			silent.out, silent.Console = &bytes.Buffer{}, terminal.Console{Out: &bytes.Buffer{}}
			ended <- silent.serve(ctx, inst, runFlags{})
		}()
		m.state = daemon.Active
	}
	m.finish = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestInstalledServiceIsUsed(t *testing.T) {
	m := &fakeManager{state: daemon.Stopped}
	p, inst, out := inProcess(t, m)
	serve(t, p, inst, m)
	if code := p.main(t.Context(), []string{"start", "--user", "--name", "doc", "-p", "5001"}); code != 0 {
		t.Fatalf("start: %d %s", code, out)
	}
	for _, want := range []string{"has its own options", "Starting the service that is installed", "Server doc answers at http://127.0.0.1:", "Success!"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("start does not say %q: %s", want, out)
		}
	}
	if code := p.main(t.Context(), []string{"start", "--user", "--name", "doc"}); code != 1 {
		t.Errorf("started twice: %d", code)
	}
	if code := p.main(t.Context(), []string{"stop", "--user", "--name", "doc"}); code != 0 || !strings.Contains(out.String(), "Stopped the vantage6-doc-user-server server.") {
		t.Errorf("stop: %d %s", code, out)
	}
	if strings.Join(m.asked, " ") != "user doc start user doc stop" {
		t.Errorf("the manager was asked for %q", m.asked)
	}
}

func TestServiceThatCannotBeUsed(t *testing.T) {
	m := &fakeManager{state: daemon.Stopped, fault: errors.New("no rights")}
	p, _, out := inProcess(t, m)
	if code := p.main(t.Context(), []string{"start", "--user", "--name", "doc"}); code != 1 || !strings.Contains(out.String(), "no rights") {
		t.Errorf("start: %d %s", code, out)
	}
}
