package config_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vserver/service/config"
)

// fileOf builds a file whose named environments are those of base; a name with a
// minus lacks its port, one with a bang has a wrong one.
func fileOf(environments ...string) string {
	_, block, _ := strings.Cut(base, "  test:\n")
	text := "environments:\n"
	for _, name := range environments {
		own := strings.TrimRight(name, "-!")
		switch name[len(own):] {
		case "-":
			text += "  " + own + ":\n" + strings.Replace(block, "    port: 5000\n", "", 1)
		case "!":
			text += "  " + own + ":\n" + strings.Replace(block, "port: 5000", "port: abc", 1)
		default:
			text += "  " + own + ":\n" + block
		}
	}
	return text
}

// applicationOnly is base under the key application.
var applicationOnly = strings.ReplaceAll(strings.Replace(strings.Replace(base, "environments:\n", "", 1), "  test:", "application:", 1), "\n    ", "\n  ")

func TestChoiceOfTheEnvironment(t *testing.T) {
	for _, tc := range []struct{ name, text, wish, want string }{
		{"named", fileOf("test", "prod"), "test", "test"},
		{"default", fileOf("test", "prod"), "", "prod"},
		{"only one", fileOf("acc"), "", "acc"},
		{"only one usable", fileOf("acc", "dev-"), "", "acc"},
		{"application", applicationOnly, "application", "application"},
		{"application by itself", applicationOnly, "", "application"},
		{"application among others", applicationOnly + fileOf("test", "dev"), "", "application"},
		{"prod before application", applicationOnly + fileOf("prod"), "", "prod"},
		{"several", fileOf("test", "dev"), "", "! Requested environment prod is not found in the configuration: t.yaml has test, dev"},
		{"asked for prod", fileOf("test"), "prod", "! Requested environment prod is not found in the configuration: t.yaml has test"},
		{"no fallback", applicationOnly, "test", "! Requested environment test is not found in the configuration: t.yaml has application"},
		{"empty", fileOf("test") + "  acc: {}\n", "acc", "! Requested environment acc is not found in the configuration: t.yaml:20: environments.acc is empty; the file has test"},
		{"lacking", fileOf("test", "acc-"), "acc", "! Requested environment acc is not found in the configuration: t.yaml:20: environments.acc lacks port"},
		{"unknown word", fileOf("test"), "production", "! unknown environment 'production': must be one of prod, acc, test, dev, application"},
		{"empty", "", "", "! Requested environment prod is not found in the configuration: t.yaml has no usable environment"},
		{"comment", "# nothing\n", "", "! Requested environment prod is not found in the configuration: t.yaml has no usable environment"},
		{"no value", "environments:\n", "", "! Requested environment prod is not found in the configuration: t.yaml has no usable environment"},
		{"dots", "environments: ...\napplication: ...\n", "test", "! Requested environment test is not found in the configuration: t.yaml has no usable environment"},
		{"application without value", "application:\n" + fileOf("prod"), "", "prod"},
		{"list", "environments: [test]\n", "test", "! Requested environment test is not found in the configuration: t.yaml:1: environments: must be a block of keys, not a list"},
	} {
		f, err := config.Parse("t.yaml", []byte(tc.text))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		got, err := f.Choose(tc.wish)
		if err != nil {
			got = "! " + err.Error()
		}
		if got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

func TestTextsThatAreNoConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"- a\n":                      "t.yaml:1: must hold the key environments or application, not a list",
		"hello\n":                    "t.yaml:1: must hold the key environments or application, not a single value",
		"a: b\n---\nc: d\n":          "t.yaml:2: holds a second YAML document; a configuration is one",
		"a: b\nc: [\n":               "t.yaml:2: is not YAML: did not find expected node content",
		"a: \"b\nc: d\n":             "t.yaml:1: is not YAML: found unexpected end of stream",
		"a: *b\n":                    "t.yaml:1: is not YAML: unknown anchor 'b' referenced",
		strings.Repeat("a", 1<<20+1): "t.yaml: is larger than 1048576 bytes",
	} {
		_, err := config.Parse("t.yaml", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%.20q: got %v, want %s", text, err, want)
		}
		if _, ok := errors.AsType[config.Fault](err); !ok {
			t.Errorf("%.20q: %T is no Fault", text, err)
		}
	}
}

func TestAllFaultsComeAtOnceInFileOrder(t *testing.T) {
	text := base + "    two_factor_auth: eh\n"
	for old, wrong := range map[string]string{"level: DEBUG": "level: debug", "port: 5000": "port: x", "max_size: 1024": "max_size: 1"} {
		text = strings.Replace(text, old, wrong, 1)
	}
	_, _, err := loadText(text, nil)
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var lines []int
	for _, f := range faults {
		lines = append(lines, f.Line)
	}
	if !slices.Equal(lines, []int{6, 11, 15, 20}) {
		t.Errorf("lines %v in %v", lines, err)
	}
}

func TestMissingKeysOfLogging(t *testing.T) {
	text := strings.Split(base, "      level")[0] + "      file: x\n"
	_, _, err := loadText(text, nil)
	want := "t.yaml:10: environments.test.logging.level: is missing: must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET\n" +
		"t.yaml:10: environments.test.logging.use_console: is missing\n" +
		"t.yaml:10: environments.test.logging.max_size: is missing: must be a whole number of at least 17\n" +
		"t.yaml:10: environments.test.logging.backup_count: is missing: must be a whole number of at least 1\n" +
		"t.yaml:10: environments.test.logging.format: is missing"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for _, value := range []string{"", " x"} {
		text = strings.Split(base, "    logging")[0] + "    logging:" + value + "\n"
		if _, _, err := loadText(text, nil); err == nil || !strings.HasPrefix(err.Error(), "t.yaml:10: environments.test.logging: ") {
			t.Errorf("logging:%s gives %v", value, err)
		}
	}
}

// /docs/configuration#environments: a wrong port or logging block anywhere stops the
// file, other mistakes only their own environment.
func TestFaultsOfOtherEnvironments(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{fileOf("test", "prod!"), "t.yaml:24: environments.prod.port: Invalid value 'abc': must be a whole number from 0 to 65535"},
		{strings.Replace(fileOf("prod", "test"), "level: DEBUG", "level: debug", 1), "t.yaml:11: environments.prod.logging.level: Invalid value 'debug': must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET in upper case"},
		{strings.Replace(fileOf("prod", "test"), "api_path: /api", "api_path: api", 1), ""},
		{fileOf("test", "prod-"), ""},
	} {
		_, _, err := loadText(tc.text, nil)
		if got := fmt.Sprint(err); got != tc.want && (tc.want != "" || err != nil) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}

func TestUnknownKeysNameTheNearest(t *testing.T) {
	text := strings.Replace(base, "      level:", "      levl: x\n      level:", 1) +
		"    prot: 1\n    jwt_secret: x\n    zzzzzzzzzz: 1\n    smtp: {mail_use_tls: true}\n    vpn_server: {user: x}\n  production: {}\nenvironment: {}\n"
	_, warnings, err := loadText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		if strings.Contains(w.Text, "unknown") {
			got = append(got, w.String())
		}
	}
	want := []string{
		"t.yaml:11: environments.test.logging.levl: unknown key, ignored; did you mean level?",
		"t.yaml:21: environments.test.prot: unknown key, ignored; did you mean port?",
		"t.yaml:22: environments.test.jwt_secret: unknown key, ignored; did you mean jwt_secret_key?",
		"t.yaml:23: environments.test.zzzzzzzzzz: unknown key, ignored",
		"t.yaml:24: environments.test.smtp.mail_use_tls: unknown key, ignored; did you mean MAIL_USE_TLS?",
		"t.yaml:25: environments.test.vpn_server.user: unknown key, ignored; known here: url, portal_username, portal_userpass, client_id, client_secret, redirect_url, ca",
		"t.yaml:26: environments.production: unknown key, ignored; did you mean prod?",
		"t.yaml:27: environment: unknown key, ignored; did you mean environments?",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestKeysGivenTwice(t *testing.T) {
	c, warnings, err := loadText(edited("    description: a\n    description: b"), nil)
	want := "t.yaml:4: environments.test.description: is given twice, the first time on line 3; this one counts"
	if err != nil || c.Description != "b" || len(warnings) != 1 || warnings[0].String() != want {
		t.Errorf("%v %q %v", err, c.Description, warnings)
	}
}

func TestAliasesAndMergeKeys(t *testing.T) {
	text := strings.Replace(base, "    logging:", "    logging: &log", 1) + `  prod:
    <<: &shared {description: shared, ip: 127.0.0.1, port: 6000}
    port: 7000
    api_path: ''
    uri: sqlite:///prod.sqlite
    allow_drop_all: false
    logging: {<<: *log, level: ERROR}
  dev:
    <<: [*shared, {port: 1, api_path: /dev, uri: "sqlite:///d", allow_drop_all: 1}]
    logging: *log
`
	f, err := config.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	prod, _, err := f.Load("prod", nothing)
	if err != nil || prod.Port != 7000 || prod.Description != "shared" || prod.Logging.Level != "ERROR" || prod.Logging.MaxSize != 1024 {
		t.Errorf("%v %+v", err, prod.Logging)
	}
	dev, _, err := f.Load("dev", nothing)
	if err != nil || dev.Port != 6000 || dev.APIPath != "/dev" || dev.Logging.Level != "DEBUG" {
		t.Errorf("%v %d %s", err, dev.Port, dev.Logging.Level)
	}
}

func TestHostileAliasesEnd(t *testing.T) {
	bomb := "a0: &a0 {k: v}\n"
	for i := range 30 {
		bomb += fmt.Sprintf("a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 20))
	}
	for _, text := range []string{
		bomb + "environments: {test: *a30}\n",
		"environments: &e {test: {<<: *e, logging: *e}, <<: *e}\n",
		"application: &a {<<: *a, description: *a, ip: *a, port: *a, api_path: *a, uri: *a, allow_drop_all: *a, logging: *a}\n",
	} {
		f, err := config.Parse("t.yaml", []byte(text))
		if err != nil {
			continue
		}
		for _, environment := range []string{"test", "application"} {
			if _, _, err := f.Load(environment, nothing); err == nil {
				t.Errorf("%.40s loads", text)
			}
		}
	}
}

// FuzzParse: no text may bring the reader down, and what loads must hold the limits.
func FuzzParse(f *testing.F) {
	f.Add(base)
	f.Add(applicationOnly)
	f.Add(config.Example())
	f.Add("environments: ...\n")
	f.Add("environments: &e {test: {<<: *e, logging: *e}, <<: *e}\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := config.Parse("t.yaml", []byte(text))
		if err != nil {
			return
		}
		for _, environment := range file.Environments() {
			c, _, err := file.Load(environment, nothing)
			if err != nil {
				continue
			}
			if c.Port < 0 || c.Port > 65535 || c.Logging.MaxSize < 17 && c.Logging.MaxSize != 0 || c.Logging.BackupCount < 0 || c.JWTSecretKey == "" || c.EmailTokenLife <= 0 {
				t.Errorf("limits are broken: %+v", c)
			}
		}
	})
}
