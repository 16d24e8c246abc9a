//go:build unix

package daemon_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInstallScriptUninstalls(t *testing.T) {
	s := upgradable(t)
	s.run("--file", s.release(2))
	s.expect(0)
	own := []string{"/etc/xdg/vantage6/server/a.yaml", "/usr/local/share/vantage6/server/a/default.sqlite"}
	others := []string{"/etc/xdg/vantage6/node/n.yaml", "/usr/local/bin/other", "/usr/local/share/man/man1/other.1"}
	manuals := []string{"/usr/local/share/man/man1/vserver.1.gz", "/usr/local/share/man/man1/vserver-run.1", "/usr/local/share/bash-completion/completions/vserver"}
	for _, file := range slices.Concat(own, others, manuals) {
		file = s.root + file
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	before := s.leaves()
	s.run("--uninstall", "--purge", "--dry-run")
	s.expect(0, "would remove the service a", "would run: rm -f "+s.root+"/usr/local/bin/vserver", "would run: rm -rf "+s.root+"/usr/local/share/vantage6/server")
	if !slices.Equal(s.leaves(), before) || s.state("a") != "running" {
		t.Error("a dry run removes files")
	}
	s.run("--uninstall")
	s.expect(0, "Removing the service a", "Configuration and data stay")
	if got := s.leaves(); len(got) != len(own)+len(others)+1 || s.state("a") != "" { // and a snapshot
		t.Error(got, s.read("services"))
	}
	s.run("--uninstall", "--purge")
	s.expect(1, "--purge removes configurations and data: give --yes")
	if got := s.leaves(); len(got) != len(own)+len(others)+1 {
		t.Error(got)
	}
	s.run("--uninstall", "--purge", "--yes")
	s.expect(0, "What is removed is kept in "+s.root+"/var/backups/vserver-purged-")
	archives, _ := filepath.Glob(s.root + "/var/backups/vserver-purged-*.tar.gz")
	if got := s.leaves(); len(archives) != 1 || !slices.Equal(got, slices.Sorted(slices.Values(append(slices.Clone(others), strings.TrimPrefix(archives[0], s.root))))) {
		t.Fatal(got)
	}
	if info, err := os.Stat(archives[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	kept, err := exec.CommandContext(t.Context(), "tar", "-tzf", archives[0]).Output()
	for _, file := range own {
		if !strings.Contains(string(kept), file) {
			t.Errorf("%s is not kept: %s %v", file, kept, err)
		}
	}
	for folder, want := range map[string]bool{"/usr/local/lib": true, "/usr/local/share/vantage6": false, "/etc/xdg/vantage6": true, "/var/backups": true} {
		if _, err := os.Stat(s.root + folder); (err == nil) != want {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// Whoever types is asked before data is removed.
func TestPurgeAsksAtATerminal(t *testing.T) {
	terminal, err := exec.LookPath("script")
	if err != nil {
		t.Skip("NOT TESTED: what --purge asks at a terminal, since script is not installed")
	}
	for answer, code := range map[string]int{"no\n": 1, "\n": 1, "y\n": 0} {
		s := upgradable(t)
		file := s.root + "/etc/xdg/vantage6/server/a.yaml"
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		cmd := s.script("../..")
		cmd.Args = []string{"script", "-qec", "sh ../../install.sh --uninstall --purge", "/dev/null"}
		cmd.Path, cmd.Stdin = terminal, strings.NewReader(answer)
		out, err := cmd.CombinedOutput()
		_, gone := os.Stat(file)
		if got := cmd.ProcessState.ExitCode(); got != code || (gone == nil) != (code == 1) || !strings.Contains(string(out), "[y/N]") {
			t.Errorf("%q: exit code %d %v, file: %v\n%s", answer, got, err, gone, out)
		}
	}
}

// Servers that somebody has started without a service are told of, and do not outlive
// their program. What runs another program is left alone, unless everyone's is meant.
func TestInstallScriptTouchesItsOwnOnly(t *testing.T) {
	s := upgradable(t)
	program := s.root + "/usr/local/bin/vserver"
	row := func(words ...string) string { return strings.Join(words, "\t") + "\n" }
	s.write("online", row("a", "system", "prod", "/etc/xdg/vantage6/server/a.yaml", program)+
		row("by-hand", "system", "prod", "/srv/by hand.yaml", program)+
		row("theirs", "system", "prod", "/srv/theirs.yaml", "/opt/bin/vserver")+
		row("hers", "user", "prod", "/home/ada/hers.yaml", program))
	s.write("services", s.read("services")+row("other", "running", "-", "-", "/opt/bin/vserver"))
	s.calls()
	s.run("--file", s.release(2))
	s.expect(0, "by-hand is no service and goes on with the program it was started with", "Leaving alone the service other, which runs /opt/bin/vserver",
		"hers is no service")
	for _, not := range []string{"a is no service", "theirs is"} {
		if strings.Contains(s.out, not) {
			t.Error(s.out)
		}
	}
	s.run("--uninstall", "--dry-run")
	s.expect(0, "vserver stop --system --config /srv/by hand.yaml --environment prod")
	s.run("--uninstall", "--purge", "--yes")
	s.expect(1, "nothing was removed: the server theirs (/srv/theirs.yaml) runs /opt/bin/vserver, on data that --purge would remove")
	if s.installed() != "2" || s.state("a") != "running" {
		t.Error("something was removed although another installation uses the data")
	}
	s.run("--uninstall")
	s.expect(0, "Leaving alone the server theirs (/srv/theirs.yaml), which runs /opt/bin/vserver", "Removed "+program)
	calls := strings.Join(s.calls(), "\n")
	if !strings.Contains(calls, "2: stop --system --config /srv/by hand.yaml --environment prod") ||
		!strings.Contains(calls, "2: stop --system --config /home/ada/hers.yaml") ||
		strings.Contains(calls, "theirs") || strings.Contains(calls, "name other") {
		t.Error(calls)
	}
	s.run("--uninstall")
	s.expect(0, "There is no "+program)

	s.run("--file", s.release(2))
	s.run("--uninstall", "--everyone")
	s.expect(0)
	calls = strings.Join(s.calls(), "\n")
	if !strings.Contains(calls, "2: stop --system --config /srv/theirs.yaml") || !strings.Contains(calls, "2: service uninstall --system --name other") {
		t.Error(calls)
	}
}

// Packages are made of a staging folder: the machine that makes them is not touched.
func TestStagingTouchesNothingOutside(t *testing.T) {
	s := upgradable(t)
	s.write("online", "by-hand\tsystem\tprod\t/srv/by-hand.yaml\t"+s.root+"/usr/local/bin/vserver\n")
	before := s.leaves()
	s.calls()
	s.staging = t.TempDir()
	for _, args := range [][]string{
		{"--file", s.release(2)}, {"--file", s.release(3)}, {"--rollback"}, {"--uninstall"},
		{"--file", s.release(3)}, {"--file", s.release(2), "--dry-run"}, {"--uninstall", "--purge", "--yes"},
	} {
		s.run(args...)
		s.expect(0)
		if strings.Contains(s.out, "Next:") || strings.Contains(s.out, "would make the user") {
			t.Error(s.out)
		}
		if args[0] == "--file" && len(args) == 2 {
			if _, err := os.Stat(s.staging + "/usr/local/bin/vserver"); err != nil {
				t.Error(err)
			}
		}
	}
	if calls := s.read("calls"); calls != "" || !slices.Equal(s.leaves(), before) {
		t.Errorf("%s\n%q\n%q", calls, s.leaves(), before)
	}
	s.holds("1", "running", "1")
	for _, line := range []string{"--name a", "--rollback --data"} {
		s.run(strings.Fields(line)...)
		s.expect(2, "not with DESTDIR")
	}
}

// A package takes away what runs its program, and nothing of another installation.
func TestPackageRemovesItsOwnOnly(t *testing.T) {
	s := newSite(t)
	program := s.release(1)
	row := func(words ...string) string { return strings.Join(words, "\t") + "\n" }
	s.write("services", row("a", "running", "-", "-", program)+row("b", "stopped", "-", "-", "/usr/local/bin/vserver"))
	s.write("online", row("a", "system", "prod", "/etc/a.yaml", program)+row("by-hand", "user", "test", "/home/ada/by hand.yaml", program)+
		row("theirs", "system", "prod", "/srv/theirs.yaml", "/usr/local/bin/vserver"))
	text, err := os.ReadFile("../../.ci/package/preremove")
	if err != nil {
		t.Fatal(err)
	}
	script := s.write("preremove", strings.NewReplacer("/usr/bin/vserver", program, "/run/systemd/system", s.root).Replace(string(text)))
	for _, words := range [][]string{{"upgrade"}, {"1"}, {"remove"}} {
		if out, err := exec.CommandContext(t.Context(), "sh", append([]string{script}, words...)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", words, err, out)
		}
	}
	want := []string{
		"1: stop --config /etc/a.yaml --environment prod", "1: stop --config /home/ada/by hand.yaml --environment test",
		"1: service list --system", "1: service uninstall --system --name a",
	}
	if got := s.calls(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
