package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
)

// nothing is an empty environment.
func nothing(string) string { return "" }

func load(t *testing.T, file, environment string) (config.Config, []config.Warning) {
	t.Helper()
	f, err := config.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, warnings, err := f.Load(environment, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return c, warnings
}

func TestDocumentationExampleLoads(t *testing.T) {
	c, _ := load(t, "testdata/documentation.yaml", "test")
	if c.Port != 5000 || c.IP != "0.0.0.0" || c.APIPath != "/api" || !c.AllowDropAll {
		t.Errorf("server settings differ: %+v", c)
	}
	if c.Logging.Format != "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s" || c.Logging.MaxSize != 1024 {
		t.Errorf("logging differs: %+v", c.Logging)
	}
	if c.AccessTokenLife != 24*time.Hour || c.EmailTokenLife != time.Hour || c.SupportEmail != "your-support@email.com" {
		t.Errorf("lives differ: %v %v %q", c.AccessTokenLife, c.EmailTokenLife, c.SupportEmail)
	}
	if c.VPN == nil || c.VPN.Unusable() != "" || c.JWTSecretKey.Reveal() != "super-secret-key!" {
		t.Errorf("vpn or key differ: %+v", c.VPN)
	}
}

func TestWizardFileLoads(t *testing.T) {
	c, warnings := load(t, "testdata/wizard.yaml", "prod")
	if c.Port != 5000 || !c.AllowDropAll || !c.TwoFactorAuth || c.AccessTokenLife != 6*time.Hour {
		t.Errorf("settings differ: %+v", c)
	}
	var keys []string
	for _, w := range warnings {
		keys = append(keys, strings.TrimPrefix(w.Key, "environments.prod."))
	}
	if got := strings.Join(keys, " "); got != "cors_allowed_origins allow_drop_all" {
		t.Errorf("warnings about %s", got)
	}
}

func TestAcceptedValues(t *testing.T) {
	for _, tc := range []struct {
		line string
		get  func(config.Config) any
		want any
	}{
		{"    port: '5000'", func(c config.Config) any { return c.Port }, 5000},
		{"    port: ' 5001 '", func(c config.Config) any { return c.Port }, 5001},
		{"    port: 5002.0", func(c config.Config) any { return c.Port }, 5002},
		{"    port: 0x1388", func(c config.Config) any { return c.Port }, 5000},
		{"    port: 0", func(c config.Config) any { return c.Port }, 0},
		{"    description:", func(c config.Config) any { return c.Description }, ""},
		{"    description: 12", func(c config.Config) any { return c.Description }, "12"},
		{"    description: 'a: #b'", func(c config.Config) any { return c.Description }, "a: #b"},
		{"    ip: localhost", func(c config.Config) any { return c.IP }, "localhost"},
		{"    ip: " + strings.Repeat("a", 254), func(c config.Config) any { return c.IP }, strings.Repeat("a", 254)},
		{"    ip: '::'", func(c config.Config) any { return c.IP }, "::"},
		{"    ip: '[::1]'", func(c config.Config) any { return c.IP }, "::1"},
		{"    api_path: ''", func(c config.Config) any { return c.APIPath }, ""},
		{"    api_path:", func(c config.Config) any { return c.APIPath }, ""},
		{"    api_path: /x/y-1", func(c config.Config) any { return c.APIPath }, "/x/y-1"},
		{"    allow_drop_all: 'False'", func(c config.Config) any { return c.AllowDropAll }, false},
		{"    allow_drop_all: 'True'", func(c config.Config) any { return c.AllowDropAll }, true},
		{"    allow_drop_all: no", func(c config.Config) any { return c.AllowDropAll }, false},
		{"    allow_drop_all: ON", func(c config.Config) any { return c.AllowDropAll }, true},
		{"    ui: ''", func(c config.Config) any { return c.UI }, false},
		{"    allow_drop_all: Y", func(c config.Config) any { return c.AllowDropAll }, true},
		{"    allow_drop_all: ''", func(c config.Config) any { return c.AllowDropAll }, false},
		{"    allow_drop_all: 1", func(c config.Config) any { return c.AllowDropAll }, true},
		{"    allow_drop_all:", func(c config.Config) any { return c.AllowDropAll }, false},
		{"      level: NOTSET", func(c config.Config) any { return c.Logging.Level }, "NOTSET"},
		{"      backup_count: '3'", func(c config.Config) any { return c.Logging.BackupCount }, 3},
		{"      backup_count: 0", func(c config.Config) any { return c.Logging.BackupCount }, 0},
		{"      max_size: '0'", func(c config.Config) any { return c.Logging.MaxSize }, 0},
		{"      max_size: 17", func(c config.Config) any { return c.Logging.MaxSize }, 17},
		{"      use_console: 'False'", func(c config.Config) any { return c.Logging.UseConsole }, false},
		{"      format: json", func(c config.Config) any { return c.Logging.Format }, "json"},
		{"      datefmt:", func(c config.Config) any { return c.Logging.DateFormat }, ""},
		{"    type: production", func(c config.Config) any { return c.AccessTokenLife }, 6 * time.Hour},
		{"    email_token_validity_minutes: 0.5", func(c config.Config) any { return c.EmailTokenLife }, 30 * time.Second},
		{"    email_token_validity_minutes: '90'", func(c config.Config) any { return c.EmailTokenLife }, 90 * time.Minute},
		{"    smtp: {email_token_validity_minutes: 7}", func(c config.Config) any { return c.EmailTokenLife }, 7 * time.Minute},
		{"    smtp: {}", func(c config.Config) any { return c.SMTP.Configured }, true},
		{"    smtp: {}", func(c config.Config) any { return c.EmailTokenLife }, time.Hour},
		{"    smtp:", func(c config.Config) any { return c.SMTP.Configured }, false},
		{"    smtp: {MAIL_USE_SSL: true}", func(c config.Config) any { return c.SMTP.UseTLS }, false},
		{"    smtp: {username: a@b.org}", func(c config.Config) any { return c.SupportEmail }, "a@b.org"},
		{"    smtp: {username: ''}", func(c config.Config) any { return c.SupportEmail }, "support@vantage6.ai"},
		{"    smtp: {password: 1234, port: '6002'}", func(c config.Config) any { return c.SMTP.Password.Reveal() + fmt.Sprint(c.SMTP.Port) }, "12346002"},
		{"    smtp: {}", func(c config.Config) any { return c.SMTP.Security() }, config.StartTLS},
		{"    smtp: {port: 465}", func(c config.Config) any { return c.SMTP.Security() }, config.ImplicitTLS},
		{"    smtp: {port: 465, MAIL_USE_TLS: false}", func(c config.Config) any { return c.SMTP.Security() }, config.ImplicitTLS},
		{"    smtp: {MAIL_USE_SSL: true}", func(c config.Config) any { return c.SMTP.Security() }, config.ImplicitTLS},
		{"    smtp: {MAIL_USE_SSL: true, MAIL_USE_TLS: true}", func(c config.Config) any { return c.SMTP.Security() }, config.ImplicitTLS},
		{"    smtp: {MAIL_USE_TLS: 'False'}", func(c config.Config) any { return c.SMTP.Security() }, config.NoTLS},
		{"    smtp: {port: 465, tls: StartTLS}", func(c config.Config) any { return c.SMTP.Security() }, config.StartTLS},
		{"    smtp: {tls: none, MAIL_USE_SSL: true}", func(c config.Config) any { return c.SMTP.Security() }, config.NoTLS},
		{"    smtp: {tls: implicit}", func(c config.Config) any { return c.SMTP.Security() }, config.ImplicitTLS},
		{"    smtp: {tls:}", func(c config.Config) any { return c.SMTP.Security() }, config.StartTLS},
		{"    smtp: {ca: /etc/ca.pem}", func(c config.Config) any { return c.SMTP.CA }, "/etc/ca.pem"},
		{"    smtp: {from: v@example.org, username: a@b.org}", func(c config.Config) any { return c.Sender() }, "v@example.org"},
		{"    smtp: {username: a@b.org}", func(c config.Config) any { return c.Sender() }, "a@b.org"},
		{"    smtp: {username: apikey}\n    support_email: s@b.org", func(c config.Config) any { return c.Sender() }, "s@b.org"},
		{"    smtp: {username: apikey}", func(c config.Config) any { return c.Sender() }, "support@vantage6.ai"},
		{"    smtp: {username: 'a@b.org, c@b.org'}", func(c config.Config) any { return c.Sender() }, "support@vantage6.ai"},
		{"    smtp: {from:}", func(c config.Config) any { return c.Sender() }, "support@vantage6.ai"},
		{"    support_email:", func(c config.Config) any { return c.SupportEmail }, "support@vantage6.ai"},
		{"    password_policy: {max_failed_attempts: 3}", func(c config.Config) any { return c.PasswordPolicy }, config.PasswordPolicy{MaxFailedAttempts: 3, Inactivation: 15 * time.Minute}},
		{"    vpn_server: {url: x}", func(c config.Config) any { return c.VPN != nil && c.VPN.Unusable() != "" }, true},
		{"    vpn_server:", func(c config.Config) any { return c.VPN == nil }, true},
		{"    cors_allowed_origins: '*'", func(c config.Config) any { return c.CORSAllowedOrigins.Any }, true},
		{"    cors_allowed_origins: ['HTTPS://A.org:443/', 'http://b:80', 'http://c:8080']", func(c config.Config) any { return strings.Join(c.CORSAllowedOrigins.List, " ") }, "https://a.org http://b http://c:8080"},
		{"    public_url: HTTPS://V6.example.org:443/", func(c config.Config) any { return strings.Join(c.PublicURL, " ") }, "https://v6.example.org"},
		{"    public_url: ['https://a/server', 'http://[::1]:5000']", func(c config.Config) any { return strings.Join(c.PublicURL, " ") }, "https://a/server http://[::1]:5000"},
		{"    trusted_proxies: [10.0.0.1, 10.1.2.3/8, '::1']", func(c config.Config) any { return fmt.Sprint(c.TrustedProxies) }, "[10.0.0.1/32 10.0.0.0/8 ::1/128]"},
		{"    trusted_proxies: 172.17.0.1", func(c config.Config) any { return fmt.Sprint(c.TrustedProxies) }, "[172.17.0.1/32]"},
		{"    tls: {cert: a.pem, key: /k.pem}", func(c config.Config) any { return *c.TLS }, config.TLS{Cert: "a.pem", Key: "/k.pem"}},
		{"    metrics: {port: 9100}", func(c config.Config) any { return *c.Metrics }, config.Metrics{IP: "127.0.0.1", Port: 9100}},
		{"    ui: 'False'", func(c config.Config) any { return c.UI }, false},
		{"    ui: {port: 5001}", func(c config.Config) any { return c.UI }, true},
		{"    ui: {enabled: false}", func(c config.Config) any { return c.UI }, false},
		{"    ui:", func(c config.Config) any { return c.UI }, true},
		{"    directories: {data: /srv/d}", func(c config.Config) any { return c.Directories }, config.Directories{Data: "/srv/d"}},
		{"    rabbitmq_uri: amqp://u:p@h/v", func(c config.Config) any { return c.RabbitMQURI.Reveal() }, "amqp://u:p@h/v"},
	} {
		c, _, err := loadText(edited(tc.line), nil)
		if err != nil {
			t.Errorf("%s: %v", tc.line, err)
		} else if got := tc.get(c); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.line, got, tc.want)
		}
	}
}

// Keys without effect are never a reason to refuse a file, whatever they hold.
func TestKeysWithoutEffect(t *testing.T) {
	for _, line := range []string{
		"    debug: {socketio: true, flask: 'False'}", "    debug: true", "    images: {server: a/b:1}", "    images: [a]", "    image: a/b:1", "    image: [a]",
	} {
		if _, warnings, err := loadText(edited(line), nil); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", line, warnings, err)
		}
	}
}

func TestLoggersOfNewerReleases(t *testing.T) {
	c, warnings, err := loadText(edited("      datefmt:\n      loggers:\n      - {name: urllib3, level: warning}\n      - {name: x}\n      - y"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Logging.Loggers) != 1 || c.Logging.Loggers[0] != (config.LoggerLevel{Name: "urllib3", Level: "WARNING"}) || len(warnings) != 2 {
		t.Errorf("%v %v", c.Logging.Loggers, warnings)
	}
}

// /docs/tokens#lives.
func TestTokenLives(t *testing.T) {
	const hour = time.Hour
	for _, tc := range []struct {
		kind, access, refresh string
		wantAccess, want      time.Duration
		warnings              int
	}{
		{"prod", "", "", 6 * hour, 48 * hour, 0},
		{"acc", "", "", 6 * hour, 48 * hour, 0},
		{"dev", "", "", 6 * hour, 48 * hour, 0},
		{"test", "", "", 24 * hour, 48 * hour, 0},
		{"test", "2", "", 24 * hour, 48 * hour, 0},
		{"prod", "'2'", "100", 2 * hour, 100 * hour, 0},
		{"prod", "0.5", "0.6", hour / 2, 36 * time.Minute, 0},
		{"prod", "0.49", "", 6 * hour, 48 * hour, 1},
		{"prod", "long", "", 6 * hour, 48 * hour, 1},
		{"prod", "1", "1", hour, 48 * hour, 1},
		{"test", "1", "12", 24 * hour, 48 * hour, 1},
		{"prod", "1e300", "-1", 6 * hour, 48 * hour, 2},
		{"prod", "[1]", ".inf", 6 * hour, 48 * hour, 2},
	} {
		text := strings.Replace(base, "type: test", "type: "+tc.kind, 1)
		if tc.access != "" {
			text += "    token_expires_hours: " + tc.access + "\n"
		}
		if tc.refresh != "" {
			text += "    refresh_token_expires_hours: " + tc.refresh + "\n"
		}
		c, warnings, err := loadText(text, nil)
		if err != nil || c.AccessTokenLife != tc.wantAccess || c.RefreshTokenLife != tc.want || len(warnings) != tc.warnings {
			t.Errorf("%+v: got %v %v %v %v", tc, c.AccessTokenLife, c.RefreshTokenLife, warnings, err)
		}
	}
}

func TestALogWithoutRotationIsWarnedOf(t *testing.T) {
	for line, want := range map[string]string{
		"      backup_count: 0": "t.yaml:14: environments.test.logging.backup_count: is 0: the log is not rotated, its file grows without limit",
		"      max_size: 0":     "t.yaml:15: environments.test.logging.max_size: is 0: the log is not rotated, its file grows without limit",
		"      max_size: 17":    "",
	} {
		_, warnings, err := loadText(edited(line), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(warnings) > 0 || want != "" && (len(warnings) != 1 || warnings[0].String() != want) {
			t.Errorf("%s: got %v", line, warnings)
		}
	}
}

func TestSigningKeyWarnings(t *testing.T) {
	for line, want := range map[string]string{
		"    jwt_secret_key: super-secret-key!":                "t.yaml:19: environments.test.jwt_secret_key: is a published sample: anyone can make tokens with it; replace it",
		"    jwt_secret_key: short":                            "t.yaml:19: environments.test.jwt_secret_key: has 5 bytes; a key of at least 32 random bytes is safe",
		"    jwt_secret_key: ''":                               "t.yaml:19: environments.test.jwt_secret_key: is absent: a random key is made at each start, which ends all earlier tokens",
		"    jwt_secret_key:":                                  "t.yaml:19: environments.test.jwt_secret_key: is absent: a random key is made at each start, which ends all earlier tokens",
		"    jwt_secret_key: " + uuid:                          "",
		"    jwt_secret_key: 99999999999999999999999999999999": "",
	} {
		c, warnings, err := loadText(edited(line), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(warnings) > 0 {
			got = warnings[0].String()
		}
		if got != want || len(warnings) > 1 {
			t.Errorf("%s: got %v", line, warnings)
		}
		if c.JWTSecretGenerated != strings.Contains(want, "absent") || c.JWTSecretKey == "" {
			t.Errorf("%s: generated %v", line, c.JWTSecretGenerated)
		}
	}
}

const uuid = "5f4d4f5e-8a0a-11ee-b9d1-0242ac120002"

func TestGeneratedKeysAreLongAndDiffer(t *testing.T) {
	one, _, err1 := loadText(edited("    jwt_secret_key:"), nil)
	two, _, err2 := loadText(edited("    jwt_secret_key:"), nil)
	if err1 != nil || err2 != nil || one.JWTSecretKey == two.JWTSecretKey || len(one.JWTSecretKey.Reveal()) != 64 {
		t.Errorf("%v %v, %d characters", err1, err2, len(one.JWTSecretKey.Reveal()))
	}
}

func TestEnvironmentVariables(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, password := file("key", "key-of-the-file\r\n"), file("password", "pass word\n")
	for _, tc := range []struct {
		env            map[string]string
		uri, key, root string
		fault          string
	}{
		{env: nil, uri: "sqlite:///test.sqlite", key: "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978"},
		{
			env: map[string]string{"VANTAGE6_DB_URI": "postgresql://u:p@h/d", "VSERVER_JWT_SECRET_KEY": "k", "VSERVER_ROOT_PASSWORD": "r"},
			uri: "postgresql://u:p@h/d", key: "k", root: "r",
		},
		{
			env: map[string]string{"VSERVER_JWT_SECRET_KEY_FILE": key, "VSERVER_ROOT_PASSWORD_FILE": password, "VANTAGE6_DB_URI_FILE": file("uri", "sqlite:///x.db")},
			uri: "sqlite:///x.db", key: "key-of-the-file", root: "pass word",
		},
		{env: map[string]string{"VANTAGE6_DB_URI": "x"}, fault: "environment: VANTAGE6_DB_URI: is no database URI"},
		{env: map[string]string{"VSERVER_ROOT_PASSWORD": "a", "VSERVER_ROOT_PASSWORD_FILE": password}, fault: "environment: VSERVER_ROOT_PASSWORD: is set together with VSERVER_ROOT_PASSWORD_FILE"},
		{env: map[string]string{"VSERVER_JWT_SECRET_KEY_FILE": filepath.Join(dir, "none")}, fault: "environment: VSERVER_JWT_SECRET_KEY: reading the file of"},
		{env: map[string]string{"VSERVER_JWT_SECRET_KEY_FILE": file("empty", "\n")}, fault: "environment: VSERVER_JWT_SECRET_KEY: the file of VSERVER_JWT_SECRET_KEY_FILE is empty"},
	} {
		c, _, err := loadText(base, tc.env)
		if tc.fault != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tc.fault) {
				t.Errorf("%v: got %v", tc.env, err)
			}
			continue
		}
		if err != nil || c.URI.Reveal() != tc.uri || c.JWTSecretKey.Reveal() != tc.key || c.RootPassword.Reveal() != tc.root {
			t.Errorf("%v: %v %s %s %s", tc.env, err, c.URI.Reveal(), c.JWTSecretKey.Reveal(), c.RootPassword.Reveal())
		}
	}
}
