//go:build unix

package daemon_test

import (
	"errors"
	"fmt"
	"os"
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
	s.expect(0)
	if got := s.leaves(); !slices.Equal(got, others) {
		t.Error(got)
	}
	for folder, want := range map[string]bool{"/usr/local/lib": true, "/usr/local/share/vantage6": false, "/etc/xdg/vantage6": true, "/var/backups": true} {
		if _, err := os.Stat(s.root + folder); (err == nil) != want {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// Servers that somebody has started without a service are told of, and do not outlive
// their program.
func TestInstallScriptKnowsServersWithoutService(t *testing.T) {
	s := upgradable(t)
	row := func(name, state, level string) string {
		return fmt.Sprintf("%-25s%-32s%-16s %s\n", name, "['prod', 'test']", state, level)
	}
	s.write("online", "\n"+row("a", "Online", "System ")+row("by-hand", "Online", "System ")+row("off", "Offline", "System ")+row("hers", "Online", "User   "))
	s.run("--file", s.release(2))
	s.expect(0, "by-hand is no service and goes on with the program it was started with")
	if strings.Contains(s.out, "a is no service") || strings.Contains(s.out, "hers is") || strings.Contains(s.out, "off is") {
		t.Error(s.out)
	}
	s.run("--uninstall", "--dry-run")
	s.expect(0, "vserver stop --system --name by-hand")
	s.calls()
	s.run("--uninstall")
	s.expect(0)
	if calls := s.calls(); !slices.Contains(calls, "2: stop --system --name by-hand") {
		t.Error(calls)
	}
}
