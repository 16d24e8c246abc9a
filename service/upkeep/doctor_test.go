package upkeep

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vserver/service/config"
)

// certificateOfTests is the certificate that the standard library has for tests.
func certificateOfTests(t *testing.T) (files config.TLS, leaf *x509.Certificate) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files = config.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for file, block := range map[string]pem.Block{
		files.Cert: {Type: "CERTIFICATE", Bytes: server.Certificate().Raw}, files.Key: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(&block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files, server.Certificate()
}

func TestCertificateNearsItsEnd(t *testing.T) {
	files, leaf := certificateOfTests(t)
	for at, want := range map[time.Time]Verdict{
		leaf.NotBefore.Add(-time.Hour): Failure, leaf.NotBefore.Add(time.Hour): Sound,
		leaf.NotAfter.Add(-time.Hour): Doubt, leaf.NotAfter.Add(time.Hour): Failure,
	} {
		e := examination{inst: config.Instance{Config: config.Config{TLS: &files}}, now: at}
		if found := e.certificate(t.Context()); len(found) != 1 || found[0].Verdict != want {
			t.Errorf("at %s: %+v, want %s", at, found, want)
		}
	}
}

func TestClockThatWentBack(t *testing.T) {
	file := t.TempDir() + "/c.yaml"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]Verdict{0: Sound, -time.Hour: Failure} {
		e := examination{inst: config.Instance{File: file}, now: time.Now().Add(after)}
		if found := e.clock(t.Context()); len(found) != 1 || found[0].Verdict != want {
			t.Errorf("%s later: %+v, want %s", after, found, want)
		}
	}
}

func TestExistingFolder(t *testing.T) {
	dir := t.TempDir()
	if got := existing(dir + "/a/b"); got != dir {
		t.Error(got)
	}
}
