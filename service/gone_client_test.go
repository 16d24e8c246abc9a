package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"vserver/service/config"
)

// TestClientThatGivesUpIsNoUnexpectedError closes connections in the middle of a request, while
// it is answered, and in the middle of the answer. The log has no error, no answer counts as
// one of the server's failures, and others are served.
func TestClientThatGivesUpIsNoUnexpectedError(t *testing.T) {
	inst := configured(t)
	inst.Config.Metrics = &config.Metrics{IP: "127.0.0.1"}
	r := start(t, inst)
	token := r.logIn()
	if status, body := r.call("PATCH", "/api/organization/1", token, map[string]string{"address1": strings.Repeat("a", 1000)}); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	large, _ := json.Marshal(map[string]any{"name": "n", "domain": strings.Repeat("d", 1<<20)})
	for name, c := range map[string]struct {
		request string
		reads   int // bytes of the answer
	}{
		"half a head":      {"GET /api/organization HTTP/1.1\r\nHost: x\r\n", 0},
		"half a body":      {request("POST", "/api/organization", token, 1000, `{"name": "ha`), 0},
		"half of much":     {request("POST", "/api/organization", token, len(large), string(large[:len(large)/2])), 0},
		"before an answer": {request("GET", "/api/rule?include=metadata", token, 0, ""), 0},
		"a log-in":         {request("POST", "/api/token/user", "", 41, `{"username": "root", "password": "wrong"}`), 0},
		"half an answer":   {strings.Repeat(request("GET", "/api/rule", token, 0, ""), 200), 100},
	} {
		for range 5 {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.address)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.(*net.TCPConn).SetLinger(0) // the server sees a reset, not an end
			if _, err := conn.Write([]byte(c.request)); err != nil && c.reads == 0 {
				t.Fatalf("%s: %v", name, err)
			}
			_, _ = conn.Read(make([]byte, c.reads))
			_ = conn.Close()
		}
	}
	if status, body := r.call("GET", "/api/organization", token, nil); status != 200 {
		t.Errorf("others: %d %s", status, body)
	}
	said := content(t, inst.LogFile)
	metrics := regexp.MustCompile(`Metrics are at http://(\S+)/metrics`).FindStringSubmatch(said)
	scraped, text := (&running{T: t, address: metrics[1]}).call("GET", "/metrics", "", nil)
	if scraped != http.StatusOK || regexp.MustCompile(`(?m)^vserver_requests_total.*status="5`).MatchString(text) {
		t.Errorf("the metrics: %d %s", scraped, text)
	}
	if err := r.wait(); err != nil {
		t.Error(err)
	}
	for line := range bytes.Lines([]byte(content(t, inst.LogFile))) {
		if bytes.Contains(line, []byte("- ERROR ")) || bytes.Contains(line, []byte("panic")) {
			t.Errorf("the log: %s", line)
		}
	}
}

// request is one as it goes over the wire, its body shorter than it says.
func request(method, path, token string, length int, body string) string {
	if token != "" {
		token = "Authorization: Bearer " + token + "\r\n"
	}
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, token, length, body)
}
