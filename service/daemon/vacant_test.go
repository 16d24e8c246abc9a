package daemon_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vserver/service/config"
	"vserver/service/daemon"
)

// TestServiceNameOfAnotherFileIsTaken: the service manager knows services by their names, so
// an instance whose name the service of another file has is refused, with both named. A service
// of the same file, or of one that is gone, is in nobody's way.
func TestServiceNameOfAnotherFileIsTaken(t *testing.T) {
	home := t.TempDir()
	locations := config.Locations{GOOS: "linux", Home: home, Getenv: func(string) string { return "" }, IsDir: func(string) bool { return true }}
	mine, hers := filepath.Join(home, "mine", "server.yaml"), filepath.Join(home, "hers", "server.yaml")
	unit := filepath.Join(home, ".config", "systemd", "user", daemon.UnitName("linux", config.User, "server")+".service")
	for file, text := range map[string]string{
		mine: "", hers: "", unit: "[Service]\nExecStart=/usr/bin/vserver run --user --config " + hers + " --environment prod\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	inst := config.Instance{Name: "server", Scope: config.User, File: mine}
	err := daemon.CheckVacant(locations, inst)
	if err == nil || !strings.Contains(err.Error(), hers) || !strings.Contains(err.Error(), daemon.UnitName("linux", config.User, "server")) {
		t.Errorf("the name of another file's service: %v", err)
	}
	inst.File = hers
	if err := daemon.CheckVacant(locations, inst); err != nil {
		t.Errorf("its own service: %v", err)
	}
	inst.File, inst.Name = mine, "another"
	if err := daemon.CheckVacant(locations, inst); err != nil {
		t.Errorf("another name: %v", err)
	}
	inst.Name = "server"
	if err := os.Remove(hers); err != nil {
		t.Fatal(err)
	}
	if err := daemon.CheckVacant(locations, inst); err != nil {
		t.Errorf("a service whose file is gone: %v", err)
	}
}
