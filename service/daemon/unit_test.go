package daemon

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vserver/service/config"
)

// elsewhere is a machine of a system, with the environment given in pairs.
func elsewhere(goos string, pairs ...string) config.Locations {
	home := map[string]string{"linux": "/home/ada", "darwin": "/Users/ada", "windows": `C:\Users\ada`}[goos]
	return config.Locations{GOOS: goos, Home: home, Getenv: environment(pairs...), IsDir: func(string) bool { return true }}
}

// environment looks names up that are given in pairs.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		if i := slices.Index(pairs, name); i >= 0 {
			return pairs[i+1]
		}
		return ""
	}
}

// standing is an instance in the standard folders of a machine.
func standing(locations config.Locations, scope config.Scope, name string) config.Instance {
	folders := locations.Folders(scope, name)
	separator := "/"
	if locations.GOOS == "windows" {
		separator = `\`
	}
	return config.Instance{
		Name: name, Scope: scope, File: folders.Config + separator + name + ".yaml", DataDir: folders.Data,
		LogFile:  folders.Log + separator + name + ".log",
		Database: config.Database{Engine: config.SQLite, Path: folders.Data + separator + "default.sqlite"},
	}
}

// units are the texts under testdata/unit. VSERVER_GOLDEN=write writes them anew.
func units() map[string]Unit {
	linux, mac, windows := elsewhere("linux"), elsewhere("darwin"), elsewhere("windows")
	moved := elsewhere("linux", "XDG_DATA_DIRS", "/srv/shared data", "VANTAGE6_CONFIG_NAME", "odd")
	odd := standing(moved, config.System, "odd")
	odd.File = `/home/ada/100% "odd" $HOME.yaml`
	odd.Database = config.Database{Engine: config.SQLite, Path: "/srv/fast/odd.sqlite"}
	network := standing(linux, config.System, "network")
	network.DataDir, network.LogFile = "/srv/network", "/var/log/vserver/network.log"
	network.Database = config.Database{Engine: config.Postgres}
	const program = "/usr/local/bin/vserver"
	return map[string]Unit{
		"system.service":  NewUnit(linux, standing(linux, config.System, "iknl"), UnitOptions{Executable: program}),
		"user.service":    NewUnit(linux, standing(linux, config.User, "my-server"), UnitOptions{Executable: program, Environment: "test"}),
		"odd.service":     NewUnit(moved, odd, UnitOptions{Executable: program, ByFile: true, Environment: "prod"}),
		"network.service": NewUnit(linux, network, UnitOptions{Executable: program}),
		"package.service": PackageUnit("/usr/bin/vserver"),
		"daemon.plist":    NewUnit(mac, standing(mac, config.System, "iknl"), UnitOptions{Executable: program}),
		"agent.plist":     NewUnit(mac, standing(mac, config.User, "R&D"), UnitOptions{Executable: program, Environment: "dev"}),
		"windows.txt":     NewUnit(windows, standing(windows, config.System, "iknl"), UnitOptions{Executable: `C:\Program Files\vserver\vserver.exe`}),
	}
}

func TestUnitTexts(t *testing.T) {
	for name, u := range units() {
		got, err := u.Text()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file := filepath.Join("testdata", "unit", name)
		if os.Getenv("VSERVER_GOLDEN") == "write" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestUnitTextsTellWhatTheyAreFor(t *testing.T) {
	for name, u := range units() {
		text, err := u.Text()
		if err != nil {
			t.Fatal(err)
		}
		got := optionsIn(wordsOf(text))
		if u.GOOS == "windows" || name == "package.service" { // Windows keeps no text
			continue
		}
		words := slices.DeleteFunc(wordsOf(text), func(w string) bool { return !slices.Contains(u.Arguments, w) })
		if !slices.Equal(words, u.Arguments) {
			t.Errorf("%s: %q, want %q", name, words, u.Arguments)
		}
		var wantEnvironment, wantFile string
		for i, a := range u.Arguments {
			switch a {
			case "--environment":
				wantEnvironment = u.Arguments[i+1]
			case "--config":
				wantFile = u.Arguments[i+1]
			}
		}
		if want := (options{u.Executable, wantEnvironment, wantFile}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, text := range []string{"", "[Service]\nExecStart=", "[Service]\nExecStart=/v --config", "<?xml <"} {
		if o := optionsIn(wordsOf(text)); o.environment+o.file != "" {
			t.Errorf("%q: %q", text, o)
		}
	}
}

func TestSystemdTakesTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed, so nobody checks the units of systemd")
	}
	for name, u := range units() {
		if filepath.Ext(name) != ".service" {
			continue
		}
		// The program has to be there.
		u.Executable = analyze
		text, err := u.Text()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), strings.ReplaceAll(u.Name, "%i", "any")+".service")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"verify", "--man=no", "--recursive-errors=no", file}
		if u.Scope == config.User {
			args = append(args, "--user")
		}
		verify := exec.CommandContext(t.Context(), analyze, args...)
		verify.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		out, err := verify.CombinedOutput()
		if complaints := ofUnit(string(out), file); err != nil || complaints != "" {
			t.Errorf("%s: %v\n%s", name, err, complaints)
		}
	}
}

// ofUnit keeps what is said about one unit; the machine's own may be ill.
func ofUnit(out, file string) string {
	var kept strings.Builder
	for line := range strings.Lines(out) {
		if strings.Contains(line, filepath.Base(file)) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestSystemdNoticesWrongUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	file := filepath.Join(t.TempDir(), "wrong.service")
	if err := os.WriteFile(file, []byte("[Service]\nExecStart="+analyze+"\nProtectSystem=perhaps\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "--recursive-errors=no", file).CombinedOutput()
	if !strings.Contains(ofUnit(string(out), file), "perhaps") {
		t.Errorf("no complaint: %s", out)
	}
}

func TestPropertyListsAreXML(t *testing.T) {
	for name, u := range units() {
		if u.GOOS != "darwin" {
			continue
		}
		text, err := u.Text()
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(strings.NewReader(text))
		for err == nil {
			_, err = d.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnitRefusesWhatNoTextCanHold(t *testing.T) {
	u := units()["system.service"]
	u.Arguments = []string{"--config", "/etc/a\nExecStartPre=/bin/evil"}
	if _, err := u.Text(); err == nil {
		t.Error("a line end is taken")
	}
	u.Arguments = []string{"{{Path}}"}
	if _, err := u.Text(); err == nil {
		t.Error("a template is taken")
	}
	windows := elsewhere("windows")
	if _, err := NewUnit(windows, standing(windows, config.User, "x"), UnitOptions{}).Text(); err == nil {
		t.Error("Windows has services of users")
	}
}
