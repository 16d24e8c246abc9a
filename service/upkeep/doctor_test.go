package upkeep

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"vserver/queries"
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

// TestDoctorMissesTheNameBehindAProxy: pages by a name that no setting has are refused.
func TestDoctorMissesTheNameBehindAProxy(t *testing.T) {
	proxied := config.Config{
		TrustedProxies:     []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		CORSAllowedOrigins: config.Origins{List: []string{"http://localhost:5000", "http://10.0.0.1:5000", "http://[::1]:5000"}},
	}
	direct, public, listed := proxied, proxied, proxied
	direct.TrustedProxies = nil
	public.PublicURL = []string{"https://v6.example.org"}
	listed.CORSAllowedOrigins.List = []string{"https://v6.example.org"}
	for name, c := range map[string]struct {
		config config.Config
		want   Verdict
	}{"proxy": {proxied, Doubt}, "no proxy": {direct, Sound}, "public_url": {public, Sound}, "listed": {listed, Sound}} {
		e := examination{inst: config.Instance{Config: c.config}}
		if found := e.cors(t.Context()); len(found) != 1 || found[0].Verdict != c.want {
			t.Errorf("%s: %+v, want %s", name, found, c.want)
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

// TestDoctorLooksAtAllFilesOfTheDatabase: what lies beside it holds the same secrets.
func TestDoctorLooksAtAllFilesOfTheDatabase(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: rights are no modes on Windows")
	}
	for _, open := range []string{"", "-wal", "-shm"} {
		inst := config.Instance{File: filepath.Join(t.TempDir(), "c.yaml")}
		inst.Database.Engine, inst.Database.Path = config.SQLite, filepath.Join(t.TempDir(), "d.sqlite")
		for _, file := range append(queries.SQLiteFiles(inst.Database.Path), inst.File) {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		e := examination{inst: inst}
		if found := e.permissions(t.Context()); len(found) != 1 || found[0].Verdict != Sound {
			t.Errorf("private files: %+v", found)
		}
		file := inst.Database.Path + open
		if err := os.Chmod(file, 0o640); err != nil {
			t.Fatal(err)
		}
		if found := e.permissions(t.Context()); len(found) != 1 || found[0].Verdict != Doubt || !strings.Contains(found[0].Text, file) {
			t.Errorf("%s is open: %+v", file, found)
		}
	}
}

// TestDoctorAdvisesABackupForDamageOnly: what is not damaged is not lost.
func TestDoctorAdvisesABackupForDamageOnly(t *testing.T) {
	inst := config.Instance{}
	inst.Database.Engine, inst.Database.Path = config.SQLite, filepath.Join(t.TempDir(), "d.sqlite")
	e := examination{inst: inst}
	for name, c := range map[string]struct {
		lay     func() error
		restore bool
	}{
		"damaged":  {func() error { return os.WriteFile(inst.Database.Path, bytes.Repeat([]byte("x\x00"), 4096), 0o600) }, true},
		"a folder": {func() error { return os.Mkdir(inst.Database.Path, 0o700) }, false},
	} {
		if err := errors.Join(os.RemoveAll(inst.Database.Path), c.lay()); err != nil {
			t.Fatal(err)
		}
		found := e.database(t.Context())
		if len(found) != 1 || found[0].Verdict != Failure || strings.Contains(found[0].Advice, "restore") != c.restore {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
