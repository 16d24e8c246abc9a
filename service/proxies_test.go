package service

import (
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// TestAdvisory_U12_UnknownProxyIsToldAtTheNextStart sends a request that a proxy has forwarded: the log tells which line
// to add, doctor and the next start know it from there, and with the line it is quiet.
func TestAdvisory_U12_UnknownProxyIsToldAtTheNextStart(t *testing.T) {
	inst := configured(t)
	r := start(t, inst)
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.address+"/api/version", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "192.0.2.1")
		reply, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
	}
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	const line = "add this line to the environment in the configuration: trusted_proxies: [127.0.0.1]"
	if n := strings.Count(content(t, inst.LogFile), line); n != 1 {
		t.Errorf("the log tells it %d times:\n%s", n, content(t, inst.LogFile))
	}
	if got := UnknownProxies(inst); len(got) != 1 || got[0].String() != "127.0.0.1" {
		t.Errorf("known afterwards: %v", got)
	}
	if err := start(t, inst).wait(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(content(t, inst.LogFile), line); n != 2 {
		t.Errorf("after the next start the log has it %d times", n)
	}
	inst.Config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if got := UnknownProxies(inst); got != nil {
		t.Errorf("with the line: %v", got)
	}
	if err := os.Remove(inst.LogFile); err != nil {
		t.Fatal(err)
	}
	if got := UnknownProxies(inst); got != nil {
		t.Errorf("without a log: %v", got)
	}
}
