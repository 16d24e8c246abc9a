package config_test

import (
	"slices"
	"testing"

	"vserver/service/config"
)

// machine is a computer that exists only here.
func machine(goos, home string, env map[string]string, dirs ...string) config.Locations {
	return config.Locations{
		GOOS: goos, Home: home,
		Getenv: func(name string) string { return env[name] },
		IsDir:  func(path string) bool { return slices.Contains(dirs, path) },
	}
}

// /docs/configuration#places.
func TestFolders(t *testing.T) {
	linux := machine("linux", "/home/ada", nil, "/etc/xdg")
	mac := machine("darwin", "/Users/ada", nil)
	windows := machine("windows", `C:\Users\ada`, nil)
	const macSystem = "/Library/Application Support/vantage6/server"
	for _, tc := range []struct {
		name  string
		at    config.Locations
		scope config.Scope
		want  config.Folders
	}{
		{"linux system", linux, config.System, config.Folders{Config: "/etc/xdg/vantage6/server", Data: "/usr/local/share/vantage6/server/N", Log: "/usr/local/share/vantage6/server"}},
		{"linux user", linux, config.User, config.Folders{Config: "/home/ada/.config/vantage6/server", Data: "/home/ada/.local/share/vantage6/server/N", Log: "/home/ada/.cache/vantage6/log/server"}},
		{"macOS system", mac, config.System, config.Folders{Config: macSystem, Data: macSystem + "/N", Log: macSystem}},
		{"macOS user", mac, config.User, config.Folders{Config: "/Users/ada" + macSystem, Data: "/Users/ada" + macSystem + "/N", Log: "/Users/ada/Library/Logs/vantage6/server"}},
		{"windows system", windows, config.System, config.Folders{Config: `C:\ProgramData\vantage6\server`, Data: `C:\ProgramData\vantage6\server\N`, Log: `C:\ProgramData\vantage6\server`}},
		{"windows user", windows, config.User, config.Folders{Config: `C:\Users\ada\AppData\Local\vantage6\server`, Data: `C:\Users\ada\AppData\Local\vantage6\server\N`, Log: `C:\Users\ada\AppData\Local\vantage6\Logs\server`}},
		{
			"windows elsewhere", machine("windows", `C:\Users\ada`, map[string]string{"ProgramData": `D:\Data`, "LOCALAPPDATA": `E:\Local`}), config.User,
			config.Folders{Config: `E:\Local\vantage6\server`, Data: `E:\Local\vantage6\server\N`, Log: `E:\Local\vantage6\Logs\server`},
		},
		{
			"windows elsewhere, system", machine("windows", `C:\Users\ada`, map[string]string{"ProgramData": `D:\Data`}), config.System,
			config.Folders{Config: `D:\Data\vantage6\server`, Data: `D:\Data\vantage6\server\N`, Log: `D:\Data\vantage6\server`},
		},
		{
			"xdg user", machine("linux", "/home/ada", map[string]string{"XDG_CONFIG_HOME": "/c/", "XDG_DATA_HOME": "/d", "XDG_CACHE_HOME": "/x"}), config.User,
			config.Folders{Config: "/c/vantage6/server", Data: "/d/vantage6/server/N", Log: "/x/vantage6/log/server"},
		},
		{
			"xdg system", machine("linux", "/home/ada", map[string]string{"XDG_CONFIG_DIRS": "/opt/xdg:/other", "XDG_DATA_DIRS": "/opt/share:/usr/share"}, "/etc/xdg"), config.System,
			config.Folders{Config: "/opt/xdg/vantage6/server", Data: "/opt/share/vantage6/server/N", Log: "/opt/share/vantage6/server"},
		},
		{"freebsd", machine("freebsd", "/home/ada", nil), config.System, config.Folders{Config: "/etc/xdg/vantage6/server", Data: "/usr/local/share/vantage6/server/N", Log: "/usr/local/share/vantage6/server"}},
	} {
		if got := tc.at.Folders(tc.scope, "N"); got != tc.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, tc.want)
		}
	}
}

func TestDesktopUbuntuKeepsTheDocumentedDirectory(t *testing.T) {
	desktop := map[string]string{"XDG_CONFIG_DIRS": "/etc/xdg/xdg-ubuntu:/etc/xdg"}
	for _, tc := range []struct {
		name string
		dirs []string
		want string
	}{
		{"nothing there yet", []string{"/etc/xdg"}, "/etc/xdg"},
		{"files in both", []string{"/etc/xdg", "/etc/xdg/vantage6", "/etc/xdg/xdg-ubuntu/vantage6/server"}, "/etc/xdg"},
		{"files of an earlier installation", []string{"/etc/xdg", "/etc/xdg/xdg-ubuntu/vantage6/server"}, "/etc/xdg/xdg-ubuntu"},
		{"no /etc/xdg", nil, "/etc/xdg/xdg-ubuntu"},
	} {
		got := machine("linux", "/home/ada", desktop, tc.dirs...).Folders(config.System, "N").Config
		if got != tc.want+"/vantage6/server" {
			t.Errorf("%s: got %s", tc.name, got)
		}
	}
}

func TestNames(t *testing.T) {
	for _, good := range []string{"a", "My_server-2.prod", "..."} {
		if err := config.CheckName(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a b", "../x", "a/b", `a\b`, "ä", "a\n", "a:b"} {
		want := "Name '" + bad + "' is not allowed. Please use only the following characters: a-zA-Z0-9_.-"
		if err := config.CheckName(bad); err == nil || err.Error() != want {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestThisMachineHasAHome(t *testing.T) {
	at := config.ThisMachine(nothing)
	if at.Home == "" || at.WorkDir == "" || !at.IsDir(t.TempDir()) || at.IsDir("/no/such/dir") {
		t.Errorf("%+v", at)
	}
}
