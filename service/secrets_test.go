package service

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"vserver/service/config"
	"vserver/service/freeport"
)

// TestAdvisory_U8_SecretsStayOut sends secrets in every place where they belong and in some where they do not, to a
// server that logs all it can, and looks for them in the log, the metrics and the replies to what failed.
func TestAdvisory_U8_SecretsStayOut(t *testing.T) {
	inst := configured(t)
	inst.Config.Logging.Level = "NOTSET"
	inst.Config.JWTSecretKey = "canary-jwt-0123456789abcdef0123456789abcdef"
	inst.Config.SMTP = config.SMTP{Configured: true, Server: "mail.example.org", Password: "canary-smtp"}
	inst.Config.RabbitMQURI = "amqp://u:canary-amqp@host/v"
	inst.Config.Metrics = &config.Metrics{IP: "127.0.0.1", Port: freePort(t)}
	r := start(t, inst)
	heard := &canaries{running: r, secrets: []string{"canary"}}
	heard.walk()
	reply, err := http.Get(fmt.Sprintf("http://%s:%d/metrics", inst.Config.Metrics.IP, inst.Config.Metrics.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var text strings.Builder
	if err := reply.Write(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	log := content(t, inst.LogFile)
	for _, line := range []string{"Received request: POST /api/token/user", "Received request: PATCH /api/password/change", "Client identified"} {
		if !strings.Contains(log, line) {
			t.Errorf("the log does not tell of %q, so it proves nothing", line)
		}
	}
	for where, text := range map[string]string{"log": log, "metrics": text.String(), "replies": heard.failed.String()} {
		for _, secret := range heard.secrets {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("the %s hold %q: …%s…", where, secret, text[max(0, i-100):min(len(text), i+100)])
			}
		}
	}
}

// canaries are the secrets of a server in use, and what it said to requests that failed.
type canaries struct {
	*running
	secrets []string
	failed  strings.Builder
}

// ask sends a request, keeps what it failed with, and returns the secret under the key of the reply, which it looks for later.
func (c *canaries) ask(method, path, token string, body any, key string) string {
	c.Helper()
	status, text := c.call(method, path, token, body)
	if status >= 400 {
		c.failed.WriteString(text)
		return ""
	}
	_, rest, _ := strings.Cut(text, `"`+key+`":`)
	if parts := strings.SplitN(rest, `"`, 3); key != "" && len(parts) == 3 {
		c.secrets = append(c.secrets, parts[1])
		return parts[1]
	}
	return ""
}

// walk uses each secret rightly and wrongly.
func (c *canaries) walk() {
	root := c.ask("POST", "/api/token/user", "", about("username", "root", "password", "root"), "access_token")
	c.ask("POST", "/api/organization", root, about("name", "hospital"), "")
	c.ask("POST", "/api/collaboration", root, map[string]any{"name": "study", "organization_ids": []int{1, 2}}, "")
	key := c.ask("POST", "/api/node", root, map[string]any{"organization_id": 2, "collaboration_id": 1}, "api_key")
	node := c.ask("POST", "/api/token/node", "", about("api_key", key), "access_token")
	if key == "" || node == "" {
		c.Fatal("no node could log in")
	}
	person := map[string]any{
		"username": "u", "password": "canary-Pass-1!", "firstname": "f", "lastname": "l", "email": "u@example.org", "organization_id": 2, "roles": []int{1},
	}
	c.ask("POST", "/api/user", root, person, "")
	user := c.ask("POST", "/api/token/user", "", about("username", "u", "password", "canary-Pass-1!"), "access_token")
	refresh := c.ask("POST", "/api/token/user", "", about("username", "u", "password", "canary-Pass-1!"), "refresh_token")
	c.ask("PATCH", "/api/password/change", user, about("current_password", "canary-Pass-1!", "new_password", "canary-Pass-2!"), "")
	for _, token := range []string{user, refresh, "canary-token", "canary.token.x", node[:len(node)-3] + "abc"} {
		c.ask("GET", "/api/user/1", token, nil, "")
		c.ask("POST", "/api/token/refresh", token, nil, "access_token")
		c.ask("GET", "/api/node?token="+token+"&api_key=canary-query", node, nil, "")
	}
	for _, body := range []any{about("username", "u", "password", "canary-wrong"), about("password", "canary-alone"), "canary-text",
		map[string]any{"password": []string{"canary-list"}, "username": "u"}} {
		c.ask("POST", "/api/token/user", "", body, "")
		c.ask("POST", "/api/user", root, body, "")
	}
	c.ask("PATCH", "/api/user/2", root, about("password", "canary-patched"), "")
	for _, body := range []any{about("api_key", "canary-key"), map[string]any{"api_key": map[string]string{"a": "canary-key"}}} {
		c.ask("POST", "/api/token/node", "", body, "")
	}
	c.socket(node).CloseNow()
}

func about(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := freeport.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
