//go:build unix

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vserver/service/config"
	"vserver/service/private"
)

// fakeManager is a service manager without services.
type fakeManager struct {
	state   State
	stops   bool     // Uninstall ends the service, as on macOS
	done    []string // what was asked
	failing string   // the call that fails
}

var _ Manager = (*fakeManager)(nil)

var errFake = errors.New("the manager refuses")

func (f *fakeManager) do(what string, then State) error {
	f.done = append(f.done, what)
	if what == f.failing {
		return errFake
	}
	f.state = then
	return nil
}

func (f *fakeManager) Install() error {
	if f.state == Active {
		return f.do("install", Active)
	}
	return f.do("install", Stopped)
}

func (f *fakeManager) Uninstall() error {
	if f.state == Active && !f.stops {
		return f.do("uninstall", Active)
	}
	return f.do("uninstall", NotInstalled)
}
func (f *fakeManager) Start() error   { return f.do("start", Active) }
func (f *fakeManager) Stop() error    { return f.do("stop", Stopped) }
func (f *fakeManager) Restart() error { return f.do("restart", Active) }

func (f *fakeManager) Status() (State, error) {
	if f.failing == "status" {
		return NotInstalled, errFake
	}
	return f.state, nil
}

// fakeMachine has the account 990:991, or makes it, and notes whom files are given to.
type fakeMachine struct {
	account  bool
	refusing bool
	done     []string
	owners   map[string]string
	admitted string // the account that was let in at last
}

func (f *fakeMachine) machine() Machine {
	f.owners = map[string]string{}
	return Machine{
		Run: func(_ context.Context, name string, args ...string) (string, error) {
			switch {
			case name != "id":
				f.done = append(f.done, name+" "+strings.Join(args, " "))
				f.account = !f.refusing
			case f.account:
				return map[string]string{"-u": "990\n", "-g": "991\n"}[args[0]], nil
			}
			if f.account {
				return "", nil
			}
			return "", errFake
		},
		Admit: func(path, sid string, r private.Right) error {
			f.done, f.admitted = append(f.done, "admit "+path+" "+r.String()), sid
			return nil
		},
		Chown: func(path string, uid, gid int) error {
			if _, err := os.Lstat(path); err != nil {
				return err
			}
			f.owners[path] = fmt.Sprintf("%d:%d", uid, gid)
			return nil
		},
	}
}

// ownLocations are the locations of a system's service under a folder of the test.
func ownLocations(t *testing.T, goos string) (config.Locations, string) {
	t.Helper()
	dir := t.TempDir()
	return elsewhere(goos, "XDG_CONFIG_DIRS", dir+"/etc", "XDG_DATA_DIRS", dir+"/share"), dir
}

func touch(t *testing.T, mode fs.FileMode, files ...string) {
	t.Helper()
	for _, file := range files {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRegisterGivesItWhatItWrites(t *testing.T) {
	locations, dir := ownLocations(t, "linux")
	inst := standing(locations, config.System, "iknl")
	touch(t, 0o600, inst.File, inst.LogFile, inst.LogFile+".1", inst.Database.Path, inst.Database.Path+"-wal", inst.DataDir+"/console.log")
	touch(t, 0o600, dir+"/secret", dir+"/share/vantage6/server/other/default.sqlite")
	if err := errors.Join(os.Link(dir+"/secret", inst.DataDir+"/named-twice"), os.Symlink(dir+"/secret", inst.DataDir+"/link")); err != nil {
		t.Fatal(err)
	}
	var f fakeMachine
	mgr := &fakeManager{state: NotInstalled}
	remarks, err := Register(t.Context(), f.machine(), mgr, NewUnit(locations, inst, UnitOptions{Executable: "/v"}), inst)
	if err != nil || len(remarks) > 0 {
		t.Fatal(remarks, err)
	}
	const owner = "990:991"
	server := dir + "/share/vantage6/server"
	want := map[string]string{
		server: owner, server + "/iknl": owner, inst.LogFile: owner, inst.LogFile + ".1": owner,
		inst.Database.Path: owner, inst.Database.Path + "-wal": owner, inst.DataDir + "/console.log": owner,
		inst.File: "-1:991",
	}
	if diff := cmp.Diff(want, f.owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if info, _ := os.Stat(inst.File); info.Mode().Perm() != 0o640 {
		t.Errorf("configuration: %v", info.Mode())
	}
	made := []string{"useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --comment vserver vserver"}
	if diff := cmp.Diff(made, f.done); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(mgr.done, []string{"install"}) {
		t.Error(mgr.done)
	}
}

func TestRegisterLeavesForeignFoldersAlone(t *testing.T) {
	locations, dir := ownLocations(t, "linux")
	inst := standing(locations, config.System, "iknl")
	inst.LogFile, inst.Database.Path = dir+"/log/new/iknl.log", dir+"/srv/shared/iknl.sqlite"
	touch(t, 0o644, inst.File, inst.Database.Path)
	f := fakeMachine{account: true}
	remarks, err := Register(t.Context(), f.machine(), &fakeManager{state: NotInstalled}, NewUnit(locations, inst, UnitOptions{Executable: "/v"}), inst)
	if err != nil || len(remarks) != 1 || !strings.Contains(remarks[0], dir+"/srv/shared is not changed") {
		t.Fatal(remarks, err)
	}
	if len(f.done) > 0 || f.owners[dir+"/srv/shared"] != "" || f.owners[inst.Database.Path] == "" || f.owners[dir+"/log/new"] == "" {
		t.Error(f.done, f.owners)
	}
	// Everybody may read the configuration already.
	if info, _ := os.Stat(inst.File); info.Mode().Perm() != 0o644 || f.owners[inst.File] != "" {
		t.Error(info.Mode(), f.owners)
	}
}

func TestRegisterReplaces(t *testing.T) {
	for name, c := range map[string]struct {
		goos   string
		before fakeManager
		want   []string
	}{
		"first":                  {"linux", fakeManager{state: NotInstalled}, []string{"install"}},
		"stopped":                {"linux", fakeManager{state: Stopped}, []string{"uninstall", "install"}},
		"failed":                 {"linux", fakeManager{state: Failed}, []string{"uninstall", "install"}},
		"runs on":                {"linux", fakeManager{state: Active}, []string{"uninstall", "install"}},
		"stopped by replacing":   {"darwin", fakeManager{state: Active, stops: true}, []string{"uninstall", "install", "start"}},
		"kept by Windows":        {"windows", fakeManager{state: Active}, []string{"stop", "uninstall", "install", "start"}},
		"refused":                {"linux", fakeManager{state: Stopped, failing: "uninstall"}, []string{"uninstall"}},
		"refused anew":           {"linux", fakeManager{state: Stopped, failing: "install"}, []string{"uninstall", "install"}},
		"refused to stop":        {"windows", fakeManager{state: Active, failing: "stop"}, []string{"stop"}},
		"refused to start again": {"darwin", fakeManager{state: Active, stops: true, failing: "start"}, []string{"uninstall", "install", "start"}},
		"no answer":              {"linux", fakeManager{failing: "status"}, nil},
	} {
		locations, dir := ownLocations(t, "linux")
		inst := standing(locations, config.System, "x")
		touch(t, 0o600, inst.File)
		u := NewUnit(locations, inst, UnitOptions{Executable: "/v"})
		u.GOOS = c.goos
		u.Writes = []string{u.Data, dir + "/w"}
		f := fakeMachine{account: true}
		mgr := c.before
		_, err := Register(t.Context(), f.machine(), &mgr, u, inst)
		if (err != nil) != (mgr.failing != "") || !slices.Equal(mgr.done, c.want) {
			t.Errorf("%s: %v %v", name, mgr.done, err)
		}
	}
}

// TestServiceOnWindowsGetsWhatItsInstanceHas: from the moment that its account is there, and a folder of
// others keeps what rights it has.
func TestServiceOnWindowsGetsWhatItsInstanceHas(t *testing.T) {
	locations, dir := ownLocations(t, "linux")
	inst := standing(locations, config.System, "x")
	inst.DataDir, inst.Database.Path, inst.LogFile = dir+"/share/x", dir+"/disk/x.sqlite", dir+"/share/x.log"
	touch(t, 0o600, inst.File, inst.LogFile, dir+"/share/x-2026-11-23T07-49-01.096.log", dir+"/share/x/sub/y", inst.Database.Path, inst.Database.Path+"-wal", dir+"/disk/other")
	if err := os.Symlink(dir+"/disk/other", dir+"/share/x/link"); err != nil {
		t.Fatal(err)
	}
	u := NewUnit(elsewhere("windows"), inst, UnitOptions{Executable: `C:\v.exe`})
	u.Data, u.Writes = inst.DataDir, []string{inst.DataDir, dir + "/share", dir + "/disk", dir + "/new"}
	f := fakeMachine{account: true}
	if _, err := Register(t.Context(), f.machine(), &fakeManager{state: NotInstalled}, u, inst); err != nil {
		t.Fatal(err)
	}
	sid := serviceSID("vantage6-x-system-server")
	want := []string{
		"admit " + dir + "/share/x (OI)(CI)M", "admit " + dir + "/share (OI)(NP)M",
		"icacls " + dir + "/disk /grant *" + sid + ":(OI)(NP)M", "admit " + dir + "/new (OI)(NP)M",
		"admit " + dir + "/share/x (OI)(CI)M", "admit " + dir + "/share/x/sub (OI)(CI)M", "admit " + dir + "/share/x/sub/y M",
		"admit " + inst.LogFile + " M", "admit " + inst.Database.Path + " M", "admit " + inst.Database.Path + "-wal M",
		"admit " + dir + "/share/x-2026-11-23T07-49-01.096.log M", "admit " + inst.File + " R",
	}
	if diff := cmp.Diff(want, f.done); diff != "" || len(f.owners) > 0 || f.admitted != sid {
		t.Error(diff, f.owners, f.admitted)
	}
}

// TestAccountOfAServiceIsTheOneThatWindowsMakes: with the identifier of one that every Windows has.
func TestAccountOfAServiceIsTheOneThatWindowsMakes(t *testing.T) {
	if got := serviceSID("TrustedInstaller"); got != "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464" {
		t.Error(got)
	}
}

// TestFoldersOfAServiceOnWindowsAreNamedEach: a private one has nothing of the one above.
func TestFoldersOfAServiceOnWindowsAreNamedEach(t *testing.T) {
	windows := elsewhere("windows")
	inst := standing(windows, config.System, "x")
	folders := windows.Folders(config.System, "x")
	if got := NewUnit(windows, inst, UnitOptions{}).Writes; !slices.Equal(got, []string{folders.Data, folders.Log}) {
		t.Error(got)
	}
}

func TestRegisterOfAUserChangesNoOwner(t *testing.T) {
	locations, _ := ownLocations(t, "linux")
	inst := standing(locations, config.User, "x")
	var f fakeMachine
	mgr := &fakeManager{state: NotInstalled}
	_, err := Register(t.Context(), f.machine(), mgr, NewUnit(locations, inst, UnitOptions{Executable: "/v"}), inst)
	if err != nil || len(f.done)+len(f.owners) > 0 || !slices.Equal(mgr.done, []string{"install"}) {
		t.Error(err, f.done, f.owners, mgr.done)
	}
}

func TestRegisterNeedsTheAccount(t *testing.T) {
	locations, _ := ownLocations(t, "linux")
	inst := standing(locations, config.System, "x")
	f := fakeMachine{refusing: true}
	mgr := &fakeManager{state: NotInstalled}
	_, err := Register(t.Context(), f.machine(), mgr, NewUnit(locations, inst, UnitOptions{Executable: "/v"}), inst)
	if !errors.Is(err, errFake) || !strings.Contains(err.Error(), "making the account vserver") || len(mgr.done) > 0 {
		t.Error(err, mgr.done)
	}
}

func TestUnregister(t *testing.T) {
	for name, c := range map[string]struct {
		mgr  fakeManager
		want []string
		err  string
	}{
		"stopped":         {fakeManager{state: Stopped}, []string{"uninstall"}, ""},
		"running":         {fakeManager{state: Active}, []string{"stop", "uninstall"}, ""},
		"not there":       {fakeManager{state: NotInstalled}, nil, "the service is not installed"},
		"refuses to stop": {fakeManager{state: Active, failing: "stop"}, []string{"stop"}, errFake.Error()},
		"no answer":       {fakeManager{failing: "status"}, nil, errFake.Error()},
	} {
		err := Unregister(&c.mgr)
		if got := fmt.Sprint(err); got != c.err && (c.err != "" || err != nil) || !slices.Equal(c.mgr.done, c.want) {
			t.Errorf("%s: %v %v", name, c.mgr.done, err)
		}
	}
}

func TestMakeAccount(t *testing.T) {
	for goos, want := range map[string]string{
		"linux":  "useradd --system ",
		"darwin": "sysadminctl -addUser _vserver -fullName vserver -UID 3",
	} {
		locations, dir := ownLocations(t, goos)
		var f fakeMachine
		if goos == "darwin" { // whose folders nothing moves
			if _, _, err := f.machine().account(t.Context(), goos, "_vserver"); err != nil {
				t.Error(err)
			}
		} else if err := f.machine().MakeAccount(t.Context(), locations); err != nil {
			t.Error(err)
		} else if f.owners[dir+"/share/vantage6/server"] != "990:991" || !isThere(dir+"/etc/vantage6/server") {
			t.Error(f.owners)
		}
		if len(f.done) != 1 || !strings.HasPrefix(f.done[0], want) {
			t.Errorf("%s: %q", goos, f.done)
		}
	}
	var f fakeMachine
	if err := f.machine().MakeAccount(t.Context(), elsewhere("windows")); err != nil || len(f.done) > 0 {
		t.Error(err, f.done)
	}
}

func TestRunCommandTellsComplaints(t *testing.T) {
	if out, err := RunCommand(t.Context(), "sh", "-c", "echo said"); out != "said\n" || err != nil {
		t.Error(out, err)
	}
	if _, err := RunCommand(t.Context(), "sh", "-c", "echo why >&2; exit 3"); fmt.Sprint(err) != "sh: exit status 3: why" {
		t.Error(err)
	}
}
