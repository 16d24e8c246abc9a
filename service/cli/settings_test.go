package cli_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/freeport"
	"vserver/service/instance"
	"vserver/service/log"
	"vserver/service/promise"
)

// change edits the configuration doc: pairs of what stands there and what is to.
func (h *home) change(pairs ...string) {
	h.Helper()
	path := filepath.Join(h.dir, ".config/vantage6/server/doc.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		h.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !bytes.Contains(text, []byte(pairs[i])) {
			h.Fatalf("the configuration has no %q", pairs[i])
		}
		text = bytes.Replace(text, []byte(pairs[i]), []byte(pairs[i+1]), 1)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		h.Fatal(err)
	}
}

// begin starts doc and gives its record.
func (h *home) begin() instance.Running {
	h.Helper()
	h.vserver("start", "--user", "--name", "doc", "-e", "test")
	r, ok := called(h.locations(), config.User, "doc")
	if !ok {
		h.Fatal("it does not run")
	}
	return r
}

func (h *home) end() {
	h.Helper()
	h.vserver("stop", "--user", "--name", "doc")
}

// ask sends a request; without an answer the status is 0.
func (h *home) ask(method, url, token, body string) (int, []byte) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), promise.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Host = "host.docker.internal" // what is called so is answered all the same
	reply, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, nil
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		h.Fatal(err)
	}
	return reply.StatusCode, text
}

// token logs root in.
func (h *home) token(r instance.Running) string {
	h.Helper()
	status, text := h.ask("POST", r.URL+"/token/user", "", `{"username": "root", "password": "root"}`)
	var reply struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(text, &reply); err != nil || status != http.StatusOK {
		h.Fatalf("log-in: %d %s", status, text)
	}
	return reply.Token
}

// log is the text of the log file.
func (h *home) log() string {
	h.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, ".cache/vantage6/log/server/test.log"))
	if err != nil {
		h.Fatal(err)
	}
	return string(text)
}

// life is how long a token lasts by itself.
func life(t *testing.T, token string) time.Duration {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims struct{ Exp, Iat int64 }
	if err != nil || json.Unmarshal(text, &claims) != nil {
		t.Fatalf("token %s: %v", token, err)
	}
	return time.Duration(claims.Exp-claims.Iat) * time.Second
}

// What the settings of the documentation promise (/docs/developing#acceptance, rows 43
// to 49, 55 to 57, 77 and 81).
func TestSettings(t *testing.T) {
	for name, c := range map[string]struct {
		change []string
		look   func(h *home, r instance.Running)
	}{
		"44 type test": {nil, func(h *home, r instance.Running) {
			if got := life(h.T, h.token(r)); got != 24*time.Hour {
				h.Errorf("tokens last %s", got)
			}
		}},
		"45 other types": {[]string{"type: test", "type: acc"}, func(h *home, r instance.Running) {
			if got := life(h.T, h.token(r)); got != 6*time.Hour {
				h.Errorf("tokens last %s", got)
			}
		}},
		"48 port, and 81 its name": {nil, func(h *home, _ instance.Running) {
			if status, _ := h.ask("GET", fmt.Sprintf("http://127.0.0.1:%d/api/version", h.port), "", ""); status != http.StatusOK {
				h.Errorf("status %d", status)
			}
		}},
		"49 api_path": {[]string{"api_path: /api", "api_path: /x/y"}, func(h *home, _ instance.Running) {
			base := fmt.Sprintf("http://127.0.0.1:%d", h.port)
			right, _ := h.ask("GET", base+"/x/y/version", "", "")
			wrong, _ := h.ask("GET", base+"/api/version", "", "")
			if right != http.StatusOK || wrong != http.StatusNotFound {
				h.Errorf("status %d and %d", right, wrong)
			}
		}},
		"50 links with the api_path": {[]string{"api_path: /api", "api_path: /sub/path"}, func(h *home, r instance.Running) {
			if _, text := h.ask("GET", r.URL+"/user/1", h.token(r), ""); !bytes.Contains(text, []byte(`"/sub/path/organization/1"`)) {
				h.Errorf("reply %s", text)
			}
		}},
		"55 signature by the key": {nil, func(h *home, r instance.Running) {
			token := h.token(r)
			cut := strings.LastIndexByte(token, '.')
			sum := hmac.New(sha256.New, []byte("super-secret-key!"))
			_, _ = sum.Write([]byte(token[:cut]))
			if want := base64.RawURLEncoding.EncodeToString(sum.Sum(nil)); token[cut+1:] != want {
				h.Error("another key signed it")
			}
		}},
		"57 with a key tokens survive a start": {nil, func(h *home, r instance.Running) {
			token := h.token(r)
			h.end()
			if status, _ := h.ask("GET", h.begin().URL+"/user/1", token, ""); status != http.StatusOK {
				h.Errorf("status %d", status)
			}
		}},
		"56 and 57 without a key they do not": {[]string{"    jwt_secret_key:", "    # jwt_secret_key:"}, func(h *home, r instance.Running) {
			token := h.token(r)
			h.end()
			if status, _ := h.ask("GET", h.begin().URL+"/user/1", token, ""); status != http.StatusUnprocessableEntity {
				h.Errorf("status %d", status)
			}
		}},
		"77 an edited file counts at the next start": {nil, func(h *home, r instance.Running) {
			h.end()
			port, err := freeport.Next(h.Context())
			if err != nil {
				h.Fatal(err)
			}
			h.change("api_path: /api", "api_path: /edited", fmt.Sprintf("port: %d", h.port), fmt.Sprintf("port: %d", port))
			if again := h.begin(); !strings.HasSuffix(again.URL, fmt.Sprintf(":%d/edited", port)) {
				h.Errorf("%s became %s", r.URL, again.URL)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			h.change(c.change...)
			c.look(h, h.begin())
		})
	}
}

// Rows 46 and 47, 80 and 82: where a server listens. All of 127.0.0.0/8 is this machine
// on Linux, so 127.0.0.2 stands for another interface.
func TestAddresses(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("NOT TESTED: addresses, since this is not Linux")
	}
	for ip, reached := range map[string]bool{"127.0.0.1": false, "0.0.0.0": true} {
		t.Run(ip, func(t *testing.T) {
			h := newHome(t)
			h.change("ip: 127.0.0.1", "ip: "+ip)
			h.begin()
			status, _ := h.ask("GET", fmt.Sprintf("http://127.0.0.2:%d/api/version", h.port), "", "")
			if (status == http.StatusOK) != reached {
				t.Errorf("status %d from another address", status)
			}
		})
	}
}

// Rows 58, 63, 64 and 96: what stands in the log.
func TestLogSettings(t *testing.T) {
	const documented = `(?m)\A(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - .{14,} - (DEBUG|INFO|WARNING|ERROR|CRITICAL) +- .*\n)+\z`
	for name, c := range map[string]struct {
		change     []string
		like       string
		has, hasnt []string
	}{
		"as documented": {nil, documented, []string{"- DEBUG ", "- INFO ", "- WARNING ", "GET /api/version"}, nil},
		"NOTSET":        {[]string{"level:        DEBUG", "level: NOTSET"}, documented, []string{"- DEBUG ", "- INFO "}, nil},
		"INFO":          {[]string{"level:        DEBUG", "level: INFO"}, documented, []string{"- INFO ", "- WARNING "}, []string{"- DEBUG "}},
		"WARNING":       {[]string{"level:        DEBUG", "level: WARNING"}, documented, []string{"- WARNING "}, []string{"- DEBUG ", "- INFO "}},
		"ERROR":         {[]string{"level:        DEBUG", "level: ERROR"}, `\A\z`, nil, nil},
		"CRITICAL":      {[]string{"level:        DEBUG", "level: CRITICAL"}, `\A\z`, nil, nil},
		"format":        {[]string{`"%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s"`, `"%(levelname)s:%(message)s"`}, `(?m)\A([A-Z]+:.*\n)+\z`, nil, nil},
		"datefmt":       {[]string{`"%Y-%m-%d %H:%M:%S"`, `"%d.%m.%y"`}, `(?m)\A(\d\d\.\d\d\.\d\d - .*\n)+\z`, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			h.change(c.change...)
			h.begin()
			h.end()
			log := h.log()
			if !regexp.MustCompile(c.like).MatchString(log) {
				t.Errorf("not like %s:\n%s", c.like, log)
			}
			for _, text := range c.has {
				if !strings.Contains(log, text) {
					t.Errorf("no %q in:\n%s", text, log)
				}
			}
			for _, text := range c.hasnt {
				if strings.Contains(log, text) {
					t.Errorf("%q in:\n%s", text, log)
				}
			}
		})
	}
}

// Rows 61, 62 and 99: a log that is looked at while it is rotated again and again; every
// line is shown, once and in order, and the files keep to their number and size.
func TestAttachAcrossRotation(t *testing.T) {
	const requests, size, backups = 600, 17, 5
	h := newHome(t)
	h.change("max_size:     1024", fmt.Sprintf("max_size:     %d", size), "use_console:  True", "use_console:  False")
	server := exec.CommandContext(t.Context(), buildBinary(t), "run", "--user", "--name", "doc", "-e", "test")
	server.Env = h.env
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var r instance.Running
	until(t.Fatalf, "it does not run", func() (ok bool) {
		r, ok = called(h.locations(), config.User, "doc")
		return ok && r.URL != ""
	})
	var shown bytes.Buffer // of a server in the foreground the log file is shown
	attach := exec.CommandContext(t.Context(), buildBinary(t), "attach", "--user", "--name", "doc")
	attach.Env, attach.Stdout = h.env, &shown
	if err := attach.Start(); err != nil {
		t.Fatal(err)
	}
	for n := range requests {
		if status, _ := h.ask("GET", fmt.Sprintf("%s/version/%d", r.URL, n), "", ""); status != http.StatusNotFound {
			t.Fatalf("status %d", status)
		}
	}
	h.end()
	if err := attach.Wait(); err != nil {
		t.Fatalf("%v: %s", err, shown.String())
	}
	_ = server.Wait()
	var got, want []string
	for _, m := range regexp.MustCompile(`GET /api/version/(\d+) `).FindAllStringSubmatch(shown.String(), -1) {
		got = append(got, m[1])
	}
	for n := range requests {
		want = append(want, fmt.Sprint(n))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("shown: %v", got)
	}
	files := append(log.OldFiles(r.Log), r.Log)
	if len(files) < 3 || len(files) > 1+backups {
		t.Errorf("files of the log: %v", files)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Size() > size*1024 {
			t.Errorf("%s: %v %v", file, info.Size(), err)
		}
	}
}
