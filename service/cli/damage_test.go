package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vserver/queries"
)

// TestReliability_R4_DamageIsTold damages the database in ways that keep a server from
// starting: `vserver run` ends with a line and no panic, `vserver doctor` fails, and both
// name the command that puts a backup back; that command then does it.
func TestReliability_R4_DamageIsTold(t *testing.T) {
	onSQLite(t)
	s := newVictim(t)
	sound, err := os.ReadFile(s.src.Path)
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(filepath.Dir(s.config), "backup.sqlite")
	if err := os.WriteFile(backup, sound, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(file []byte) []byte{
		"no head":      func(f []byte) []byte { return append(make([]byte, 100), f[100:]...) },
		"no tables":    func(f []byte) []byte { f[100] ^= 0xff; return f },
		"half of it":   func(f []byte) []byte { return f[:len(f)/2] },
		"heads of all": heads,
		"nonsense":     func([]byte) []byte { return []byte(strings.Repeat("nonsense\x00", 5000)) }, // no text, which would be of another program
	} {
		if err := os.WriteFile(s.src.Path, damage(append([]byte{}, sound...)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"run", "doctor"} {
			if out, err := s.short(t, command); err == nil || !strings.Contains(out, "vserver restore") || strings.Contains(out, "goroutine ") {
				t.Errorf("%s: vserver %s: %v: %s", name, command, err, out)
			}
		}
		if out, err := s.short(t, "restore", backup); err != nil {
			t.Errorf("%s: restore: %v: %s", name, err, out)
		}
		if err := queries.ProveSQLite(s.src.Path); err != nil {
			t.Errorf("%s: restored: %v", name, err)
		}
	}
}

// heads damages the head of every page but the first.
func heads(file []byte) []byte {
	const page = 4096
	for at := page; at < len(file); at += page {
		file[at] ^= 0xff
	}
	return file
}

// short runs a command that ends by itself.
func (s *victim) short(t *testing.T, command string, args ...string) (string, error) {
	t.Helper()
	args = append([]string{command, "--config", s.config, "--environment", "test"}, args...)
	cmd := exec.CommandContext(t.Context(), s.bin, args...)
	cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(s.config))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("vserver %s: %w", command, err)
	}
	return string(out), err
}
