package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vserver/service/config"
)

// workshop is a Linux machine whose home and current directory are real and empty.
func workshop(t *testing.T, env map[string]string) config.Locations {
	t.Helper()
	root := t.TempDir()
	all := map[string]string{"XDG_CONFIG_DIRS": root + "/etc", "XDG_DATA_DIRS": root + "/share"}
	for name, value := range env {
		all[name] = value
	}
	at := config.ThisMachine(func(name string) string { return all[name] })
	at.GOOS, at.Home, at.WorkDir = "linux", root+"/home", root+"/work"
	return at
}

// put writes a file and its directories.
func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestResolve(t *testing.T) {
	at := workshop(t, nil)
	system := put(t, at.Folders(config.System, "").Config+"/both.yaml", fileOf("test"))
	user := put(t, at.Folders(config.User, "").Config+"/both.yaml", fileOf("test", "prod"))
	here := put(t, at.WorkDir+"/here.yaml", applicationOnly)
	other := put(t, at.WorkDir+"/sub/other.yml", fileOf("dev"))
	put(t, at.WorkDir+"/wrong.yaml", fileOf("prod!"))
	put(t, at.WorkDir+"/lacking.yaml", fileOf("prod-"))
	put(t, at.WorkDir+"/a b.yaml", fileOf("prod"))
	put(t, at.WorkDir+"/small.yml", fileOf("prod"))
	for _, tc := range []struct {
		name string
		want config.Wanted
		file string // of the instance, with name and environment
		also string
		err  string
	}{
		{"system", config.Wanted{Name: "both", Scope: config.System}, system, "both test", ""},
		{"user", config.Wanted{Name: "both", Scope: config.User}, user, "both prod", ""},
		{"user, test", config.Wanted{Name: "both", Environment: "test", Scope: config.User}, user, "both test", ""},
		{"current directory", config.Wanted{Name: "here", Scope: config.User}, here, "here application", ""},
		{"file", config.Wanted{File: other, Scope: config.System}, other, "other dev", ""},
		{"relative file", config.Wanted{File: "sub/other.yml", Scope: config.System}, other, "other dev", ""},
		{"file before name", config.Wanted{File: other, Name: "both", Scope: config.System}, other, "other dev", ""},
		{"no such name", config.Wanted{Name: "none", Scope: config.System}, "", "", "Configuration none with prod does not exist in the system folders!"},
		{"no such environment", config.Wanted{Name: "both", Environment: "acc", Scope: config.User}, "", "", "Configuration both with acc does not exist in the user folders! (" + user + " has prod, test)"},
		{"lacking", config.Wanted{Name: "lacking", Scope: config.User}, "", "", "Configuration lacking with prod does not exist in the user folders! (" + at.WorkDir + "/lacking.yaml:2: environments.prod lacks port)"},
		{"unknown word", config.Wanted{Name: "both", Environment: "live", Scope: config.User}, "", "", "unknown environment 'live': must be one of prod, acc, test, dev, application"},
		{"wrong value", config.Wanted{Name: "wrong", Scope: config.User}, "", "", at.WorkDir + "/wrong.yaml:6: environments.prod.port: Invalid value 'abc': must be a whole number from 0 to 65535"},
		{"no such file", config.Wanted{File: "x.yaml"}, "", "", "config x.yaml not found"},
		{"a directory", config.Wanted{File: "."}, "", "", "config . not found"},
		{"file without environment", config.Wanted{File: other, Environment: "prod"}, "", "", "Requested environment prod is not found in the configuration: " + other + " has dev"},
		{"path as name", config.Wanted{Name: "../work/here"}, "", "", "Name '../work/here' is not allowed. Please use only the following characters: a-zA-Z0-9_.-"},
		{"blank in file name", config.Wanted{File: "a b.yaml"}, "", "", "Name 'a b' is not allowed. Please use only the following characters: a-zA-Z0-9_.-"},
		{"not .yaml", config.Wanted{Name: "small"}, "", "", "Configuration small with prod does not exist in the  folders!"},
		{"nothing", config.Wanted{}, "", "", config.ErrNothingWanted.Error()},
	} {
		got, err := at.Resolve(tc.want)
		if tc.err != "" {
			if err == nil || err.Error() != tc.err {
				t.Errorf("%s:\n got %v\nwant %s", tc.name, err, tc.err)
			}
			continue
		}
		if err != nil || got.File != tc.file || got.Name+" "+got.Config.Environment != tc.also || got.Config.File != tc.file {
			t.Errorf("%s: %v %+v", tc.name, err, got)
		}
	}
}

func TestLocationsOfAnInstance(t *testing.T) {
	at := workshop(t, nil)
	root := filepath.Dir(at.WorkDir)
	for _, tc := range []struct {
		line, log, data, database string
	}{
		{"    type: test", root + "/share/vantage6/server/test.log", root + "/share/vantage6/server/N", root + "/share/vantage6/server/N/test.sqlite"},
		{"      file: /var/log/x.log", "/var/log/x.log", root + "/share/vantage6/server/N", root + "/share/vantage6/server/N/test.sqlite"},
		{"      file:", root + "/share/vantage6/server/N-test-system.log", root + "/share/vantage6/server/N", root + "/share/vantage6/server/N/test.sqlite"},
		{"    directories: {data: /srv/d, log: logs}", root + "/work/logs/test.log", "/srv/d", "/srv/d/test.sqlite"},
		{"    uri: sqlite:////abs/t.db", root + "/share/vantage6/server/test.log", root + "/share/vantage6/server/N", "/abs/t.db"},
	} {
		put(t, at.WorkDir+"/N.yaml", edited(tc.line))
		got, err := at.Resolve(config.Wanted{Name: "N", Environment: "test", Scope: config.System})
		if err != nil || got.LogFile != tc.log || got.DataDir != tc.data || got.Database.Path != tc.database {
			t.Errorf("%s: %v\n%s\n%s\n%s", tc.line, err, got.LogFile, got.DataDir, got.Database.Path)
		}
		if got.Identity() != "vantage6-N-system-server" {
			t.Errorf("identity %s", got.Identity())
		}
	}
}

func TestNameFromTheEnvironment(t *testing.T) {
	at := workshop(t, map[string]string{"VANTAGE6_CONFIG_NAME": "named"})
	put(t, at.WorkDir+"/mounted.yaml", fileOf("prod"))
	got, err := at.Resolve(config.Wanted{File: "mounted.yaml", Scope: config.User})
	if err != nil || got.Name != "named" || !strings.HasSuffix(got.DataDir, "/named") {
		t.Errorf("%v %+v", err, got)
	}
	at = workshop(t, map[string]string{"VANTAGE6_CONFIG_NAME": "../x"})
	put(t, at.WorkDir+"/mounted.yaml", fileOf("prod"))
	if _, err := at.Resolve(config.Wanted{File: "mounted.yaml"}); err == nil {
		t.Error("a path is taken for a name")
	}
}

func TestList(t *testing.T) {
	at := workshop(t, nil)
	if all, err := at.List(config.User); err != nil || all != nil {
		t.Errorf("no directory: %v %v", all, err)
	}
	dir := at.Folders(config.User, "").Config
	for name, text := range map[string]string{
		"b.yaml": fileOf("dev", "test", "prod", "acc-"), "a.yaml": applicationOnly, "c.yml": fileOf("prod"), "notes.txt": "x",
		"empty.yaml": "", "broken.yaml": "a: [", "wrong.yaml": fileOf("test", "prod!"), "sub.yaml/x.yaml": fileOf("prod"),
	} {
		put(t, filepath.Join(dir, name), text)
	}
	all, err := at.List(config.User)
	if err != nil {
		t.Fatal(err)
	}
	var good, bad []string
	for _, l := range all {
		if l.Err != nil {
			bad = append(bad, l.Name)
		} else {
			good = append(good, l.Name+" "+strings.Join(l.Environments, ","))
		}
	}
	if !slices.Equal(good, []string{"a application", "b prod,test,dev"}) || !slices.Equal(bad, []string{"broken", "empty", "wrong"}) {
		t.Errorf("good %q, bad %q", good, bad)
	}
}

func noRefusal(config.Instance) []config.Refusal { return nil }

// What a block lacks must not hide what else is wrong with it.
func TestCheckTellsEverythingAtOnce(t *testing.T) {
	at := workshop(t, nil)
	path := put(t, at.WorkDir+"/x.yaml", edited("    api_pth: /api\n    port: abc\n    tls: {}\n    api_pth: /x"))
	text, _ := os.ReadFile(path)
	path = put(t, path, strings.Replace(string(text), "    uri: sqlite:///test.sqlite\n", "", 1))
	report, err := at.Check(path, func(config.Instance) []config.Refusal {
		return []config.Refusal{{Key: "logging.format", Err: errors.New("no")}, {Key: "tls", Err: errors.New("has its fault already")}}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		path + ":2: environments.test.uri: is missing, so this environment does not count",
		path + ":15: environments.test.logging.format: no",
		path + ":20: environments.test.port: Invalid value 'abc': must be a whole number from 0 to 65535",
		path + ":21: environments.test.tls.cert: is missing: HTTPS needs the files of a certificate and its key",
		path + ":21: environments.test.tls.key: is missing: HTTPS needs the files of a certificate and its key",
	}
	if got := strings.Split(report.Faults.Error(), "\n"); !slices.Equal(got, want) {
		t.Errorf("faults:\n%s", strings.Join(got, "\n"))
	}
	var warned []string
	for _, w := range report.Warnings {
		if w.Key != "" {
			warned = append(warned, w.String())
		}
	}
	want = []string{
		path + ":20: environments.test.port: is given twice, the first time on line 6; this one counts",
		path + ":22: environments.test.api_pth: is given twice, the first time on line 19; this one counts",
		path + ":22: environments.test.api_pth: unknown key, ignored; did you mean api_path?",
	}
	if !slices.Equal(warned, want) {
		t.Errorf("warnings:\n%s", strings.Join(warned, "\n"))
	}
}

func TestCheck(t *testing.T) {
	at := workshop(t, nil)
	path := put(t, at.WorkDir+"/x.yaml", fileOf("dev", "acc-", "prod!")+"    two_factor_auth: eh\n    prot: 1\n")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	report, err := at.Check(path, noRefusal)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		path + ":20: environments.acc.port: is missing, so this environment does not count",
		path + ":41: environments.prod.port: Invalid value 'abc': must be a whole number from 0 to 65535",
		path + ":55: environments.prod.two_factor_auth: Invalid value 'eh': must be true or false",
	}
	if got := strings.Split(report.Faults.Error(), "\n"); !slices.Equal(got, want) {
		t.Errorf("faults:\n%s", strings.Join(got, "\n"))
	}
	if len(report.Warnings) != 3 || !strings.Contains(report.Warnings[0].Text, "mode 0644") || !strings.HasSuffix(report.Warnings[1].Key, "prod.allow_drop_all") || report.Warnings[2].Nearest != "port" {
		t.Errorf("warnings: %v", report.Warnings)
	}
	if !slices.Equal(report.Usable, []string{"dev"}) {
		t.Errorf("usable: %v", report.Usable)
	}
}

func TestCheckOfOtherFiles(t *testing.T) {
	at := workshop(t, nil)
	for text, want := range map[string]string{
		fileOf("test"):                          "",
		"a: [":                                  ":1: is not YAML: did not find expected node content",
		"":                                      ": has no environment: write a block under application, or under environments.prod",
		"environments: ...":                     ": has no environment: write a block under application, or under environments.prod",
		"environments: 5":                       ":1: environments: must be a block of keys, not a single value",
		"environments:\n  prod: 5":              ":2: environments.prod: must be a block of keys, not a single value",
		"environments: [a]\n" + applicationOnly: ":1: environments: must be a block of keys, not a list",
		"application: {}":                       ": has no environment: write a block under application, or under environments.prod",
	} {
		path := put(t, at.WorkDir+"/x.yaml", text)
		report, err := at.Check(path, noRefusal)
		if got := strings.TrimPrefix(report.Faults.Error(), path); err != nil || got != want {
			t.Errorf("%.30q: %v, %s", text, err, got)
		}
	}
	if _, err := at.Check(at.WorkDir+"/none", noRefusal); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
