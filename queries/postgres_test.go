package queries

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is one that has issued two certificates and revoked the first.
func authority(t *testing.T) (issued []*x509.Certificate, root, list []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	from, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: from, NotAfter: until, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}
	for serial := range int64(3) {
		made := ca
		if serial > 0 {
			made = &x509.Certificate{SerialNumber: big.NewInt(1 + serial), Subject: pkix.Name{CommonName: "db"}, NotBefore: from, NotAfter: until}
		}
		der, err := x509.CreateCertificate(rand.Reader, made, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if serial == 0 {
			root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		} else {
			issued = append(issued, cert)
		}
	}
	list, err = x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: from, NextUpdate: until,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(2), RevocationTime: from}},
	}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	return issued, root, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list})
}

// The options of libpq about TLS mean what they mean there.
func TestTLSOfPostgresIsThatOfLibpq(t *testing.T) {
	issued, root, list := authority(t)
	dir := t.TempDir()
	for name, text := range map[string][]byte{"root.pem": root, "crl/list.pem": list, "bad.pem": []byte("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const dsn = "postgres://ada:geheim-7@db,other/v6?sslmode=verify-ca&sslrootcert=DIR/root.pem&ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3"
	for _, crl := range []string{"&sslcrl=DIR/crl/list.pem", "&sslcrldir=DIR/crl", "&sslcrl=DIR/none", ""} {
		settings, err := postgresConfig(strings.ReplaceAll(dsn+crl, "DIR", dir))
		if err != nil {
			t.Fatal(err)
		}
		if len(settings.RuntimeParams) > 0 || len(settings.Fallbacks) != 1 {
			t.Errorf("%s: %v, %d further hosts", crl, settings.RuntimeParams, len(settings.Fallbacks))
		}
		for _, c := range []*tls.Config{settings.TLSConfig, settings.Fallbacks[0].TLSConfig} {
			if c.MinVersion != tls.VersionTLS12 || c.MaxVersion != tls.VersionTLS13 {
				t.Errorf("versions %x to %x", c.MinVersion, c.MaxVersion)
			}
			if crl == "" || strings.Contains(crl, "none") {
				if c.VerifyConnection != nil {
					t.Errorf("%q revokes something", crl)
				}
				continue
			}
			for i, cert := range issued {
				err := c.VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}})
				if (err != nil) != (i == 0) {
					t.Errorf("%s: certificate %d: %v", crl, i, err)
				}
			}
		}
	}
	for options, want := range map[string]string{
		"sslcrl=DIR/bad.pem":                                                       "sslcrl DIR/bad.pem: ",
		"sslmode=verify-full&sslrootcert=DIR/none":                                 "unable to read CA file",
		"ssl_min_protocol_version=TLSv1.4":                                         "must be among TLSv1",
		"sslmode=nonsense":                                                         "sslmode is invalid",
		"target_session_attrs=nonsense":                                            "unknown target_session_attrs",
		"connect_timeout=soon":                                                     "invalid connect_timeout",
		"service=none&servicefile=DIR/root.pem":                                    "failed to read service",
		"sslmode=require&sslrootcert=DIR/none":                                     "",
		"sslcert=DIR/none&sslkey=DIR/none":                                         "",
		"requiressl=1&connect_timeout=-1&replication=0&load_balance_hosts=disable": "",
	} {
		err := CheckPostgres(strings.ReplaceAll("postgres://ada:geheim-7@db/v6?"+options, "DIR", dir))
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), strings.ReplaceAll(want, "DIR", dir)) || strings.Contains(err.Error(), "ada")) {
			t.Errorf("%s: %v, want %s", options, err, want)
		}
	}
	settings, err := postgresConfig("postgres://ada@db/v6?requiressl=1")
	if err != nil || settings.TLSConfig == nil || len(settings.Fallbacks) > 0 {
		t.Errorf("requiressl: %v, %d fallbacks", err, len(settings.Fallbacks))
	}
}
