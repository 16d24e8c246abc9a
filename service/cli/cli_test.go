package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vserver/queries/dbtest"
	"vserver/service/freeport"
	"vserver/service/promise"
	"vserver/service/vpn/vpntest"
)

// The scripts run the command line as users do, each in a folder and a home of its
// own, with free ports in $PORT and $METRICS_PORT and the files of the documentation in $DOCUMENTED.
// With [postgres] there is the URI of an empty database in $POSTGRES, and with
// $FORWARDED set, requests claim to come from there. Beside the commands of testscript
// they have:
//
//	api METHOD PATH STATUS [BODY]  calls the server on $PORT and prints its reply
//	login USERNAME PASSWORD        keeps the user's token for api
//	login API-KEY                  keeps the node's token for api
//	authenticate USERNAME PASSWORD  the same with a code of an authenticator
//	resetfactor FILE               gives the authenticator the secret that a token in a file gets
//	await FILE TEXT                waits until a file has a text
//	terminate                      sends SIGTERM to everything in the background
//	waitfor SCOPE NAME             waits until a server that another command starts answers
//	portal                         starts an eduVPN portal at $PORTAL, with the authority of $PORTAL_CA
//	kill9 SCOPE NAME               ends a server without a chance to tidy up
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files:               scripts(t),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Setup: func(e *testscript.Env) error {
			e.Setenv("VSERVER", buildBinary(t))
			e.Setenv("PATH", filepath.Dir(buildBinary(t))+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("POSTGRES", postgres(t))
			old, err := filepath.Abs("../../queries/dbtest/testdata")
			if err != nil {
				return err
			}
			e.Setenv("OLD", old) // databases of 3.x servers
			return setUp(e)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"api":          api,
			"authenticate": authenticate,
			"await":        await,
			"eventually":   eventually,
			"kill9":        kill9,
			"login":        login,
			"portal":       func(ts *testscript.TestScript, _ bool, _ []string) { portal(t, ts) },
			"resetfactor":  resetfactor,
			"terminate":    terminate,
			"waitfor":      waitfor,
		},
	})
}

// scripts lists the scripts that have to do with the database that the tests run on: with
// PostgreSQL those that name it, else all.
func scripts(t *testing.T) []string {
	all, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || os.Getenv("VSERVER_TEST_POSTGRES") == "" {
		return all
	}
	return slices.DeleteFunc(all, func(name string) bool {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return !strings.Contains(strings.ToLower(string(text)), "postgres")
	})
}

var empty dbtest.Template

// postgres returns the URI of a database as a configuration has it, "" when the tests
// are to run on SQLite.
func postgres(t *testing.T) string {
	if os.Getenv("VSERVER_TEST_POSTGRES") == "" {
		return ""
	}
	_, rest, _ := strings.Cut(empty.Copy(t).DSN, "://")
	return "postgresql://" + rest
}

func setUp(e *testscript.Env) error {
	documented := filepath.Join(e.WorkDir, "documented")
	if err := os.MkdirAll(documented, 0o750); err != nil {
		return err
	}
	for name, from := range map[string]string{
		"doc.yaml": "../config/testdata/documentation.yaml", "import.yaml": "../batch/testdata/documentation.yaml",
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(documented, name), text, 0o600); err != nil {
			return err
		}
	}
	if err := writeSnippets(documented); err != nil {
		return err
	}
	port, err := freeport.Next(context.Background())
	if err != nil {
		return err
	}
	another, err := freeport.Next(context.Background())
	if err != nil {
		return err
	}
	home := filepath.Join(e.WorkDir, "home")
	e.Setenv("HOME", home)
	e.Setenv("USERPROFILE", home)
	e.Setenv("XDG_CONFIG_DIRS", filepath.Join(e.WorkDir, "etc"))
	e.Setenv("XDG_DATA_DIRS", filepath.Join(e.WorkDir, "share"))
	e.Setenv("DOCUMENTED", documented)
	e.Setenv("PORT", strconv.Itoa(port))
	e.Setenv("METRICS_PORT", strconv.Itoa(another))
	e.Setenv("XDG_RUNTIME_DIR", os.Getenv("XDG_RUNTIME_DIR")) // of the user's systemd
	e.Setenv("USER_HOME", os.Getenv("HOME"))
	e.Defer(func() { stopAll(e.T(), e.Getenv) }) // what a failed script leaves behind
	e.Defer(func() { forgetService(port) })
	return nil
}

// condition knows what testscript does not: postgres, when the tests are to run on
// PostgreSQL; systemd, when the user who runs them has one; root, when that user is root; namespaces, when that user
// may make a network.
func condition(word string) (bool, error) {
	switch word {
	case "postgres":
		return os.Getenv("VSERVER_TEST_POSTGRES") != "", nil
	case "systemd":
		ctx, cancel := context.WithTimeout(context.Background(), promise.Patience)
		defer cancel()
		return exec.CommandContext(ctx, "systemctl", "--user", "show-environment").Run() == nil, nil
	case "root":
		return os.Geteuid() == 0, nil
	case "namespaces":
		return exec.Command("unshare", "-rn", "ip", "link", "set", "lo", "up").Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %s", word)
}

// forgetService removes what a script that failed has left in the user's systemd.
func forgetService(port int) {
	name := fmt.Sprintf("vserver@test-%d.service", port)
	file := filepath.Join(os.Getenv("HOME"), ".config/systemd/user", name)
	if _, err := os.Stat(file); err != nil {
		return
	}
	_ = exec.Command("systemctl", "--user", "disable", "--now", name).Run()
	_ = os.Remove(file)
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: await FILE TEXT")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(promise.Patience); ; <-tick.C {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not have %q: %v\n%s", args[0], args[1], err, text)
		}
	}
}

func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) > 0 || neg {
		ts.Fatalf("usage: terminate")
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

func login(ts *testscript.TestScript, neg bool, args []string) {
	path, body := "/token/user", map[string]string{}
	switch len(args) {
	case 1:
		path, body["api_key"] = "/token/node", args[0]
	case 2:
		body["username"], body["password"] = args[0], args[1]
	default:
		ts.Fatalf("usage: login USERNAME PASSWORD | login API-KEY")
	}
	text, err := json.Marshal(body)
	ts.Check(err)
	status, reply := call(ts, http.MethodPost, path, text)
	var got struct {
		Token string `json:"access_token"`
	}
	if (status == http.StatusOK) == neg {
		ts.Fatalf("%d %s", status, reply)
	}
	if !neg {
		ts.Check(json.Unmarshal(reply, &got))
	}
	ts.Setenv("TOKEN", got.Token)
}

func portal(t *testing.T, ts *testscript.TestScript) {
	p := vpntest.Start(t)
	ts.Setenv("PORTAL", p.URL())
	ts.Setenv("PORTAL_CA", p.CAFile)
}

func api(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || neg {
		ts.Fatalf("usage: api METHOD PATH STATUS [BODY]")
	}
	var body []byte
	if len(args) > 3 {
		body = []byte(args[3])
	}
	status, reply := call(ts, args[0], args[1], body)
	if fmt.Sprint(status) != args[2] {
		ts.Fatalf("%d %s", status, reply)
	}
	_, _ = fmt.Fprintf(ts.Stdout(), "%s\n", reply)
}

// call waits until the server answers.
func call(ts *testscript.TestScript, method, path string, body []byte) (int, []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), promise.Patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1:"+ts.Getenv("PORT")+"/api"+path, bytes.NewReader(body))
		ts.Check(err)
		req.Header.Set("Content-Type", "application/json")
		if token := ts.Getenv("TOKEN"); token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		if from := ts.Getenv("FORWARDED"); from != "" {
			req.Header.Set("X-Forwarded-For", from)
		}
		reply, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err == nil {
			text, err := io.ReadAll(reply.Body)
			_ = reply.Body.Close()
			ts.Check(err)
			return reply.StatusCode, text
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("no answer: %v", err)
		}
	}
}
