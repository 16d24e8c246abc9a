package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vserver/service/limits"
	"vserver/service/promise"
)

// TestAdvisory_U9_ReadersOfHTTP2WhoTakeNothingAreCut has a client of HTTP/2 read nothing of a large answer, while it goes
// on to ask over the same connection: the answer is cut and counted, the connection is not. Who takes little is waited for.
func TestAdvisory_U9_ReadersOfHTTP2WhoTakeNothingAreCut(t *testing.T) {
	wait := 400 * time.Millisecond
	if promise.Long() {
		wait = takeTime
	}
	const size = 64 << 20
	said := make(chan string, 10)
	crowd := limits.New(limits.Options{Warn: func(text string) { said <- text }})
	ended := make(chan error, 10)
	server := httptest.NewUnstartedServer(patient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			_, _ = io.WriteString(w, "small")
			return
		}
		_, err := w.Write(make([]byte, size))
		ended <- err
	}), wait))
	server.Listener = crowd.Crowd.Watch(server.Listener)
	server.EnableHTTP2, server.Config.ConnContext = true, limits.Keep
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	get := func(path string) io.ReadCloser {
		t.Helper()
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := client.Do(req)
		if err != nil || reply.ProtoMajor != 2 {
			t.Fatalf("%s: %v", path, err)
		}
		return reply.Body
	}

	little := get("/large")
	go func() { // for much longer than anybody may take nothing
		defer func() { _ = little.Close() }()
		for end := time.Now().Add(3 * wait); time.Now().Before(end); time.Sleep(wait / 8) {
			if _, err := io.CopyN(io.Discard, little, 256<<10); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, little)
	}()
	if err := <-ended; err != nil {
		t.Errorf("who takes little: %v", err)
	}

	began := time.Now()
	nothing := get("/large")
	defer func() { _ = nothing.Close() }()
	if err := <-ended; err == nil {
		t.Fatal("who takes nothing has taken all")
	}
	if took := time.Since(began); took < wait || took > promise.Within(wait+5*time.Second) {
		t.Errorf("who takes nothing is cut after %s", took)
	}
	small := get("/small")
	if text, err := io.ReadAll(small); err != nil || string(text) != "small" {
		t.Errorf("the connection goes on: %q, %v", text, err)
	}
	_ = small.Close()
	if n, err := io.Copy(io.Discard, nothing); err == nil {
		t.Errorf("the answer that was cut looks whole after %d bytes", n)
	}
	line := <-said
	if n := crowd.Reached()["silent_readers"]; n != 1 || !strings.Contains(line, "nothing of it was taken for "+wait.String()) {
		t.Errorf("counted %d, told %q", n, line)
	}
	if n := crowd.Crowd.Len(); n != 1 {
		t.Errorf("there are %d connections", n)
	}
}
