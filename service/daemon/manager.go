package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	kardianos "github.com/kardianos/service"

	"vserver/service/config"
)

// State is what a service manager says of a service.
type State string

// The states of a service.
const (
	NotInstalled State = "not installed"
	Stopped      State = "stopped"
	Active       State = "running" // or about to
	Failed       State = "failed"
)

// Manager is the service manager of the machine, asked about one service. Its errors
// say what was tried; most of it needs the rights of an administrator.
type Manager interface {
	// Install makes the service known and lets it start with the machine, or at log-in
	// for the service of a user. It does not start it. An installed one is an error.
	Install() error
	// Uninstall forgets the service, and on some systems stops it.
	Uninstall() error
	// Start returns once the server is ready where the manager can tell (systemd), else
	// once it has been started.
	Start() error
	// Stop returns when the server has ended.
	Stop() error
	// Restart does both; a stopped service is started.
	Restart() error
	// Status never fails because the service is not there.
	Status() (State, error)
}

var _ Manager = manager{}

// manager is the manager of this machine.
type manager struct {
	kardianos.Service
	unit Unit
	run  Runner
}

// Runner runs a command of the system and gives what it prints; the error has what it
// complains about.
type Runner func(ctx context.Context, name string, args ...string) (string, error)

// RunCommand is the Runner of this machine.
func RunCommand(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the commands are constants, names are checked
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", path.Base(name), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// ErrNoManager is returned where there is no service manager that is known here.
var ErrNoManager = errors.New("this machine has no service manager that vserver knows (systemd, launchd, Windows)")

// NewManager asks the manager of this machine about a unit. A unit with nothing but
// its name and scope is enough for all but Install.
func NewManager(u Unit) (Manager, error) {
	if u.GOOS == "windows" && u.Scope == config.User {
		_, err := u.windowsText()
		return nil, err
	}
	if u.GOOS == "linux" && kardianos.Platform() != "linux-systemd" {
		return nil, fmt.Errorf("%w: vserver start runs a server without one", ErrNoManager)
	}
	text := ""
	if u.Executable != "" {
		var err error
		if text, err = u.Text(); err != nil {
			return nil, err
		}
	}
	s, err := kardianos.New(nil, u.settings(text))
	if err != nil {
		return nil, fmt.Errorf("asking the service manager: %w", err)
	}
	return manager{s, u, RunCommand}, nil
}

// ManagerOf asks the manager of this machine about an instance's service, which need
// not be installed; the error is ErrNoManager where there can be none.
func ManagerOf(locations config.Locations, scope config.Scope, name string) (Manager, error) {
	return NewManager(Unit{GOOS: locations.GOOS, Name: UnitName(locations.GOOS, scope, name), Instance: name, Scope: scope})
}

// settings returns the unit for kardianos. On Linux and macOS the text holds everything.
func (u Unit) settings(text string) *kardianos.Config {
	c := &kardianos.Config{
		Name: u.Name, DisplayName: "vserver " + u.Instance,
		Description: "Server of a federated-learning network, instance " + u.Instance,
		Executable:  u.Executable,
		Option:      kardianos.KeyValue{"UserService": u.Scope == config.User},
	}
	switch u.GOOS {
	case "windows":
		c.Arguments, c.UserName = u.Arguments, u.Account
		c.Option = kardianos.KeyValue{
			"StartType": "automatic", "DelayedAutoStart": true,
			"OnFailure": "restart", "OnFailureDelayDuration": "2s", "OnFailureResetPeriod": 300,
		}
	case "darwin":
		c.Option["LaunchdConfig"] = text
	default:
		c.Option["SystemdScript"] = text
	}
	return c
}

// Install makes the service known.
func (m manager) Install() error { return m.explain("installing", m.Service.Install()) }

// Uninstall forgets the service, and that it had failed. One that was made of the packages'
// template has no file of its own to be removed.
func (m manager) Uninstall() error {
	err := m.Service.Uninstall()
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	m.resetFailed()
	return m.explain("uninstalling", err)
}

// Start starts it. launchd runs a service from the moment it is loaded, and loads
// none twice.
func (m manager) Start() error {
	if m.unit.GOOS == "darwin" {
		_ = m.Service.Stop() // it may not be loaded
	}
	m.resetFailed()
	return m.explain("starting", m.Service.Start())
}

// Stop ends it.
func (m manager) Stop() error { return m.explain("stopping", m.Service.Stop()) }

// Restart ends and starts it.
func (m manager) Restart() error {
	if m.unit.GOOS == "darwin" {
		return m.Start()
	}
	m.resetFailed()
	return m.explain("restarting", m.Service.Restart())
}

// resetFailed makes systemd forget failed starts: who asks for a start has mended what
// was wrong, and would be refused after too many.
func (m manager) resetFailed() {
	if m.unit.GOOS == "linux" {
		_, _ = m.query("systemctl", "reset-failed", m.unit.Name+".service") // there may be none
	}
}

// explain says what was being done, and what the server said at last.
func (m manager) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s service %s: %w", doing, m.unit.Name, err)
	if m.unit.GOOS != "linux" {
		return err
	}
	words, _ := m.query("journalctl", "--unit", m.unit.Name, "--lines=5", "--output=cat", "--no-pager")
	words = strings.TrimSpace(colours().ReplaceAllString(words, ""))
	return fmt.Errorf("%w; more is in: journalctl %s-u %s\n%s", err, m.userOption(), m.unit.Name, words)
}

// colours are what a console colours its lines with.
var colours = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("\x1b\\[[0-9;]*m") })

// userOption is that of the commands for the services of a user, for messages.
func (m manager) userOption() string {
	if m.unit.Scope == config.User {
		return "--user "
	}
	return ""
}

// query runs a command of systemd for this service's level.
func (m manager) query(command string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	if m.unit.Scope == config.User {
		args = append([]string{"--user"}, args...)
	}
	return m.run(ctx, command, args...)
}

// answerTime is how long a service manager may take to tell a state.
const answerTime = 10 * time.Second

// Status asks systemd itself: what kardianos makes of its answers does not tell a
// template of the packages from an installed service, nor a failed one from none.
func (m manager) Status() (State, error) {
	if m.unit.GOOS == "linux" {
		return m.systemdStatus()
	}
	status, err := m.Service.Status()
	switch {
	case errors.Is(err, kardianos.ErrNotInstalled):
		return NotInstalled, nil
	case err != nil:
		return NotInstalled, fmt.Errorf("asking the service manager about %s: %w", m.unit.Name, err)
	case status == kardianos.StatusRunning:
		return Active, nil
	}
	return Stopped, nil
}

func (m manager) systemdStatus() (State, error) {
	out, err := m.query("systemctl", "show", "--property=LoadState,ActiveState,SubState,UnitFileState,FragmentPath", m.unit.Name+".service")
	if err != nil {
		return NotInstalled, fmt.Errorf("asking the service manager about %s: %w", m.unit.Name, err)
	}
	return systemdState(m.unit.Name, out), nil
}

// systemdState reads the answer of `systemctl show`. The packages' template counts
// once it was enabled or started for an instance.
func systemdState(name, answer string) State {
	properties := map[string]string{}
	for line := range strings.Lines(answer) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		properties[key] = value
	}
	if properties["SubState"] == "auto-restart" { // it waits after a failure
		return Failed
	}
	switch properties["ActiveState"] {
	case "active", "activating", "reloading", "deactivating":
		return Active
	case "failed":
		if properties["LoadState"] == "not-found" { // what is left of one that was uninstalled
			return NotInstalled
		}
		return Failed
	}
	own := path.Base(properties["FragmentPath"]) == name+".service"
	if properties["LoadState"] == "loaded" && (own || strings.HasPrefix(properties["UnitFileState"], "enabled")) {
		return Stopped
	}
	return NotInstalled
}

// Find looks for the service that runs an instance, whatever it is called, and returns its
// manager and state. A service of the same name that runs another file or environment is
// not it. Where there is no service manager, or the user has none, as somebody who is not
// really logged in, none is installed.
func Find(locations config.Locations, inst config.Instance) (Manager, State, error) {
	m, state, err := named(locations, inst.Scope, inst.Name)
	if err != nil || m == nil {
		return m, state, err
	}
	its, of := optionsOf(locations, inst.Scope, inst.Name).configuration(locations, inst.Scope, inst.Name)
	if state != NotInstalled && its == config.RealPath(inst.File) && of == inst.Config.Environment {
		return m, state, nil
	}
	for _, name := range runningFile(locations, inst.Scope, inst.File, inst.Config.Environment) {
		if name != inst.Name {
			return named(locations, inst.Scope, name)
		}
	}
	return m, NotInstalled, nil
}

// named looks for the service of a name.
func named(locations config.Locations, scope config.Scope, name string) (Manager, State, error) {
	m, err := ManagerOf(locations, scope, name)
	if errors.Is(err, ErrNoManager) {
		return nil, NotInstalled, nil
	}
	if err != nil {
		return nil, NotInstalled, err
	}
	if locations.GOOS == "linux" && scope == config.User && commandLines(locations, scope)[name] == nil {
		return m, NotInstalled, nil
	}
	state, err := m.Status()
	return m, state, err
}
