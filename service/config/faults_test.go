package config_test

import (
	"strings"
	"testing"

	"vserver/service/config"
)

// base is a configuration without fault; its lines count from 1.
const base = `environments:
  test:
    description: x
    type: test
    ip: 0.0.0.0
    port: 5000
    api_path: /api
    uri: sqlite:///test.sqlite
    allow_drop_all: true
    logging:
      level: DEBUG
      file: test.log
      use_console: true
      backup_count: 5
      max_size: 1024
      format: "%(message)s"
      datefmt: "%H"
    cors_allowed_origins: []
    jwt_secret_key: 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978
`

// edited puts lines into base: a line whose key exists there replaces it, others
// are added at the end, which is line 20.
func edited(lines string) string {
	all := strings.Split(strings.TrimSuffix(base, "\n"), "\n")
	head, _, _ := strings.Cut(lines, ":")
	for i, line := range all {
		if key, _, _ := strings.Cut(line, ":"); key == head {
			all[i] = lines
			return strings.Join(all, "\n") + "\n"
		}
	}
	return strings.Join(append(all, lines), "\n") + "\n"
}

func loadText(text string, env map[string]string) (config.Config, []config.Warning, error) {
	f, err := config.Parse("t.yaml", []byte(text))
	if err != nil {
		return config.Config{}, nil, err
	}
	return f.Load("test", func(name string) string { return env[name] })
}

func TestBaseHasNoFaultAndNoWarning(t *testing.T) {
	_, warnings, err := loadText(base, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
}

// Each row is a line put into base (see edited) and the faults it must cause, of
// which every one begins with its line and key below environments.test.
func TestWrongValues(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"    port: abc", "6: port: Invalid value 'abc': must be a whole number from 0 to 65535"},
		{"    port: 70000", "6: port: Invalid value '70000': must be a whole number from 0 to 65535"},
		{"    port: -1", "6: port: Invalid value '-1': must be a whole number from 0 to 65535"},
		{"    port: 50.5", "6: port: Invalid value '50.5': must be a whole number from 0 to 65535"},
		{"    port: true", "6: port: Invalid value 'true': must be a whole number from 0 to 65535"},
		{"    port:", "6: port: has no value: must be a whole number from 0 to 65535"},
		{"    port: [5000]", "6: port: must be a whole number from 0 to 65535, not a list"},
		{"    port: {a: 1}", "6: port: must be a whole number from 0 to 65535, not a block of keys"},
		{"    port: ''", "6: port: Invalid value '': must be a whole number from 0 to 65535"},
		{"    port: '50 00'", "6: port: Invalid value '50 00': must be a whole number from 0 to 65535"},
		{"    port: 99999999999999999999", "6: port: Invalid value '99999999999999999999': must be a whole number from 0 to 65535"},
		{"    ip:", "5: ip: has no value: must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: ''", "5: ip: Invalid value '': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: http://0.0.0.0", "5: ip: Invalid value 'http://0.0.0.0': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: 0.0.0.0:5000", "5: ip: Invalid value '0.0.0.0:5000': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: 300.1.1.1", "5: ip: Invalid value '300.1.1.1': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: " + strings.Repeat("a", 255), "5: ip: Invalid value '" + strings.Repeat("a", 60) + "…': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: 127.1", "5: ip: Invalid value '127.1': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: 5000", "5: ip: Invalid value '5000': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: a.0x7F.", "5: ip: Invalid value 'a.0x7F.': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    ip: [0.0.0.0]", "5: ip: must be text, not a list"},
		{"    ip: 'a b'", "5: ip: Invalid value 'a b': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"    api_path: api", "7: api_path: Invalid value 'api': must be empty for the root, or begin with / and not end with it, such as /api; write /api"},
		{"    api_path: /api/", "7: api_path: Invalid value '/api/': must be empty for the root, or begin with / and not end with it, such as /api; write /api"},
		{"    api_path: /", "7: api_path: Invalid value '/': must be empty for the root, or begin with / and not end with it, such as /api; write '' for the root"},
		{"    api_path: //api", "7: api_path: Invalid value '//api': must be empty for the root, or begin with / and not end with it, such as /api; write /api"},
		{"    api_path: /a/../b", "7: api_path: Invalid value '/a/../b': must be empty for the root, or begin with / and not end with it, such as /api"},
		{"    api_path: '/a b'", "7: api_path: Invalid value '/a b': must be empty for the root, or begin with / and not end with it, such as /api"},
		{"    api_path: /socket.io", "7: api_path: Invalid value '/socket.io': belongs to the sockets; choose another path, such as /api"},
		{"    api_path: [a]", "7: api_path: must be text, not a list"},
		{"    api_path: /:id", "7: api_path: Invalid value '/:id': must be empty for the root, or begin with / and not end with it, such as /api"},
		{"    uri: test.sqlite", "8: uri: is no database URI: use sqlite:///file.sqlite or postgresql://user:password@host/database"},
		{"    uri: mysql://u:geheim@h/d", "8: uri: databases of the kind 'mysql' are not supported: use sqlite:///file.sqlite or postgresql://user:password@host/database"},
		{"    uri: 'sqlite://'", "8: uri: a database in memory is lost at each stop: name a file, such as sqlite:///default.sqlite"},
		{"    uri: 'sqlite:///:memory:'", "8: uri: a database in memory is lost at each stop: name a file, such as sqlite:///default.sqlite"},
		{"    uri: sqlite://test.sqlite", "8: uri: needs three slashes for a file in the data directory, such as sqlite:///default.sqlite, or four for an absolute path"},
		{"    uri: sqlite:///dir/", "8: uri: must end in the name of a file, such as sqlite:///default.sqlite"},
		{"    uri: postgresql://u:geheim@h:port/d", "8: uri: has no valid port behind its host: use sqlite:///file.sqlite or postgresql://user:password@host/database"},
		{"    uri: 'postgresql://u:p@h h/d'", "8: uri: has no valid host: use sqlite:///file.sqlite or postgresql://user:password@host/database"},
		{"    uri:", "8: uri: is no database URI: use sqlite:///file.sqlite or postgresql://user:password@host/database"},
		{"    uri: {a: b}", "8: uri: must be text, not a block of keys"},
		{"    allow_drop_all: maybe", "9: allow_drop_all: Invalid value 'maybe': must be true or false"},
		{"    allow_drop_all: []", "9: allow_drop_all: must be true or false, not a list"},
		{"    description: [a]", "3: description: must be text, not a list"},
		{"    type: {a: b}", "4: type: must be text, not a block of keys"},
		{"    logging: x", "11: is not YAML: mapping values are not allowed in this context"},
		{"      level: debug", "11: logging.level: Invalid value 'debug': must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET in upper case"},
		{"      level: TRACE", "11: logging.level: Invalid value 'TRACE': must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET"},
		{"      level: 10", "11: logging.level: Invalid value '10': must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET"},
		{"      level:", "11: logging.level: has no value: must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET"},
		{"      level: [DEBUG]", "11: logging.level: must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET, not a list"},
		{"      use_console: perhaps", "13: logging.use_console: Invalid value 'perhaps': must be true or false"},
		{"      backup_count: -1", "14: logging.backup_count: Invalid value '-1': must be a whole number of at least 1"},
		{"      backup_count: many", "14: logging.backup_count: Invalid value 'many': must be a whole number of at least 1"},
		{"      max_size: 16", "15: logging.max_size: Invalid value '16': must be a whole number of at least 17"},
		{"      max_size: 1e3x", "15: logging.max_size: Invalid value '1e3x': must be a whole number of at least 17"},
		{"      max_size:", "15: logging.max_size: has no value: must be a whole number of at least 17"},
		{"      format: [a]", "16: logging.format: must be text, not a list"},
		{"      datefmt: {a: b}", "17: logging.datefmt: must be text, not a block of keys"},
		{"      file: [a]", "12: logging.file: must be text, not a list"},
		{"    two_factor_auth: vielleicht", "20: two_factor_auth: Invalid value 'vielleicht': must be true or false"},
		{"    secret_key: short", "20: secret_key: has 5 bytes: take at least 32 random ones"},
		{"    secret_key: [a]", "20: secret_key: must be text, not a list"},
		{"    secret_key_file: {a: b}", "20: secret_key_file: must be text, not a block of keys"},
		{"    smtp: mail.example.org", "20: smtp: Invalid value 'mail.example.org': must be a block of keys"},
		{"    smtp: {port: 0}", "20: smtp.port: Invalid value '0': must be a whole number from 1 to 65535"},
		{"    smtp: {MAIL_USE_TLS: eh}", "20: smtp.MAIL_USE_TLS: Invalid value 'eh': must be true or false"},
		{"    smtp: {password: [a]}", "20: smtp.password: must be text, not a list"},
		{"    email_token_validity_minutes: 0", "20: email_token_validity_minutes: Invalid value '0': must be a positive number of minutes"},
		{"    email_token_validity_minutes: -3", "20: email_token_validity_minutes: Invalid value '-3': must be a positive number of minutes"},
		{"    email_token_validity_minutes: soon", "20: email_token_validity_minutes: Invalid value 'soon': must be a positive number of minutes"},
		{"    smtp:\n      email_token_validity_minutes: never", "21: smtp.email_token_validity_minutes: Invalid value 'never': must be a positive number of minutes"},
		{"    email_token_validity_minutes: .nan", "20: email_token_validity_minutes: Invalid value '.nan': must be a positive number of minutes"},
		{"    email_token_validity_minutes: [1]", "20: email_token_validity_minutes: must be a positive number of minutes, not a list"},
		{"    password_policy: 5", "20: password_policy: Invalid value '5': must be a block of keys"},
		{"    password_policy: {max_failed_attempts: 0}", "20: password_policy.max_failed_attempts: Invalid value '0': must be a whole number of at least 1"},
		{"    password_policy: {inactivation_minutes: x}", "20: password_policy.inactivation_minutes: Invalid value 'x': must be a whole number from 1 to 52560000"},
		{"    vpn_server: yes", "20: vpn_server: Invalid value 'yes': must be a block of keys"},
		{"    vpn_server: {url: [a]}", "20: vpn_server.url: must be text, not a list"},
		{"    directories: /srv", "20: directories: Invalid value '/srv': must be a block of keys"},
		{"    directories: {data: [a]}", "20: directories.data: must be text, not a list"},
		{"    cors_allowed_origins: portal.example.org", "18: cors_allowed_origins: Invalid value 'portal.example.org': must be * or origins such as https://portal.example.org, without path"},
		{"    cors_allowed_origins: ['https://a/b']", "18: cors_allowed_origins: Invalid value 'https://a/b': must be * or origins such as https://portal.example.org, without path"},
		{"    cors_allowed_origins: ['https://a', 'ftp://b']", "18: cors_allowed_origins: Invalid value 'ftp://b': must be * or origins such as https://portal.example.org, without path"},
		{"    cors_allowed_origins: https://me:secret@a", "18: cors_allowed_origins: must be * or origins such as https://portal.example.org, without path, and hold neither user nor password"},
		{"    cors_allowed_origins: {a: b}", "18: cors_allowed_origins: must be a list, not a block of keys"},
		{"    cors_allowed_origins: [[a]]", "18: cors_allowed_origins: must be * or origins such as https://portal.example.org, without path, not a list"},
		{"    public_url: vserver.example.org", "20: public_url: Invalid value 'vserver.example.org': must be an address such as https://vserver.example.org"},
		{"    public_url: ['https://a', 'https://*.example.org']", "20: public_url: Invalid value 'https://*.example.org': must be an address such as https://vserver.example.org"},
		{"    public_url: https://me:secret@a", "20: public_url: must be an address such as https://vserver.example.org, and hold neither user nor password"},
		{"    public_url: https://a/?b", "20: public_url: Invalid value 'https://a/?b': must be an address such as https://vserver.example.org"},
		{"    public_url: https://a/b/../c", "20: public_url: Invalid value 'https://a/b/../c': must be an address such as https://vserver.example.org"},
		{"    public_url: ''", "20: public_url: Invalid value '': must be an address such as https://vserver.example.org"},
		{"    public_url: {a: b}", "20: public_url: must be a list, not a block of keys"},
		{"    trusted_proxies: [10.0.0.0/33]", "20: trusted_proxies: Invalid value '10.0.0.0/33': must be addresses or networks such as 10.0.0.1 or 10.0.0.0/8"},
		{"    trusted_proxies: localhost", "20: trusted_proxies: Invalid value 'localhost': must be addresses or networks such as 10.0.0.1 or 10.0.0.0/8"},
		{"    trusted_proxies: {a: b}", "20: trusted_proxies: must be a list, not a block of keys"},
		{"    tls: {cert: a.pem}", "20: tls.key: is missing: HTTPS needs the files of a certificate and its key"},
		{"    tls: {}", "20: tls.cert: is missing: HTTPS needs the files of a certificate and its key\n20: tls.key: is missing: HTTPS needs the files of a certificate and its key"},
		{"    tls: true", "20: tls: Invalid value 'true': must be a block of keys"},
		{"    metrics: {}", "20: metrics.port: is missing: must be a whole number from 0 to 65535"},
		{"    metrics: {port: 5000}", "20: metrics.port: is the port of the server itself; metrics need their own"},
		{"    metrics: {port: x, ip: 'a b'}", "20: metrics.ip: Invalid value 'a b': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1\n20: metrics.port: Invalid value 'x': must be a whole number from 0 to 65535"},
		{"    metrics: 9100", "20: metrics: Invalid value '9100': must be a block of keys"},
		{"    ui: sometimes", "20: ui: Invalid value 'sometimes': must be true or false"},
		{"    ui: [a]", "20: ui: must be true or false, not a list"},
		{"    ui: {enabled: sometimes}", "20: ui.enabled: Invalid value 'sometimes': must be true or false"},
		{"    jwt_secret_key: [a]", "19: jwt_secret_key: must be text, not a list"},
		{"    support_email: [a]", "20: support_email: must be text, not a list"},
		{"    rabbitmq_uri: {uri: x}", "20: rabbitmq_uri: must be text, not a block of keys"},
		{"\tx: y", "20: is not YAML: found a tab character that violates indentation"},
		{"  - a", "20: is not YAML: did not find expected key"},
		{"environments: {test: [}", "1: is not YAML: did not find expected node content"},
	} {
		_, _, err := loadText(edited(tc.line), nil)
		if err == nil {
			t.Errorf("%q: no fault", tc.line)
			continue
		}
		got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), "t.yaml:", ""), "environments.test.", "")
		if got != tc.want {
			t.Errorf("%q:\n got %s\nwant %s", tc.line, got, tc.want)
		}
	}
}
