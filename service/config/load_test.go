package config_test

import (
	"testing"

	"vserver/service/config"
)

func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		key   string
		value any
		want  string
	}{
		{"port", "5000", ""},
		{"port", "abc", "Invalid value 'abc': must be a whole number from 0 to 65535"},
		{"ip", "0.0.0.0", ""},
		{"ip", "http://x", "Invalid value 'http://x': must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"},
		{"api_path", "", ""},
		{"api_path", "/api/", "Invalid value '/api/': must be empty for the root, or begin with / and not end with it, such as /api; write /api"},
		{"uri", "postgresql://a:b@h/d", ""},
		{"uri", "nonsense", "is no database URI: use sqlite:///file.sqlite or postgresql://user:password@host/database"},
		{"allow_drop_all", "True", ""},
		{"description", "any: text # at all", ""},
		{"logging.level", "NOTSET", ""},
		{"logging.level", "loud", "Invalid value 'loud': must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, NOTSET"},
		{"smtp.from", "bob", "Invalid value 'bob': must be the address of one mailbox, such as vserver@example.org"},
		{"smtp.tls", "ssl", "Invalid value 'ssl': must be auto, starttls, implicit or none"},
		{"smtp.port", 0, "Invalid value '0': must be a whole number from 1 to 65535"},
		{"rabbitmq_uri", "amqp://x", ""},
		{"cors_allowed_origins", []string{"portal"}, "Invalid value 'portal': must be * or origins such as https://portal.example.org, without path"},
	} {
		got := ""
		if err := config.CheckAnswer(tc.key, tc.value); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s %v: got %s", tc.key, tc.value, got)
		}
	}
}
