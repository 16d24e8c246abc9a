//go:build unix

package service

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"vserver/service/config"
)

// TestAdvisory_U14_TooManyOpenFiles takes the last descriptor of the process: the log has an
// error, a measure counts it, and health is false until there are some again.
func TestAdvisory_U14_TooManyOpenFiles(t *testing.T) {
	inst := configured(t)
	inst.Config.Metrics = &config.Metrics{IP: "127.0.0.1"}
	r := start(t, inst)
	kept := keepAlive(t, r.address)
	if status := kept("/api/health"); !strings.Contains(status, `{"database":true}`) {
		t.Fatalf("before: %s", status)
	}
	measures := keepAlive(t, metricsAddress(t, inst.LogFile))
	measures("/metrics")
	give := takeDescriptors(t)
	defer give()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	healthy := func(want bool) func() bool {
		return func() bool { return strings.Contains(kept("/api/health"), fmt.Sprintf(`{"database":%t}`, want)) }
	}
	holds(t, "health is false", healthy(false))
	holds(t, "the measure", func() bool {
		return strings.Contains(measures("/metrics"), "vserver_connections_without_descriptor_total ") &&
			!strings.Contains(measures("/metrics"), "vserver_connections_without_descriptor_total 0")
	})
	give()
	holds(t, "health is true again", healthy(true))
	text, err := os.ReadFile(inst.LogFile)
	if n := strings.Count(string(text), "too many open files: new connections wait"); err != nil || n != 1 {
		t.Errorf("the log has %d lines about it, %v:\n%s", n, err, text)
	}
}

// metricsAddress takes the address out of the log.
func metricsAddress(t *testing.T, log string) string {
	t.Helper()
	_, rest, _ := strings.Cut(content(t, log), "Metrics are at http://")
	at, _, found := strings.Cut(rest, "/metrics")
	if !found {
		t.Fatal("the log does not say where the metrics are")
	}
	return at
}

// keepAlive asks over one connection, which needs no new descriptor.
func keepAlive(t *testing.T, at string) func(path string) (answer string) {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	in := bufio.NewReader(c)
	return func(path string) string {
		t.Helper()
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
		reply, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reply.Body.Close() }()
		var text strings.Builder
		if _, err := bufio.NewReader(reply.Body).WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
}

// takeDescriptors leaves one descriptor free.
func takeDescriptors(t *testing.T) (give func()) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	low := was
	low.Cur = 256
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	give = func() {
		for _, f := range files {
			_ = f.Close()
		}
		files = nil
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Error(err)
		}
	}
	if len(files) == 0 {
		give()
		t.Fatal("no descriptor could be taken")
	}
	_ = files[0].Close()
	files = files[1:]
	return give
}
