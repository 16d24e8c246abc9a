package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"vserver/service/promise"
)

const furtherMigration = `-- +goose Up
-- expand-only
CREATE TABLE further (id BIGINT);
ALTER TABLE task ADD COLUMN further TEXT;
-- +goose Down
ALTER TABLE task DROP COLUMN further;
DROP TABLE further;
`

// TestServersAreUpgradedOneAfterTheOther stops each of three servers under load and starts it as a later release, whose
// schema has more. No request fails but at the server that goes, and every result is stored.
func TestServersAreUpgradedOneAfterTheOther(t *testing.T) {
	if !promise.Long() {
		t.Skip("a later release is built by make test-long")
	}
	t.Parallel()
	f := newFleet(t, 3)
	later := buildLater(t)
	stop := f.work(t, f.keys)
	defer stop()
	all := []*target{{name: "the balancer", victim: &f.victim}}
	for i, r := range f.replicas {
		all = append(all, &target{name: fmt.Sprint("server ", i), victim: r.victim})
	}
	end := f.ask(t, all)
	for i, r := range f.replicas {
		at := all[i+1]
		at.goes(true)
		all[0].goes(true)
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := r.cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		time.Sleep(2 * time.Second) // until the balancer knows
		all[0].goes(false)
		r.bin = later
		r.start(t)
		at.goes(false)
		if n := f.reads(t, "SELECT COUNT(*) FROM further"); n != 0 {
			t.Error("the later schema is not there")
		}
		time.Sleep(time.Second) // some load on the mixture
	}
	end()
	for _, a := range all {
		t.Logf("%s: %d requests went well, %d failed while a server went", a.name, a.fine, a.excused)
		if a.fine < 100 {
			t.Errorf("%s: %d requests are no load", a.name, a.fine)
		}
		for _, text := range a.failed {
			t.Errorf("%s: %s", a.name, text)
		}
	}
	f.comesTrue(t, "no result is open", promise.Patience, 0, openResults)
	f.isWhole(t)
}

// buildLater builds the program with a further migration.
func buildLater(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file, places := filepath.Join(dir, "further.sql"), map[string]string{}
	for _, engine := range []string{"sqlite", "postgres"} {
		places[filepath.Join(root, "schema", engine, "09999_further.sql")] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": places})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{file: []byte(furtherMigration), filepath.Join(dir, "overlay"): overlay} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "later")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-overlay", filepath.Join(dir, "overlay"), "-o", program, "vserver")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building a later program: %v\n%s", err, out)
	}
	return program
}

// target is where requests are sent to.
type target struct {
	*victim
	name string

	state   sync.Mutex
	going   int // how often it began or ended to go; odd: it goes
	fine    int
	excused int
	failed  []string
}

func (a *target) goes(going bool) {
	a.state.Lock()
	defer a.state.Unlock()
	if (a.going%2 == 1) != going {
		a.going++
	}
}

func (a *target) epoch() int {
	a.state.Lock()
	defer a.state.Unlock()
	return a.going
}

func (a *target) note(before int, what string, status int, err error) {
	a.state.Lock()
	defer a.state.Unlock()
	switch {
	case err == nil && (status == http.StatusOK || status == http.StatusCreated):
		a.fine++
	case before%2 == 1 || a.going != before:
		a.excused++
	default:
		a.failed = append(a.failed, fmt.Sprintf("%s: %d %v", what, status, err))
	}
}

// ask sends requests to all targets until the returned function is called.
func (f *fleet) ask(t *testing.T, all []*target) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for _, a := range all {
		for i := range 2 {
			clients.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					before := a.epoch()
					method, path, body := "GET", "/task?per_page=3", any(nil)
					if n%5 == 0 {
						method, path, body = "POST", "/task", f.taskIn((n/5+i)%4, fmt.Sprintf("task %d", n))
					}
					status, err := a.call(t.Context(), method, path, body, nil)
					a.note(before, method, status, err)
					time.Sleep(20 * time.Millisecond)
				}
			})
		}
	}
	return func() { cancel(); clients.Wait() }
}
