package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vserver/service/config"
)

// answers is what a wizard collects, with the texts of the reference's wizard.
func answers() map[string]any {
	return map[string]any{
		"port": "5000", "ip": "0.0.0.0", "api_path": "/api", "uri": "sqlite:///default.sqlite", "description": "",
		"allow_drop_all": "True", "two_factor_auth": true, "jwt_secret_key": uuid,
		"rabbitmq_uri":         "amqp://user:pa55@localhost:5672/vhost",
		"cors_allowed_origins": []string{"http://localhost:5000"},
		"logging": map[string]any{
			"level": "DEBUG", "file": "demo.log", "use_console": true, "backup_count": 5, "max_size": 1024,
			"format": "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s", "datefmt": "%Y-%m-%d %H:%M:%S",
		},
	}
}

func TestWrittenFileLooksLikeTheWizards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "down", "demo.yaml")
	block := answers()
	delete(block, "cors_allowed_origins")
	if err := config.WriteFile(path, "prod", block); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/wizard.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != string(want) {
		t.Errorf("%v\n%s", err, got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, left over: %v", err, entries)
	}
}

func TestWritingAddsToAFile(t *testing.T) {
	text := strings.Replace(fileOf("test", "acc-"), "    description: x", "    # a comment\n    zz_own_key: {b: [1, '2'], a: \"x\\ty\"}\n    description: x", 1) + "comment_at_top: 1\n"
	path := put(t, t.TempDir()+"/x.yaml", text)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteFile(path, "prod", answers()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"application: {}\nenvironments:\n  acc:\n    allow_drop_all: true\n", "\n  dev: {}\n  prod:\n    allow_drop_all: 'True'\n",
		"    cors_allowed_origins:\n      - http://localhost:5000\n", "    zz_own_key:\n      a: \"x\\ty\"\n      b:\n        - 1\n        - '2'\n",
	} {
		if !strings.Contains(string(got), part) {
			t.Errorf("lacks %q:\n%s", part, got)
		}
	}
	if strings.Contains(string(got), "comment") {
		t.Errorf("comments and other keys stay:\n%s", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	for _, environment := range []string{"test", "prod"} {
		if c, _ := load(t, path, environment); c.Port != 5000 {
			t.Errorf("%s: port %d", environment, c.Port)
		}
	}
}

func TestWritingUnfoldsAliases(t *testing.T) {
	text := strings.Replace(fileOf("test"), "    logging:", "    logging: &log", 1) + strings.Replace(strings.TrimPrefix(fileOf("dev"), "environments:\n"), "      level: DEBUG", "      <<: *log\n      level: INFO", 1)
	path := put(t, t.TempDir()+"/x.yaml", text)
	if err := config.WriteFile(path, "application", answers()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || regexp.MustCompile(`[&*]log|<<`).Match(got) {
		t.Errorf("%v\n%s", err, got)
	}
	if c, _ := load(t, path, "dev"); c.Logging.Level != "INFO" {
		t.Errorf("level %s", c.Logging.Level)
	}
}

func TestWritingRefuses(t *testing.T) {
	wrong := answers()
	wrong["port"] = "abc"
	lacking := answers()
	delete(lacking, "uri")
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 6 {
		n, m := string(rune('0'+i)), string(rune('1'+i))
		bomb += "a" + m + ": &a" + m + " [" + strings.Repeat("*a"+n+",", 9) + "*a" + n + "]\n"
	}
	for _, tc := range []struct {
		name, text, environment string
		block                   map[string]any
		want                    string
	}{
		{"a wrong answer", "", "prod", wrong, "environments.prod.port: Invalid value 'abc'"},
		{"a missing answer", "", "prod", lacking, "environments.prod lacks uri"},
		{"what exists", fileOf("prod"), "prod", answers(), config.ErrExists.Error()},
		{"a file with a wrong value", fileOf("test!"), "prod", answers(), "x.yaml:6: environments.test.port: Invalid value"},
		{"a file that is no YAML", "a: [", "prod", answers(), "is not YAML"},
		{"another word", "", "live", answers(), "unknown environment 'live'"},
		{"a bomb", bomb + "application: {x: *a6}\n", "prod", answers(), "unfold to more than"},
		{"a ring", "application: &a {x: *a}\n", "prod", answers(), "unfold to more than"},
	} {
		path := filepath.Join(t.TempDir(), "x.yaml")
		if tc.text != "" {
			put(t, path, tc.text)
		}
		err := config.WriteFile(path, tc.environment, tc.block)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if left, err := os.ReadFile(path); tc.text != "" && string(left) != tc.text || tc.text == "" && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the file changed", tc.name)
		}
	}
}

// Every key that the reader knows stands in the example, and every line of it that
// is commented out loads once the # is gone.
func TestExampleIsCompleteAndValid(t *testing.T) {
	for _, text := range []string{config.Example(), regexp.MustCompile(`(?m)^( *)#([^ \n])`).ReplaceAllString(config.Example(), "$1$2")} {
		f, err := config.Parse("example.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, warnings, err := f.Load("prod", nothing)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range warnings {
			// A key that is absent or the sample itself.
			if !strings.Contains(w.Key, "secret_key") {
				t.Errorf("warning: %s", w)
			}
		}
	}
	for _, s := range config.Settings() {
		_, key := s.Block()
		if key != "" && !s.Hidden && !regexp.MustCompile(`(?m)^ *(#|#- \{)?`+key+`:`).MatchString(config.Example()) {
			t.Errorf("the example lacks %s", key)
		}
	}
}
