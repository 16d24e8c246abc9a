package instance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/promise"
)

// somewhere is a machine whose folders are all below a new directory.
func somewhere(t *testing.T) config.Locations {
	t.Helper()
	dir := t.TempDir()
	return config.Locations{
		GOOS: "linux", Home: filepath.Join(dir, "home"), WorkDir: dir, IsDir: func(string) bool { return false },
		Getenv: func(name string) string {
			return map[string]string{"XDG_CONFIG_DIRS": filepath.Join(dir, "etc"), "XDG_DATA_DIRS": filepath.Join(dir, "share")}[name]
		},
	}
}

func named(name string, scope config.Scope) config.Instance {
	return config.Instance{Name: name, Scope: scope, File: fmt.Sprintf("/etc/%s-%s.yaml", scope, name), LogFile: "/log", Config: config.Config{Environment: "test", APIPath: "/api"}}
}

// leave puts a record of another process in place.
func leave(t *testing.T, locations config.Locations, name string, pid int, born string) Running {
	t.Helper()
	c := Claim{r: NewRunning(named(name, config.User))}
	c.r.PID, c.r.Birth, c.r.URL = pid, born, "http://127.0.0.1:1/api"
	c.file = c.r.stateFile(locations)
	if err := os.MkdirAll(filepath.Dir(c.file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := c.write(); err != nil {
		t.Fatal(err)
	}
	return c.r
}

// leavesNothing fails the test when a server has left files in the folder of its record.
func leavesNothing(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRunningIsFoundWhileItRuns(t *testing.T) {
	locations := somewhere(t)
	if _, ok := Find(locations, named("x", config.User)); ok {
		t.Fatal("found before it runs")
	}
	claim, err := Acquire(locations, named("x", config.User), "/console")
	if err != nil {
		t.Fatal(err)
	}
	other, err := Acquire(locations, named("x", config.System), "")
	if err != nil {
		t.Fatal("the same name in the other scope:", err)
	}
	defer other.Release()
	if err := claim.Serving(config.Config{APIPath: "/v1"}, &net.TCPAddr{IP: net.IPv4zero, Port: 5099}, nil); err != nil {
		t.Fatal(err)
	}
	r, ok := Find(locations, named("x", config.User))
	if !ok || r.URL != "http://127.0.0.1:5099/v1" || r.PID != os.Getpid() || r.Environment != "test" || r.Console != "/console" {
		t.Errorf("found %v: %+v", ok, r)
	}
	if r.FullName() != "vantage6-x-user-server" {
		t.Error(r.FullName())
	}
	info, err := os.Stat(claim.file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("record: %v %v", info, err)
	}
	if all := FindAll(locations, config.System, config.User); len(all) != 2 || all[0].Scope != config.System || all[1].PID != r.PID {
		t.Errorf("all: %+v", all)
	}
	claim.Release()
	if _, ok := Find(locations, named("x", config.User)); ok {
		t.Error("found after it ended")
	}
	leavesNothing(t, filepath.Dir(claim.file))
}

func TestOneOfManyStartsWins(t *testing.T) {
	locations := somewhere(t)
	leave(t, locations, "x", os.Getpid(), "another life")
	var won, lost atomic.Int32
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range 50 {
		all.Go(func() {
			<-begin
			_, err := Acquire(locations, named("x", config.User), "")
			var already AlreadyRunning
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &already) && err.Error() == "Server x is already running":
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if won.Load() != 1 || lost.Load() != 49 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

func TestStaleRecordsAreRemoved(t *testing.T) {
	ended := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pid  int
		born string
	}{
		"dead":    {ended.Process.Pid, "x"},
		"another": {os.Getpid(), "not " + birth(os.Getpid())},
	} {
		locations := somewhere(t)
		r := leave(t, locations, name, c.pid, c.born)
		if r.Alive() {
			t.Errorf("%s: alive", name)
		}
		if _, ok := Find(locations, named(name, config.User)); ok {
			t.Errorf("%s: found", name)
		}
		leavesNothing(t, stateDir(locations, config.User, name))
		claim, err := Acquire(locations, named(name, config.User), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if removeStale(claim.file, r); !exists(claim.file) { // found stale before the start, removed after it
			t.Errorf("%s: the record of its successor was removed with it", name)
		}
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func TestUnreadableRecordIsReplaced(t *testing.T) {
	locations := somewhere(t)
	r := leave(t, locations, "x", 1, "")
	file := r.stateFile(locations)
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	claim, err := Acquire(locations, named("x", config.User), "")
	if err != nil {
		t.Fatal(err)
	}
	claim.Release()
}

func TestStopByFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".stop-1")
	seen := make(chan struct{})
	go func() {
		awaitFile(t.Context(), file)
		close(seen)
	}()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case <-seen:
	case <-time.After(promise.Patience):
		t.Fatal("not seen")
	}
	if exists(file) {
		t.Error("the file is left")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	awaitFile(ctx, file) // returns, although no file comes
}

func TestURL(t *testing.T) {
	for _, c := range []struct {
		conf    config.Config
		address string
		want    string
	}{
		{config.Config{IP: "0.0.0.0", Port: 5000, APIPath: "/api"}, "", "http://127.0.0.1:5000/api"},
		{config.Config{IP: "", Port: 80}, "", "http://127.0.0.1:80"},
		{config.Config{IP: "::", Port: 5000, APIPath: "/api"}, "", "http://[::1]:5000/api"},
		{config.Config{IP: "10.1.2.3", Port: 0, APIPath: "/x/y"}, "10.1.2.3:4711", "http://10.1.2.3:4711/x/y"},
		{config.Config{IP: "server.example", Port: 443, TLS: &config.TLS{}}, "", "https://server.example:443"},
		{config.Config{IP: "0.0.0.0"}, "[::]:77", "http://127.0.0.1:77"},
		{config.Config{IP: "::"}, "[::]:77", "http://[::1]:77"},
	} {
		if got := URL(c.conf, c.address); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.conf.IP, c.address, got, c.want)
		}
	}
}

// Some systems do not let a file be replaced while another process reads it.
func TestRecordIsWrittenAlthoughItCannotBeReplacedAtOnce(t *testing.T) {
	locations := somewhere(t)
	c := Claim{r: NewRunning(named("x", config.User))}
	c.file = c.r.stateFile(locations)
	inTheWay := filepath.Join(c.file, "reader")
	if err := os.MkdirAll(inTheWay, 0o750); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = os.RemoveAll(c.file) })
	if err := c.write(); err != nil {
		t.Fatal(err)
	}
	if r, err := parseRunning(c.file); err != nil || !r.same(c.r) {
		t.Errorf("%+v, %v", r, err)
	}
}

// A record that cannot be read at the moment is not one without a process.
func TestUnreadableRecordIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".running-x.json")
	if err := os.MkdirAll(file, 0o750); err != nil { // reading a folder fails
		t.Fatal(err)
	}
	if _, ok := readRunning(file); ok || !exists(file) {
		t.Errorf("read: %v, there: %v", ok, exists(file))
	}
}

// A slow start answers a moment before its record is complete: what it warned of is
// not lost then.
func TestAwaitReturnsTheWarningsOfASlowStart(t *testing.T) {
	locations, inst := somewhere(t), named("x", config.User)
	claim, err := Acquire(locations, inst, "")
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	var at net.Addr
	var once sync.Once
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"version": "3.7.3"}`))
		once.Do(func() {
			time.AfterFunc(50*time.Millisecond, func() { _ = claim.Serving(inst.Config, at, []string{"beware"}) })
		})
	}))
	at = web.Listener.Addr()
	web.Start()
	defer web.Close()
	inst.Config.IP, inst.Config.Port = "127.0.0.1", at.(*net.TCPAddr).Port
	r, err := Await(t.Context(), locations, inst)
	if err != nil || !slices.Equal(r.Warnings, []string{"beware"}) {
		t.Errorf("%+v, %v", r, err)
	}
}
