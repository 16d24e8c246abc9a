package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// certificates are files of an authority, and of certificates that it signed.
type certificates struct {
	ca              string
	local, localKey string // for localhost and 127.0.0.1
	other, otherKey string // for another name
}

func newCertificates(t testing.TB, dir string) certificates {
	t.Helper()
	c := certificates{
		ca:    filepath.Join(dir, "ca.pem"),
		local: filepath.Join(dir, "local.pem"), localKey: filepath.Join(dir, "local.key"),
		other: filepath.Join(dir, "other.pem"), otherKey: filepath.Join(dir, "other.key"),
	}
	authority := &x509.Certificate{
		Subject: pkix.Name{CommonName: "An authority of tests"}, SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	key := newKey(t)
	der := sign(t, authority, authority, key, key)
	write(t, c.ca, encoded("CERTIFICATE", der))
	for i, leaf := range []struct{ file, key, name string }{{c.local, c.localKey, "localhost"}, {c.other, c.otherKey, "mail.other.example"}} {
		own := newKey(t)
		template := &x509.Certificate{
			Subject: pkix.Name{CommonName: leaf.name}, SerialNumber: big.NewInt(int64(i) + 2), DNSNames: []string{leaf.name},
			NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		if i == 0 {
			template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		write(t, leaf.file, encoded("CERTIFICATE", sign(t, template, authority, own, key)))
		raw, err := x509.MarshalPKCS8PrivateKey(own)
		if err != nil {
			t.Fatal(err)
		}
		write(t, leaf.key, encoded("PRIVATE KEY", raw))
	}
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, leaf, authority *x509.Certificate, own, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, &own.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func encoded(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
