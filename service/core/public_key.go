package core

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"vserver/queries"
	"vserver/service/fault"
)

// TextNoRSAKey is what is wrong with a public key that nobody can encrypt with.
const TextNoRSAKey = "holds no RSA public key in PEM, so nobody can encrypt anything for this organization"

// ParsePublicKey reads a public key as it is sent: standard base64 of PEM, or the PEM
// itself. White space in base64 does not count. The empty text is the empty key.
func ParsePublicKey(text string) ([]byte, error) {
	key := []byte{}
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN ") {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, errors.New("has damaged PEM")
		}
		key = pem.EncodeToMemory(block)
	} else {
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, errors.New("has to be a public key in PEM, or its standard base64 with padding")
		}
		key = append(key, decoded...)
	}
	if block, _ := pem.Decode(key); block != nil && strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, errors.New("is a private key, which nobody else may have: send the public one")
	}
	return key, nil
}

// HoldsRSAKey reports whether clients can encrypt with a public key.
func HoldsRSAKey(key []byte) bool {
	block, _ := pem.Decode(key)
	if block == nil {
		return false
	}
	if parsed, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		_, is := parsed.(*rsa.PublicKey)
		return is
	}
	_, err := x509.ParsePKCS1PublicKey(block.Bytes)
	return err == nil
}

// CheckPublicKey judges the new public key of an organization: one that nobody can encrypt
// with is refused to a member of an encrypted collaboration, and else a warning in the log.
func (t *Tx) CheckPublicKey(ctx context.Context, o queries.Organization) error {
	if len(o.PublicKey) == 0 || HoldsRSAKey(o.PublicKey) {
		return nil
	}
	encrypted, err := t.IsInEncrypted(ctx, o.ID)
	if err != nil {
		return fmt.Errorf("looking for encrypted collaborations: %w", err)
	}
	if encrypted {
		return fault.New(fault.Invalid, "public_key: %s, which is a member of an encrypted collaboration", TextNoRSAKey)
	}
	name := shown(value(o.Name))
	t.OnCommit(func() { t.core.log.Warn().Msgf("The public key of organization %s %s", name, TextNoRSAKey) })
	return nil
}
