//go:build unix

package daemon_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// standIn is a vserver of version VERSION as install.sh sees one: a program with
// services, whose database is a number, the version of its schema. It notes what it is
// asked in calls. The file bad-VERSION lists what fails.
const standIn = `#!/bin/sh
world=WORLD
bad() { grep -qsx "$1" "$world/bad-VERSION"; }
[ "$1" = version ] && { bad version && exit 126; echo "vserver VERSION"; exit; }
[ "$2" = --help ] && { bad help && exit 2; exit 0; }
[ "$1" = list ] && { cat "$world/online" 2>/dev/null; exit; }
echo "VERSION: $*" >>"$world/calls"
verb=$1; shift
[ "$verb" = service ] && { verb=$1; shift; }
target=
case $verb in backup|restore) target=$1; shift ;; esac
name=
while [ $# -gt 0 ]; do
	case $1 in --name) name=$2 ;; --config) name=$(basename "$2" .yaml) ;; esac
	shift
done
bad "$verb" && { echo "no $verb"; exit 1; }
bad "$verb $name" && { echo "no $verb"; exit 1; }
became() {
	awk -v n="$name" -v s="$1" 'BEGIN {FS = OFS = "\t"} $1 == n {$2 = s} {print}' "$world/services" >"$world/services.new"
	mv "$world/services.new" "$world/services"
}
case $verb in
list) cat "$world/services" ;;
install) printf '%s\tstopped\t-\t-\n' "$name" >>"$world/services" ;;
uninstall) grep -v "^$name	" "$world/services" >"$world/services.new"; mv "$world/services.new" "$world/services" ;;
stop) became stopped ;;
start)
	[ -f "$world/interrupt-VERSION" ] && { kill -TERM "$PPID"; exit 1; }
	if [ "$(cat "$world/db-$name" 2>/dev/null || echo 0)" -gt VERSION ]; then became failed; exit 1; fi
	echo VERSION >"$world/db-$name"
	became running
	;;
backup) cp "$world/db-$name" "$target" ;;
restore) cp "$target" "$world/db-$name" ;;
health) grep -q "^$name	running" "$world/services" ;;
account) ;;
*) exit 2 ;;
esac
`

// site is a machine for install.sh: a root for what it installs, and the world of its
// stand-in.
type site struct {
	*testing.T
	root, world string
	staging     string // DESTDIR of the next run
	code        int    // of the last run
	out         string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, root: t.TempDir(), world: t.TempDir()}
	s.write("services", "")
	return s
}

// write puts a file into the world.
func (s *site) write(name, text string) string {
	s.Helper()
	file := filepath.Join(s.world, name)
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		s.Fatal(err)
	}
	return file
}

// read returns a file of the world, or the root.
func (s *site) read(file string) string {
	s.Helper()
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.world, file)
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Fatal(err)
	}
	return string(text)
}

// release makes a program of a version, with its sum beside it.
func (s *site) release(version int) (file string) {
	s.Helper()
	v := strconv.Itoa(version)
	text := strings.NewReplacer("VERSION", v, "WORLD", s.world).Replace(standIn)
	file = s.write("vserver-"+v, text)
	s.write("vserver-"+v+".sha256", sumOf(text)+"  vserver-"+v+"\n")
	return file
}

func sumOf(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// run runs install.sh.
func (s *site) run(args ...string) {
	s.Helper()
	s.runIn("../..", args...)
}

func (s *site) runIn(folder string, args ...string) {
	s.Helper()
	out, err := s.script(folder, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	s.code, s.out = 0, string(out)
	if exit != nil {
		s.code = exit.ExitCode()
	}
}

// script is a run of the install.sh of a folder, on the machine of the site.
func (s *site) script(folder string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.Context(), "sh", append([]string{filepath.Join(folder, "install.sh")}, args...)...)
	cmd.Env = append(os.Environ(), "DESTDIR="+s.staging, "VSERVER_MACHINE="+s.root, "HOME=/home/ada", "TMPDIR="+s.TempDir(),
		"XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "XDG_CACHE_HOME=", "XDG_STATE_HOME=")
	return cmd
}

// expect fails the test when the last run did not end so, or did not say so.
func (s *site) expect(code int, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if !strings.Contains(s.out, text) {
			s.Errorf("%q is not in:\n%s", text, s.out)
		}
	}
	if s.code != code {
		s.Fatalf("exit code %d, want %d:\n%s", s.code, code, s.out)
	}
}

// installed is the version that lies where programs lie.
func (s *site) installed() string {
	s.Helper()
	out, err := exec.CommandContext(s.Context(), filepath.Join(s.root, "usr/local/bin/vserver"), "version").Output()
	if err != nil {
		return "none"
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), "vserver "))
}

// holds compares version, the service a and its database with what they should be.
func (s *site) holds(version, state, db string) {
	s.Helper()
	got := []string{s.installed(), s.state("a"), strings.TrimSpace(s.read("db-a"))}
	if want := []string{version, state, db}; !slices.Equal(got, want) {
		s.Fatalf("version, state and database are %q, want %q; the run said:\n%s", got, want, s.out)
	}
}

func (s *site) state(name string) string {
	s.Helper()
	for line := range strings.Lines(s.read("services")) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); f[0] == name {
			return f[1]
		}
	}
	return ""
}

// calls returns what the stand-ins were asked since the last time.
func (s *site) calls() []string {
	s.Helper()
	all := strings.Split(strings.TrimSpace(s.read("calls")), "\n")
	s.write("calls", "")
	return all
}

// upgradable is a site with version 1 and the service a, which runs.
func upgradable(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.run("--file", s.release(1), "--name", "a")
	s.expect(0, "New: vserver 1", "Installed "+s.root+"/usr/local/bin/vserver", "Starting a")
	s.holds("1", "running", "1")
	return s
}

func TestInstallScriptVerifies(t *testing.T) {
	s := newSite(t)
	file := s.release(1)
	sum := sumOf(s.read(file))
	bare := s.write("bare", s.read(file))
	listed := s.write("listed", s.read(file))
	for name, c := range map[string]struct {
		args []string
		sums string
		code int
		says string
	}{
		"by the line":        {[]string{"--file", bare, "--sha256", strings.ToUpper(sum)}, "", 0, "Installed"},
		"by the file beside": {[]string{"--file", file}, "", 0, "It is there already"},
		"by the list beside": {[]string{"--file", listed}, sum + "  listed\n", 0, "It is there already"},
		"by the binary list": {[]string{"--file", listed}, "00  other\n" + sum + " *listed\n", 0, "It is there already"},
		"nothing tells":      {[]string{"--file", bare}, "", 1, "nothing tells the sha256 of " + bare},
		"not in the list":    {[]string{"--file", listed}, sum + "  unlisted\n", 1, "nothing tells the sha256 of " + listed},
		"another":            {[]string{"--file", file, "--sha256", sumOf("")}, "", 1, "is damaged or not what was released"},
		"no sum":             {[]string{"--file", file, "--sha256", "1"}, "", 1, "is damaged or not what was released"},
		"not there":          {[]string{"--file", file + "x"}, "", 1, "does not exist"},
		"from the network":   {[]string{"--file", "https://example.org/vserver"}, "", 2, "takes a file of this machine"},
	} {
		s.write("SHA256SUMS", c.sums)
		if name != "by the line" && s.installed() == "none" {
			s.run("--file", file)
		}
		s.run(c.args...)
		if s.code != c.code || !strings.Contains(s.out, c.says) && !(c.code == 0 && strings.Contains(s.out, "It is there already")) {
			t.Errorf("%s: %d\n%s", name, s.code, s.out)
		}
	}
}

// pack makes an archive of files, as a release has them.
func (s *site) pack(name string, files map[string]string) (archive string) {
	s.Helper()
	dir := s.TempDir()
	for file, text := range files {
		file = filepath.Join(dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o755)); err != nil {
			s.Fatal(err)
		}
	}
	archive = filepath.Join(s.world, name)
	if out, err := exec.CommandContext(s.Context(), "tar", "-czf", archive, "-C", dir, ".").CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, out)
	}
	s.write(name+".sha256", sumOf(s.read(archive)))
	return archive
}

func TestInstallScriptUnpacks(t *testing.T) {
	s := newSite(t)
	text := s.read(s.release(1))
	s.run("--file", s.pack("a.tar.gz", map[string]string{"vserver_1/vserver": text, "vserver_1/share/man/man1/vserver.1": "manual"}))
	s.expect(0, "Next: vserver new, then vserver service install --name NAME --now")
	if s.installed() != "1" || s.read(s.root+"/usr/local/share/man/man1/vserver.1") != "manual" {
		t.Error(s.out)
	}
	if calls := s.calls(); !slices.Equal(calls, []string{"1: service account"}) {
		t.Error(calls)
	}
	s.run("--file", s.pack("empty.tar.gz", map[string]string{"readme": ""}))
	s.expect(1, "holds no vserver")
	s.run("--file", s.write("broken.tar.gz", "no archive"), "--sha256", sumOf("no archive"))
	s.expect(1, "cannot be unpacked")
	s.write("bad-1", "version")
	s.run("--file", s.pack("a.tar.gz", map[string]string{"vserver": text}))
	s.expect(1, "does not run on this machine")
}

func TestInstallScriptBesideTheProgram(t *testing.T) {
	s := newSite(t)
	folder := t.TempDir()
	script, err := os.ReadFile("../../install.sh")
	if err != nil {
		t.Fatal(err)
	}
	text := s.read(s.release(1))
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put("install.sh", string(script))
	s.runIn(folder)
	s.expect(1, "beside this script there is neither a program nor its source")
	put("vserver", text)
	s.runIn(folder)
	s.expect(1, "nothing tells the sha256")
	put("vserver.sha256", sumOf(text))
	s.runIn(folder)
	s.expect(0, "Installed")
	if err := errors.Join(os.Remove(filepath.Join(folder, "vserver")), os.Mkdir(filepath.Join(folder, "x"), 0o755)); err != nil {
		t.Fatal(err)
	}
	put("go.mod", "module vserver\n")
	t.Setenv("GOFLAGS", "-mod=mod")
	s.runIn(folder)
	s.expect(1, "Building from "+folder, "the program cannot be built")
	if s.installed() != "1" {
		t.Error("the program is gone")
	}
}

func TestInstallScriptUpgrades(t *testing.T) {
	s := upgradable(t)
	// Another one that does not run, one that was failing, and one of a file of its own.
	s.write("services", s.read("services")+"b\tstopped\t-\t-\nc\tfailed\t-\t-\nd\trunning\ttest\t/etc/my servers/d.yaml\n")
	s.write("db-d", "1")
	s.calls()
	s.run("--file", s.release(2))
	s.expect(0, "Now: vserver 1", "b has no snapshot")
	s.holds("2", "running", "2")
	if s.state("b") != "stopped" || s.state("c") != "running" || s.state("d") != "running" {
		t.Error(s.read("services"))
	}
	snapshots, _ := filepath.Glob(s.root + "/var/backups/vserver/*")
	if len(snapshots) != 1 {
		t.Fatal(snapshots)
	}
	if s.read(snapshots[0]+"/a.backup") != "1\n" {
		t.Error("the snapshot is not that of the old program")
	}
	if info, _ := os.Stat(snapshots[0]); info.Mode().Perm() != 0o700 {
		t.Error(info.Mode())
	}
	file := "--config /etc/my servers/d.yaml --environment test"
	want := []string{
		"1: service list --system",
		"1: service stop --system --name a", "1: service stop --system " + file,
		"1: backup " + snapshots[0] + "/a.backup --system --name a", "1: backup " + snapshots[0] + "/b.backup --system --name b",
		"1: backup " + snapshots[0] + "/c.backup --system --name c", "1: backup " + snapshots[0] + "/d.backup --system " + file,
		"2: service account",
		"2: service start --system --name a", "2: health --system --name a",
		"2: service start --system --name c",
		"2: service start --system " + file, "2: health --system " + file,
	}
	if got := s.calls(); !slices.Equal(got, want) {
		t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if left, _ := filepath.Glob(s.root + "/usr/local/lib/vserver/*"); len(left) != 2 { // previous and snapshot
		t.Error(left)
	}
	for v := 3; v <= 6; v++ {
		s.run("--file", s.release(v))
		s.expect(0)
	}
	if snapshots, _ = filepath.Glob(s.root + "/var/backups/vserver/*"); len(snapshots) != 3 {
		t.Error(snapshots)
	}
	s.run("--file", s.release(7), "--no-snapshot")
	s.expect(0)
	if strings.Contains(strings.Join(s.calls(), "\n"), "6: backup") {
		t.Error("a snapshot was taken")
	}
}

func TestInstallScriptPutsBack(t *testing.T) {
	for name, c := range map[string]struct {
		bad1, bad2 string // what fails
		says       string
		state, db  string
	}{
		"does not start":      {"", "start", "All is as before: vserver 1", "running", "1"},
		"does not work":       {"", "health", "a does not work", "running", "1"},
		"has no account":      {"", "account", "All is as before: vserver 1", "running", "1"},
		"cannot be copied":    {"backup", "", "All is as before: vserver 1", "running", "1"},
		"does not stop":       {"stop", "", "a cannot be stopped", "running", "1"},
		"nobody can copy":     {"help", "help", "neither program can copy the databases", "running", "1"},
		"cannot be put back":  {"restore", "health", "THE SERVICES DO NOT RUN; the copies of their databases: ", "stopped", "2"},
		"old does not work":   {"health", "start", "THE SERVICES DO NOT RUN", "running", "1"},
		"services are silent": {"list", "", "services are left alone: no list", "running", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := upgradable(t)
			s.write("bad-1", c.bad1)
			s.write("bad-2", c.bad2)
			s.run("--file", s.release(2), "--wait", "0")
			if name == "services are silent" {
				s.expect(0, c.says)
				s.holds("2", c.state, c.db)
				return
			}
			s.expect(1, "that did not succeed: putting back what was there", c.says)
			if name == "does not work" { // the old one cannot go on with what the new one has left
				s.expect(1, "Putting back the data of a")
			} else if name != "cannot be put back" && strings.Contains(s.out, "Putting back the data") && c.bad1 == "" {
				t.Error("data was put back without need:\n" + s.out)
			}
			s.holds("1", c.state, c.db)
		})
	}
}

func TestInstallScriptInterrupted(t *testing.T) {
	s := upgradable(t)
	s.write("interrupt-2", "")
	s.run("--file", s.release(2))
	s.expect(1, "All is as before: vserver 1")
	s.holds("1", "running", "1")

	// Killed at once, it cannot tidy up: the next run does.
	s.write("services", "a\tstopped\t-\t-\n")
	library := s.root + "/usr/local/lib/vserver"
	if err := errors.Join(os.MkdirAll(library+"/lock", 0o755),
		os.WriteFile(library+"/lock/pid", []byte("99999999"), 0o600),
		os.WriteFile(library+"/unfinished", []byte("a\trunning\t-\t-\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s.run("--file", s.release(1))
	s.expect(0, "An earlier run was interrupted")
	s.holds("1", "running", "1")
	if left, _ := filepath.Glob(library + "/[lu]*"); len(left) > 0 {
		t.Error(left)
	}
}

func TestInstallScriptRunsOnce(t *testing.T) {
	s := upgradable(t)
	lock := s.root + "/usr/local/lib/vserver/lock"
	if err := errors.Join(os.MkdirAll(lock, 0o755), os.WriteFile(lock+"/pid", []byte(strconv.Itoa(os.Getpid())), 0o600)); err != nil {
		t.Fatal(err)
	}
	s.run("--file", s.release(2))
	s.expect(1, "another install.sh is at work")
	s.holds("1", "running", "1")
	if s.read(lock+"/pid") == "" {
		t.Error("the lock of the other is gone")
	}
}

func TestInstallScriptMakesAService(t *testing.T) {
	s := newSite(t)
	s.write("bad-1", "install a")
	s.run("--file", s.release(1), "--name", "a")
	s.expect(1, "no install")
	s.write("bad-1", "")
	s.calls()
	s.run("--file", s.release(1), "--name", "a", "--environment", "test")
	s.expect(0, "Starting a")
	s.holds("1", "running", "1")
	if !slices.Contains(s.calls(), "1: service install --system --name a --environment test") {
		t.Error("not installed")
	}
}

func TestInstallScriptGoesBack(t *testing.T) {
	s := newSite(t)
	s.run("--file", s.release(1))
	s.run("--rollback")
	s.expect(1, "there is nothing to go back to")

	s = upgradable(t)
	s.run("--file", s.release(2))
	s.expect(0)
	// Version 1 refuses the database of version 2, and only the user may give up data.
	s.run("--rollback")
	s.expect(1, "All is as before: vserver 2", "the database may be too new for this program: --data puts back")
	s.holds("2", "running", "2")
	s.run("--rollback", "--dry-run", "--data")
	s.expect(0, "Back to: vserver 1", "would put back the data")
	s.holds("2", "running", "2")
	s.write("bad-1", "restore")
	s.run("--rollback", "--data")
	s.expect(1, "the data could not be put back")
	s.holds("2", "running", "2")
	s.write("bad-1", "start")
	s.run("--rollback", "--data")
	s.expect(1, "Putting back the data of a", "All is as before: vserver 2")
	s.holds("2", "running", "2")
	s.write("bad-1", "")
	s.run("--rollback", "--data")
	s.expect(0, "Installed", "vserver 1")
	s.holds("1", "running", "1")
	// And forth again.
	s.run("--rollback")
	s.expect(0, "vserver 2")
	s.holds("2", "running", "2")
	if err := os.RemoveAll(s.root + "/var/backups"); err != nil {
		t.Fatal(err)
	}
	s.run("--rollback", "--data")
	s.expect(1, "there is no snapshot of the data")
	s.holds("2", "running", "2")
}

// leaves lists every file below the root.
func (s *site) leaves() (files []string) {
	s.Helper()
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, s.root))
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return files
}

func TestInstallScriptForeseesOnly(t *testing.T) {
	s := newSite(t)
	s.run("--file", s.release(1), "--dry-run", "--name", "a")
	s.expect(0, "would install", "would make the user", "would make and start a service of a")
	if got := s.leaves(); len(got) > 0 {
		t.Error(got)
	}
	s = upgradable(t)
	before := s.leaves()
	s.calls()
	s.run("--file", s.release(2), "--dry-run")
	s.expect(0, "would stop, copy the database of, start and check: a (running)")
	if calls := s.calls(); !slices.Equal(s.leaves(), before) || !slices.Equal(calls, []string{"1: service list --system"}) {
		t.Error(s.leaves(), calls)
	}
	s.holds("1", "running", "1")
}

func TestInstallScriptForAUser(t *testing.T) {
	s := newSite(t)
	s.run("--file", s.release(1), "--user")
	s.expect(0, "Next: vserver new --user, then vserver service install --user")
	s.write("services", "a\trunning\t-\t-\n")
	s.write("db-a", "1")
	s.run("--file", s.release(2), "--user")
	s.expect(0)
	if got, _ := filepath.Glob(s.root + "/home/ada/.local/state/vserver/snapshots/*/a.backup"); len(got) != 1 {
		t.Error(s.leaves())
	}
	if calls := strings.Join(s.calls(), "\n"); strings.Contains(calls, "account") || !strings.Contains(calls, "2: service start --user --name a") {
		t.Error(calls)
	}
	for _, file := range []string{".config/vantage6/server/a.yaml", ".cache/vantage6/log/server/a.log", ".config/other"} {
		file = s.root + "/home/ada/" + file
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	s.run("--uninstall", "--user", "--purge", "--yes", "--no-snapshot")
	s.expect(0)
	if got := s.leaves(); !slices.Equal(got, []string{"/home/ada/.config/other"}) {
		t.Error(got)
	}
}

func TestInstallScriptIsMisused(t *testing.T) {
	s := newSite(t)
	for _, line := range []string{
		"--what", "--file", "--wait long", "--wait", "--purge", "--data", "--rollback --no-snapshot", "--prefix here", "--everyone", "--uninstall --yes", "extra",
	} {
		s.run(strings.Fields(line)...)
		s.expect(2, "see ./install.sh --help")
	}
	s.run("--help")
	s.expect(0, "usage: ./install.sh [OPTIONS]")
	for option := range strings.FieldsSeq(s.out) {
		if option = strings.TrimRight(option, ":,;"); strings.HasPrefix(option, "--") && !strings.Contains(s.out, "\n  "+option) && option != "--file" {
			t.Errorf("%s is not explained", option)
		}
	}
}
