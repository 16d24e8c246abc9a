package service

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/config"
)

// renew writes a certificate with a serial number into a folder.
func renew(t *testing.T, files config.TLS, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, &x509.Certificate{SerialNumber: big.NewInt(serial)}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]pem.Block{
		files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(&block), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(1_000_000+serial, 0)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func certificateFiles(t *testing.T) config.TLS {
	dir := t.TempDir()
	return config.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
}

func TestCertificateIsReadAnew(t *testing.T) {
	files := certificateFiles(t)
	renew(t, files, 1)
	var log bytes.Buffer
	c, err := newCertificate(files, zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	shows := func(when string, serial int64) {
		t.Helper()
		now = now.Add(2 * checkEvery)
		if got := c.current(now).Leaf.SerialNumber.Int64(); got != serial {
			t.Errorf("%s: certificate %d, want %d", when, got, serial)
		}
	}
	shows("at first", 1)
	renew(t, files, 2)
	shows("renewed", 2)
	if err := os.WriteFile(files.Cert, []byte("half a cert"), 0o600); err != nil {
		t.Fatal(err)
	}
	shows("broken", 2)
	if strings.Count(log.String(), "cannot be used") != 1 {
		t.Errorf("the log: %s", log.String())
	}
	if err := os.Remove(files.Cert); err != nil {
		t.Fatal(err)
	}
	shows("gone", 2)
	renew(t, files, 3)
	shows("there again", 3)
}

func TestRunWithTLS(t *testing.T) {
	inst := configured(t)
	files := certificateFiles(t)
	renew(t, files, 7)
	inst.Config.TLS = &files
	r := start(t, inst)
	roots := x509.NewCertPool()
	text, err := os.ReadFile(files.Cert)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+r.address+"/api/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = reply.Body.Close()
	if reply.StatusCode != http.StatusOK || reply.Header.Get("Strict-Transport-Security") == "" || reply.ProtoMajor != 2 {
		t.Errorf("%s %v", reply.Status, reply.Header)
	}
	old, err := tls.Dial("tcp", r.address, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if err == nil {
		_ = old.Close()
		t.Error("TLS 1.1 was taken")
	}
	if err := r.wait(); err != nil {
		t.Error(err)
	}
}
