//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vserver/service/config"
	"vserver/service/instance"
)

// screen is a terminal with a shell in it, which a test types into and looks at.
type screen struct {
	*home
	socket  string
	servers int // of tmux, so far
}

// newScreen opens a terminal in a home of its own.
func newScreen(t *testing.T) *screen {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("NOT TESTED: what happens on a terminal, since tmux is not installed")
	}
	s := &screen{home: newHome(t)}
	s.env = append(s.env, "TERM=screen-256color", "TMUX=")
	if err := os.WriteFile(filepath.Join(s.dir, "rc"), []byte("PS1='ready> '\nunset HISTFILE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.open()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen at the end:\n%s", strings.TrimSpace(s.look()))
		}
		_ = exec.Command("tmux", "-S", s.socket, "kill-server").Run()
	})
	return s
}

// open starts a shell in a new terminal. It has a server of tmux of its own: one whose
// last terminal was closed takes requests for a moment more and then drops them.
func (s *screen) open() {
	s.Helper()
	s.servers++
	s.socket = filepath.Join(s.dir, fmt.Sprintf("tmux%d", s.servers))
	s.tmux("-f", "/dev/null", "new-session", "-d", "-x", "130", "-y", "45", "exec bash --rcfile "+filepath.Join(s.dir, "rc"))
	s.await("ready>")
}

func (s *screen) tmux(args ...string) string {
	s.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", s.socket}, args...)...)
	cmd.Env, cmd.Dir = s.env, s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("tmux %s: %v %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (s *screen) look() string { return s.tmux("capture-pane", "-p", "-J", "-S", "-200") }

// typed types a text.
func (s *screen) typed(text string) { s.tmux("send-keys", "-l", "--", text) }

// keys presses keys by their names.
func (s *screen) keys(names ...string) { s.tmux(append([]string{"send-keys"}, names...)...) }

// await waits until a text is on the screen.
func (s *screen) await(text string) {
	s.Helper()
	until(s.Fatalf, "the screen does not show: "+text, func() bool { return strings.Contains(s.look(), text) })
}

// command runs a command line to its end.
func (s *screen) command(line string) {
	s.typed("clear; " + line)
	s.keys("Enter")
}

// answer waits for a question, types an answer and leaves the question.
func (s *screen) answer(question, text string) {
	s.Helper()
	s.await(question)
	if text != "" {
		s.typed(text)
	}
	s.keys("Enter")
}

func TestWizardOnATerminal(t *testing.T) {
	s := newScreen(t)
	s.command("vserver new --user; echo code $?")
	s.answer("Please enter a configuration-name:", "made here")
	s.answer("Enter a human-readable description:", "on a terminal")
	s.await("ip:")
	s.keys("C-u")
	s.answer("ip:", "127.0.0.1")
	s.await("Enter port to which the server listens:")
	s.keys("C-u")
	s.answer("Enter port", "abc") // is asked again
	s.await("must be")
	s.keys("C-u")
	s.answer("Enter port", fmt.Sprint(s.port))
	s.answer("Path of the api:", "")
	s.answer("Database URI:", "")
	s.await("Allowed to drop all tables:")
	s.keys("Down", "Enter") // False
	s.await("constant JWT secret?")
	s.typed("y")
	s.await("Which level of logging")
	s.keys("Up", "Enter") // the last one, from the first
	s.await("two-factor")
	s.typed("n")
	s.await("VPN server?")
	s.keys("Enter")
	s.await("RabbitMQ message queue?")
	s.typed("n")
	s.answer("Address at which people reach the server:", "https://fl.hospital.example")
	s.answer("Password of the first user, root:", "N3w-Passw0rd!")
	s.answer("The same once more:", "N3w-Passw0rd!")
	s.await("New configuration created:")
	s.await("User root can log in with the password that you have chosen")
	s.await("You can start the server by running vserver start --user")
	s.await("code 0")
	if strings.Contains(s.look(), "N3w-Passw0rd") {
		t.Error("the password is on the screen")
	}
	inst, err := s.locations().Resolve(config.Wanted{Name: "made-here", Scope: config.User})
	if err != nil {
		t.Fatal(err)
	}
	c := inst.Config
	if c.Description != "on a terminal" || c.IP != "127.0.0.1" || c.Port != s.port || c.AllowDropAll || c.TwoFactorAuth ||
		c.JWTSecretGenerated || c.Logging.Level != "NOTSET" || c.VPN != nil || c.RabbitMQURI != "" {
		t.Errorf("the file says: %s", c)
	}
}

func TestWizardIsCancelled(t *testing.T) {
	s := newScreen(t)
	s.command("vserver new --user --name nothing; echo code $?")
	s.answer("Enter a human-readable description:", "will not be")
	s.await("ip:")
	s.keys("C-c")
	s.await("[error] - Cancelled by user")
	s.await("code 1")
	if _, err := os.Stat(filepath.Join(s.dir, ".config/vantage6/server/nothing.yaml")); err == nil {
		t.Error("a file was written")
	}
	// The terminal is as it was: what is typed shows, and is a command line.
	s.command("echo still $((40+2)) here")
	s.await("still 42 here")
}

func TestMenuOnATerminal(t *testing.T) {
	s := newScreen(t)
	text, err := os.ReadFile(filepath.Join(s.dir, ".config/vantage6/server/doc.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, ".config/vantage6/server/second.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.command("vserver files --user; echo code $?")
	s.await("Select the configuration you want to use:")
	s.keys("Down", "Enter")
	s.await("server/second.yaml")
	s.await("code 0")
}

func TestAttachOnATerminal(t *testing.T) {
	s := newScreen(t)
	s.command("vserver start --user --name doc -e test --attach; echo code $?")
	s.await("Listening on")
	s.await("Server doc is ready")
	r, ok := called(s.locations(), config.User, "doc")
	if !ok {
		t.Fatal("it does not run")
	}
	if _, err := instance.NewClient(r.URL, "").Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.await("GET /api/health status=200")
	s.keys("C-c")
	s.await("Closing log file. Keyboard Interrupt.")
	s.await("Note that your server is still running! Shut it down with vserver stop")
	s.await("code 0")
	if _, err := instance.NewClient(r.URL, "").Version(t.Context()); err != nil {
		t.Errorf("the server went with the terminal's interrupt: %v", err)
	}
	// It goes on when the terminal itself is closed, and can be looked at from another.
	s.keys("C-d")
	until(t.Fatalf, "the terminal is not closed", func() bool {
		return exec.Command("tmux", "-S", s.socket, "has-session").Run() != nil
	})
	if _, err := instance.NewClient(r.URL, "").Version(t.Context()); err != nil {
		t.Fatalf("the server went with its terminal: %v", err)
	}
	s.open()
	s.command("vserver attach --user; echo code $?")
	s.await("Select the server you wish to inspect:")
	s.keys("Enter")
	s.await("GET /api/health status=200")
	s.vserver("stop", "--user", "--name", "doc")
	s.await("Server doc has ended")
	s.await("code 0")
}

// What bash completes after its script was read. Where the usual helper functions of
// bash are not installed, the one that the script needs stands in for them.
func TestCompletionOnATerminal(t *testing.T) {
	s := newScreen(t)
	s.command(`_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }`)
	s.command("source <(vserver completion bash); echo loaded")
	s.await("loaded\n")
	s.typed("clear; vserver fil")
	s.keys("Tab")
	s.await("vserver files")
	s.typed("--us")
	s.keys("Tab")
	s.await("vserver files --user")
	s.typed("--name d")
	s.keys("Tab")
	s.await("--name doc")
	s.typed("-e test")
	s.keys("Enter")
	s.await("server/doc.yaml")
}

func TestShellOnATerminal(t *testing.T) {
	s := newScreen(t)
	s.command("vserver shell --user --name doc -e test")
	s.await("In [1]:")
	s.typed("db.Organ")
	s.keys("Tab")
	s.await("db.Organization")
	s.typed(".get_by_n")
	s.keys("Tab")
	s.await("db.Organization.get_by_name")
	s.typed(`("root").name`)
	s.keys("Enter")
	s.await("Out[1]: 'root'")
	s.keys("Up")
	s.await("In [2]: db.Organization")
	s.keys("C-c")
	s.await("KeyboardInterrupt\nIn [2]:")
	s.typed("exit")
	s.keys("Enter")
	s.await("exit\nready>")
}
