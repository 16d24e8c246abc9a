package instance

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// A container may show its services another boot than its shells: a server is the same
// one by when it began.
func TestServersAreKnownAcrossBootsOfContainers(t *testing.T) {
	pid := other(t, "echo ready; exec sleep 1000")
	_, ticks, _ := strings.Cut(birth(pid), "/")
	for name, c := range map[string]struct {
		born    string
		started time.Time
		want    bool
	}{
		"now":            {"another-boot/" + ticks, time.Now(), true},
		"before a boot":  {"another-boot/" + ticks, time.Now().Add(-time.Hour), false},
		"another moment": {"another-boot/" + ticks + "0", time.Now(), false},
		"no moment":      {"", time.Now(), false},
	} {
		if got := (Running{PID: pid, Birth: c.born, Started: c.started}).Alive(); got != c.want {
			t.Errorf("%s: alive: %v", name, got)
		}
	}
}

// A process whose first thread has ended goes on, with its ports and locks, until the last one has.
func TestProcessesLiveAsLongAsTheirLastThread(t *testing.T) {
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		t.Skip("there is no " + python)
	}
	const leave = 60 // exit of one thread; the number is that of x86-64
	if runtime.GOARCH != "amd64" {
		t.Skip("the system call has another number here")
	}
	p := exec.Command(python, "-c", fmt.Sprintf("import ctypes, threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nctypes.CDLL(None).syscall(%d, 0)", leave))
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	reaches := func(what string, holds func() bool) {
		t.Helper()
		for end := time.Now().Add(promise.Patience); !holds(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("waited in vain: " + what)
			}
		}
	}
	status := func() string {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
		return string(text)
	}
	reaches("its first thread has ended", func() bool { return strings.Contains(status(), "State:\tZ") })
	if birth(p.Process.Pid) == "" {
		t.Error("it counts as gone, and a thread of it is left")
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	reaches("it is gone, and its parent has not asked yet", func() bool { return birth(p.Process.Pid) == "" })
	if !strings.Contains(status(), "State:\tZ") {
		t.Error("it was collected")
	}
}
