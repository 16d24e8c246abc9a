package vpntest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pem         string
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{certificate: template}
	der, key, err := a.issue(template)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key, encoded("CERTIFICATE", der)}
}

func encoded(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// save writes the certificate of the authority to a file.
func (a *authority) save(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(a.pem), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// issue signs a certificate for a new key; an authority without key signs its own.
func (a *authority) issue(template *x509.Certificate) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-5*time.Minute), time.Now().Add(24*time.Hour)
	var signer crypto.Signer = key
	if a.key != nil {
		signer = a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), signer)
	return der, key, err
}

func (a *authority) serverCertificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	der, key, err := a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// clientPair issues a certificate with its key as a portal does: PEM without a line end
// at the end, the key in PKCS #8.
func (a *authority) clientPair() (certificate, key string, err error) {
	name := make([]byte, 16)
	_, _ = rand.Read(name) // never fails
	der, private, err := a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: hex.EncodeToString(name)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return "", "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return strings.TrimSpace(encoded("CERTIFICATE", der)), strings.TrimSpace(encoded("PRIVATE KEY", pkcs8)), nil
}

// issued checks that a certificate is one of this authority for clients.
func (a *authority) issued(certificate string) error {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		return errors.New("no PEM")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	_, err = c.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}
