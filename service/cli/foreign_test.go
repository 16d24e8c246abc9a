//go:build linux

package cli_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vserver/service/freeport"
	"vserver/service/promise"
)

// foreign runs the program of another system on this one, in a folder of its own.
type foreign struct {
	*testing.T
	dir     string
	command []string // an emulator and the program
	env     []string
	port    int
	scope   string // "--user" or "--system"
}

// newForeign builds the program for another system.
func newForeign(t *testing.T, system, arch string, emulator ...string) *foreign {
	t.Helper()
	if !promise.Long() {
		t.Skip("the programs of other systems are run by make test-long")
	}
	port, err := freeport.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := &foreign{T: t, dir: t.TempDir(), port: port, scope: "--user"}
	file := filepath.Join(f.dir, "vserver.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", file, "vserver")
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
	f.says(`New configuration created`, "new", f.scope, "--name", "far", "--environment", "test", "--yes", "--ip", "127.0.0.1", "--port", strconv.Itoa(f.port))
	f.says(`can be started: test`, "config", "check", f.scope, "--name", "far")
	f.says(`35 created`, "import", f.scope, "--name", "far", "-e", "test", "import.yaml")
}

// findWine returns a Wine that runs the programs of today's Go: 10 or later.
func findWine(t *testing.T) string {
	t.Helper()
	wine, err := exec.LookPath(cmp.Or(os.Getenv("VSERVER_TEST_WINE"), "wine"))
	if err != nil {
		t.Skip("NOT TESTED: the program for Windows, since there is no Wine (.ci/wine, VSERVER_TEST_WINE)")
	}
	ask := exec.CommandContext(t.Context(), wine, "--version")
	ask.Dir = t.TempDir()
	out, err := ask.Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "wine-"), ".")
	const least = 10
	if n, bad := strconv.Atoi(major); err != nil || bad != nil || n < least {
		t.Skipf("NOT TESTED: the program for Windows, since Wine is %q and not 10 or later (.ci/wine)", strings.TrimSpace(string(out)))
	}
	return wine
}

func TestWindowsProgramWorks(t *testing.T) {
	f := newForeign(t, "windows", "amd64", findWine(t))
	f.onWine()
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

// onWine gives a folder of its own to what Wine calls drive C:.
func (f *foreign) onWine() {
	f.env = append(f.env, "WINEPREFIX="+filepath.Join(f.dir, "wine"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	f.Cleanup(func() { // Wine's own processes write to the folder a little longer
		end := exec.Command(f.command[0], "wineboot", "--kill")
		end.Env, end.Dir = f.env, os.TempDir()
		_ = end.Run()
		until(f.Errorf, "Wine does not end", func() bool { return os.RemoveAll(filepath.Join(f.dir, "wine")) == nil })
	})
}

// made lists what lies in folders of vantage6 on drive C:, with its mode: Wine makes modes of lists
// of rights, and lists of modes.
func (f *foreign) made() map[string]fs.FileMode {
	f.Helper()
	found := map[string]fs.FileMode{}
	err := filepath.WalkDir(filepath.Join(f.dir, "wine", "drive_c"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(path, "/vantage6") || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err == nil {
			found[path] = info.Mode().Perm()
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	return found
}

// wantPrivate wants all that lies in folders of vantage6 to be for its account alone.
func (f *foreign) wantPrivate(when string) {
	f.Helper()
	const everybody = 0o007
	files := 0
	for path, mode := range f.made() {
		if files++; mode&everybody != 0 {
			f.Errorf("%s others have rights to %s: %v", when, path, mode)
		}
	}
	const least = 5
	if files < least {
		f.Errorf("%s there are %d files", when, files)
	}
}

// opensUp lets everybody use the files in folders of vantage6.
func (f *foreign) opensUp() {
	f.Helper()
	for path := range f.made() {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			if err := os.Chmod(path, 0o666); err != nil {
				f.Fatal(err)
			}
		}
	}
}

// log reads the log of the server.
func (f *foreign) log() string {
	f.Helper()
	for path := range f.made() {
		if filepath.Base(path) == "far.log" {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			return string(text)
		}
	}
	return ""
}

// TestAdvisory_U15_FilesOnWindowsAreForTheirAccountAlone: whatever command makes them, in the folders of
// a user and in those that all users of the machine can reach. What others could use is made private at
// the next start, which says so; doctor says the command.
func TestAdvisory_U15_FilesOnWindowsAreForTheirAccountAlone(t *testing.T) {
	for _, scope := range []string{"--user", "--system"} {
		t.Run(scope, func(t *testing.T) {
			f := newForeign(t, "windows", "amd64", findWine(t))
			f.onWine()
			f.scope = scope
			f.prepareInstance()
			f.wantPrivate("after an import")
			name := []string{scope, "--name", "far", "-e", "test"}
			f.says(`nobody else may use the files`, append([]string{"doctor"}, name...)...)
			f.run(0, append([]string{"start"}, name...)...)
			f.serves()
			f.wantPrivate("while it serves")
			f.run(0, append([]string{"backup"}, append(name, "copy.sqlite")...)...)
			if info, err := os.Stat(filepath.Join(f.dir, "copy.sqlite")); err != nil || info.Mode()&0o007 != 0 {
				t.Errorf("others have rights to a backup: %v %v", info, err)
			}
			f.run(0, append([]string{"stop"}, name...)...)
			f.opensUp()
			f.run(0, append([]string{"start"}, name...)...)
			f.wantPrivate("after the next start")
			f.run(0, append([]string{"stop"}, name...)...)
			log := f.log()
			for _, file := range []string{"far.yaml", "far.log", "default.sqlite"} {
				if !regexp.MustCompile(`WARNING .* had rights to .*\\` + regexp.QuoteMeta(file) + `: they have none any more`).MatchString(log) {
					t.Errorf("the log does not say that %s was made private:\n%s", file, log)
				}
			}
			f.opensUp()
			f.says(`other accounts of this machine have rights to .*far\.yaml\s.*icacls ".*far\.yaml" /inheritance:r /grant:r \*S-1-5-18:F`, append([]string{"doctor"}, name...)...)
		})
	}
}

// TestRoomsOnWindowsKeepFilesPrivate runs what the rooms test there themselves.
func TestRoomsOnWindowsKeepFilesPrivate(t *testing.T) {
	f := newForeign(t, "windows", "amd64", findWine(t))
	f.onWine()
	for _, room := range []string{"service/private", "queries"} {
		file := filepath.Join(f.dir, "room.exe")
		build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", file, "vserver/"+room)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH=amd64")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		own := *f
		own.command = []string{f.command[0], file, "-test.v", "-test.run", "Private|ListOfTheirOwn|ListFromTheBeginning|OpenDoes"}
		if out := own.run(0); !strings.Contains(out, "--- PASS") || strings.Contains(out, "NOT TESTED") {
			t.Errorf("%s:\n%s", room, out)
		}
	}
}

// A Windows that is too old is told of in a sentence, whatever is asked.
func TestOldWindowsIsRefusedInASentence(t *testing.T) {
	f := newForeign(t, "windows", "amd64", findWine(t))
	f.onWine()
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
