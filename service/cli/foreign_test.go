//go:build linux

package cli_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vserver/service/promise"
)

// foreign runs the program of another system on this one, in a folder of its own.
type foreign struct {
	*testing.T
	dir     string
	command []string // an emulator and the program
	env     []string
	port    int
}

// newForeign builds the program for another system.
func newForeign(t *testing.T, system, arch string, emulator ...string) *foreign {
	t.Helper()
	if !promise.Long() {
		t.Skip("the programs of other systems are run by make test-long")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	f := &foreign{T: t, dir: t.TempDir(), port: port}
	file := filepath.Join(f.dir, "vserver.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", file, "vserver")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f.command = append(slices.Clone(emulator), file)
	f.env = append(os.Environ(), "HOME="+f.dir, "XDG_DATA_DIRS="+f.dir, "XDG_CONFIG_DIRS="+f.dir)
	return f
}

// run runs a command to its end. Its output goes to a file: a server that it starts
// would keep a pipe open.
func (f *foreign) run(code int, args ...string) string {
	f.Helper()
	out, err := os.Create(filepath.Join(f.dir, "out"))
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd := f.prepare(args...)
	cmd.Stdout, cmd.Stderr = out, out
	_ = cmd.Run() // the exit code says it
	text, err := os.ReadFile(out.Name())
	if got := cmd.ProcessState.ExitCode(); err != nil || got != code {
		f.Fatalf("vserver %s: exit code %d, want %d, %v\n%s", strings.Join(args, " "), got, code, err, text)
	}
	return strings.ReplaceAll(string(text), "\r", "")
}

func (f *foreign) prepare(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(f.Context(), f.command[0], append(f.command[1:len(f.command):len(f.command)], args...)...)
	cmd.Env, cmd.Dir = f.env, f.dir
	return cmd
}

// says fails the test when a command does not say what it should.
func (f *foreign) says(pattern string, args ...string) {
	f.Helper()
	if out := f.run(0, args...); !regexp.MustCompile("(?m)" + pattern).MatchString(out) {
		f.Errorf("vserver %s does not say %s:\n%s", strings.Join(args, " "), pattern, out)
	}
}

// write puts a file into the folder.
func (f *foreign) write(name, text string) {
	f.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
}

// call asks the server, and returns its answer.
func (f *foreign) call(method, path, token string, body map[string]any, status int) (reply map[string]any) {
	f.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		f.Fatal(err)
	}
	var answer *http.Response
	until(f.Fatalf, "the server does not answer", func() bool {
		req, err := http.NewRequestWithContext(f.Context(), method, fmt.Sprintf("http://127.0.0.1:%d/api%s", f.port, path), bytes.NewReader(text))
		if err != nil {
			f.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err = http.DefaultClient.Do(req)
		return err == nil
	})
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&reply); err != nil || answer.StatusCode != status {
		f.Fatalf("%s %s: %d %v %v", method, path, answer.StatusCode, reply, err)
	}
	return reply
}

// serves logs in, makes a task and reads it.
func (f *foreign) serves() {
	f.Helper()
	token, _ := f.call(http.MethodPost, "/token/user", "", map[string]any{"username": "frank@iknl.nl", "password": "password"}, http.StatusOK)["access_token"].(string)
	task := f.call(http.MethodPost, "/task", token, map[string]any{
		"name": "far", "image": "image", "collaboration_id": 1, "organizations": []any{map[string]any{"id": 2, "input": "aW5wdXQ="}},
	}, http.StatusCreated)
	if got := f.call(http.MethodGet, fmt.Sprintf("/task/%v", task["id"]), token, nil, http.StatusOK); got["name"] != "far" {
		f.Error(got)
	}
}

// prepareInstance makes a configuration, and fills its database.
func (f *foreign) prepareInstance() {
	f.Helper()
	text, err := os.ReadFile("../batch/testdata/documentation.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.write("import.yaml", string(text))
	f.says(`New configuration created`, "new", "--user", "--name", "far", "--environment", "test", "--yes", "--ip", "127.0.0.1", "--port", strconv.Itoa(f.port))
	f.says(`can be started: test`, "config", "check", "--user", "--name", "far")
	f.says(`35 created`, "import", "--user", "--name", "far", "-e", "test", "import.yaml")
}

// findWine returns a Wine that runs the programs of today's Go: 10 or later.
func findWine(t *testing.T) string {
	t.Helper()
	wine, err := exec.LookPath(cmp.Or(os.Getenv("VSERVER_TEST_WINE"), "wine"))
	if err != nil {
		t.Skip("NOT TESTED: the program for Windows, since there is no Wine (VSERVER_TEST_WINE)")
	}
	ask := exec.CommandContext(t.Context(), wine, "--version")
	ask.Dir = t.TempDir()
	out, err := ask.Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "wine-"), ".")
	const least = 10
	if n, bad := strconv.Atoi(major); err != nil || bad != nil || n < least {
		t.Skipf("NOT TESTED: the program for Windows, since Wine is %q and not 10 or later", strings.TrimSpace(string(out)))
	}
	return wine
}

func TestWindowsProgramWorks(t *testing.T) {
	f := newForeign(t, "windows", "amd64", findWine(t))
	f.env = append(f.env, "WINEPREFIX="+filepath.Join(f.dir, "wine"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	f.says(`for windows/amd64`, "--version")
	f.prepareInstance()
	name := []string{"--user", "--name", "far"}

	// The waiting start reads the record while the server replaces it.
	for range 10 {
		f.says(`Success! process id`, append([]string{"start", "-e", "test"}, name...)...)
		f.says(`Stopped the vantage6-far-user-server`, append([]string{"stop"}, name...)...)
	}
	f.says(`Server far answers`, append([]string{"start", "-e", "test"}, name...)...)
	f.serves()
	f.says(`^  test at http://127\.0\.0\.1:`, "list")
	f.says(`works and answers`, append([]string{"health", "-e", "test"}, name...)...)
	f.says(`^4$`, append([]string{"shell", "-e", "test", "--command", "len(db.Organization.get())"}, name...)...)
	f.says(`Copied and checked`, append([]string{"backup", "-e", "test"}, append(name, "copy.sqlite")...)...)
	f.says(`Stopped the vantage6-far-user-server`, append([]string{"stop"}, name...)...)
	f.says(`Restored the database`, append([]string{"restore", "-e", "test"}, append(name, "copy.sqlite")...)...)

	// A service of a file anywhere.
	f.run(0, "new", "--system", "--name", "served", "--environment", "test", "--yes", "--ip", "127.0.0.1", "--port", strconv.Itoa(f.port))
	var listed []struct{ Configuration string }
	out := f.run(0, "files", "--system", "--name", "served", "-e", "test", "--json")
	if err := json.Unmarshal([]byte("["+out[strings.Index(out, "{"):strings.LastIndex(out, "}")+1]+"]"), &listed); err != nil {
		t.Fatal(err, out)
	}
	f.run(0, "service", "install", "--config", listed[0].Configuration, "-e", "test")
	f.says(`^served\t\S+\ttest\t.*served\.yaml\t.*vserver\.exe$`, "service", "list")
	f.run(0, "service", "uninstall", "--name", "served")
	if out := f.run(0, "service", "list"); strings.Contains(out, "served") {
		t.Error(out)
	}

	// A drive without a folder is a stream of a file, and no database.
	for uri, says := range map[string]string{`sqlite:///C:d.db`: "names a drive without a folder", `sqlite:////C:\d.db`: "has a / too much"} {
		file := filepath.Join(f.dir, "drive.yaml")
		text, err := os.ReadFile("../config/testdata/documentation.yaml")
		if err != nil {
			t.Fatal(err)
		}
		f.write(filepath.Base(file), strings.Replace(string(text), "sqlite:///test.sqlite", uri, 1))
		if out := f.run(1, "config", "check", "drive.yaml"); !strings.Contains(out, says) {
			t.Errorf("%s: %s", uri, out)
		}
	}
}

// A Windows that is too old is told of in a sentence, whatever is asked.
func TestOldWindowsIsRefusedInASentence(t *testing.T) {
	f := newForeign(t, "windows", "amd64", findWine(t))
	f.env = append(f.env, "WINEPREFIX="+filepath.Join(f.dir, "wine"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	old := exec.CommandContext(t.Context(), f.command[0], "winecfg", "-v", "win7")
	old.Env, old.Dir = f.env, f.dir
	if err := old.Run(); err != nil {
		t.Skipf("Wine cannot be made an old Windows: %v", err)
	}
	if out := f.run(1, "list"); !strings.Contains(out, "is too old: vserver needs Windows 10 release 1803") {
		t.Error(out)
	}
}

func TestProgramForARMWorks(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Skip("NOT TESTED: the program for linux/arm64, since qemu-aarch64-static is not installed")
	}
	f := newForeign(t, "linux", "arm64", qemu)
	f.says(`for linux/arm64`, "version")
	f.prepareInstance()
	server := f.prepare("run", "--user", "--name", "far", "-e", "test")
	var out bytes.Buffer
	server.Stdout, server.Stderr = &out, &out
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	f.serves()
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil || !strings.Contains(out.String(), "Server far has ended") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
