package shell_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/service/promise"
	"vserver/service/shell"
)

// screen is a terminal: what is typed at it, and what it shows.
type screen struct {
	io.Reader
	mu    sync.Mutex
	shown bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.Write(p)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// interact types keys into a session and gives what it wrote beside the terminal itself,
// and what the terminal showed.
func (b *fixture) interact(keys string) (said, shown string) {
	b.Helper()
	b.out.Reset()
	b.err.Reset()
	s := &screen{Reader: strings.NewReader(keys)}
	code, err := b.shell.Interact(b.Context(), shell.Console{ReadWriter: s})
	if code != 0 || err != nil {
		b.Fatalf("%q ends with %d, %v", keys, code, err)
	}
	return b.out.String() + b.err.String(), s.text()
}

func TestTerminal(t *testing.T) {
	const banner = "Shell of x (dev). help() tells what there is; Ctrl-D ends.\n"
	for name, c := range map[string]struct{ keys, want string }{
		"value":            {"1+1\r\x04", "Out[1]: 2\n"},
		"numbers":          {"x = 1\rx\r\r\rx\r\x04", "Out[2]: 1\nOut[3]: 1\n"},
		"exit":             {"exit\r1\r", ""},
		"exit called":      {"quit()\r1\r", ""},
		"fault":            {"nope\r1\r\x04", "Out[2]: 1\nNameError: name 'nope' is not defined\n"},
		"block":            {"for i in [1, 2]:\r    print(i)\r\r3\r\x04", "1\n2\nOut[2]: 3\n"},
		"fault in a block": {"if True:\r    1\r    2/0\r\r\x04", "ZeroDivisionError: floating-point division by zero (line 3)\n"},
		"brackets":         {"[1,\r\r2]\r\x04", "Out[1]: [1, 2]\n"},
		"Ctrl-C":           {"12\x03[1,\r2\x033\r\x04", ""},
		"editing":          {"21\x01print(\x05)\r\x04", "21\n"},
		"arrow":            {"7\r\x1b[A\r\x04", "Out[1]: 7\nOut[2]: 7\n"},
		"completion":       {"db.Orga\t.get(1).name\r\x04", "Out[1]: 'root'\n"},
		"of a variable":    {"rule = db.Rule.get(3)\rrule.na\t\rrul\t.oper\t.na\t\r\x04", "Out[2]: 'node'\nOut[3]: 'EDIT'\n"},
		"of a built-in":    {"enumer\t([])\r\x04", "Out[1]: []\n"},
		"no completion":    {"x = db.Nope\tx\r1\r\x04", "Out[2]: 1\nAttributeError: module has no .Nopex field or method (did you mean .Node?)\n"},
		"indentation":      {"if True:\r\tprint(5)\r\r\x04", "5\n"},
		"pasted":           {"\x1b[200~for i in [1]:\r    print(i)\r\r    print(i+1)\rprint(9)\r\x1b[201~\x04", "1\n2\n9\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixtureWith(t, shell.Options{Context: shell.Context{Name: "x", Environment: "dev"}})
			said, shown := b.interact(c.keys)
			if name == "Ctrl-C" { // what was typed after it in one go is lost
				c.want = "KeyboardInterrupt\n"
			}
			if said != c.want || !strings.Contains(shown, banner) {
				t.Errorf("said %q, want %q; shown was\n%s", said, c.want, shown)
			}
		})
	}
}

func TestTerminalListsNames(t *testing.T) {
	b := newFixture(t)
	_, shown := b.interact("db.R\t\x15db.User.get_by\t\t\x15role = db.Role.get(3)\rrole.r\tx\x15print(role.\t\x15\x04")
	for _, want := range []string{"Role  Rule", "get_by_email  get_by_username", "db.User.get_by_", "delete  description  get  get_by_name  help  id  name  organization  organization_id  rules  save  users"} {
		if !strings.Contains(shown, want) {
			t.Errorf("not shown: %s\n%q", want, shown)
		}
	}
	if strings.Contains(shown, "role.rules") != true {
		t.Errorf("role.r became no role.rules: %q", shown)
	}
}

func TestTerminalPrompts(t *testing.T) {
	b := newFixture(t)
	_, shown := b.interact("[1,\r2]\r3\r\x04")
	for _, want := range []string{"In [1]: [1,", "   ...: 2]", "In [2]: 3", "In [3]: "} {
		if !strings.Contains(shown, want) {
			t.Errorf("not shown: %s\n%q", want, shown)
		}
	}
}

// The history is there in the next session, for its owner only; lines that may hold a
// secret are in no file.
func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "history")
	o := shell.Options{History: path}
	b := newFixtureWith(t, o)
	b.interact("x = 1\r   \rx = 1\ruser = db.User(username='u', password='in-clear')\rnode = db.Node(API_KEY='in-clear')\r\x1b[A\x1b[A\rx = 2\r\x04")
	if got := file(t, path); got != "x = 1\nx = 2\n" {
		t.Errorf("kept is %q", got)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	said, _ := newFixtureWith(t, o).interact("\x1b[A\x1b[A\rx\r\x04")
	if !strings.HasSuffix(said, "Out[2]: 1\n") {
		t.Errorf("the next session said %q", said)
	}
	var many strings.Builder
	for range 1500 {
		many.WriteString("1\n2\n")
	}
	if err := os.WriteFile(path, []byte(many.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	newFixtureWith(t, o).interact("3\r\x04")
	if got := strings.Count(file(t, path), "\n"); got != 1001 {
		t.Errorf("%d lines are kept", got)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	newFixtureWith(t, shell.Options{History: filepath.Join(path, "below", "a", "file")}).interact("1\r\x04")
}

func file(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whoever is asked to end does not wait for another key, and gives the terminal back.
func TestTerminalEndsWithItsContext(t *testing.T) {
	b := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	typed, _ := io.Pipe()
	var mu sync.Mutex
	raw, changes := false, 0
	s := &screen{Reader: typed}
	ended := make(chan error, 1)
	go func() {
		_, err := b.shell.Interact(ctx, shell.Console{ReadWriter: s, Raw: func() (func(), error) {
			set := func(to bool) {
				mu.Lock()
				defer mu.Unlock()
				raw, changes = to, changes+1
			}
			set(true)
			return func() { set(false) }, nil
		}, Size: func() (int, int, error) { return 20, 10, nil }})
		ended <- err
	}()
	for end := time.Now().Add(promise.Patience); !strings.Contains(s.text(), "In [1]"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not prompt")
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("it does not say why it ended")
	}
	mu.Lock()
	defer mu.Unlock()
	if raw || changes != 2 {
		t.Errorf("the terminal is raw: %v, after %d changes", raw, changes)
	}
}
