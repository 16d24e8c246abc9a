package core

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vserver/queries"
)

// Key is the key that seals what must not be read in the database
// (/docs/configuration#secret-key).
type Key struct {
	Name string // where it comes from, for messages
	// Read returns it. With first, nothing is sealed yet, and a key that is not there may
	// be made.
	Read func(first bool) ([]byte, error)
}

// sealedMark begins a sealed text; no base32 text has a colon.
const sealedMark = "v1:"

// sealer seals secrets of users, each for one user only, and makes digests of codes that
// nobody can try out who has only the database.
type sealer struct {
	aead     cipher.AEAD
	digester []byte
	proof    []byte // tells this key from others, and nothing about it
}

func newSealer(key []byte) (*sealer, error) {
	derive := func(use string) ([]byte, error) { return hkdf.Key(sha256.New, key, nil, use, sha256.Size) }
	secrets, err1 := derive("second factor: secrets")
	digester, err2 := derive("second factor: recovery codes")
	proof, err3 := derive("second factor: proof of the key")
	if err := firstError(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("deriving keys: %w", err)
	}
	block, err := aes.NewCipher(secrets)
	if err != nil {
		return nil, fmt.Errorf("preparing a key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("preparing a key: %w", err)
	}
	return &sealer{aead, digester, proof}, nil
}

func (s *sealer) seal(user int64, secret string) string {
	return sealedMark + base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(secret), owner(user))) //nolint:gosec // this cipher makes its nonce itself
}

// unseal returns what was sealed for a user. A text that is not sealed is from before there was
// a key, and returned as it is.
func (s *sealer) unseal(user int64, stored string) (string, error) {
	text, sealed := strings.CutPrefix(stored, sealedMark)
	if !sealed {
		return stored, nil
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("reading a sealed secret: %w", err)
	}
	secret, err := s.aead.Open(nil, nil, raw, owner(user))
	if err != nil {
		return "", errors.New("a sealed secret was sealed with another key, or for another user")
	}
	return string(secret), nil
}

// owner binds what is sealed to a user.
func owner(user int64) []byte { return fmt.Appendf(nil, "user %d", user) }

// digest is the stored form of a recovery code.
func (s *sealer) digest(user int64, code string) string {
	mac := hmac.New(sha256.New, s.digester)
	mac.Write(owner(user))
	mac.Write([]byte{0})
	mac.Write([]byte(code))
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

// use reads the key. With first, nothing is sealed with any key yet.
func (k Key) use(first bool) (*sealer, error) {
	if k.Read == nil {
		return nil, fmt.Errorf("%w: secret_key is not set in the configuration; it takes at least 32 random bytes", ErrNoKey)
	}
	key, err := k.Read(first)
	switch {
	case err != nil && first:
		return nil, fmt.Errorf("%w: %w", ErrNoKey, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w: %s", ErrNoKey, err, keyRemedy)
	}
	return newSealer(key)
}

func (k Key) another() error {
	return fmt.Errorf("%w: those of this database are sealed with another key than that of %s: %s", ErrNoKey, k.Name, keyRemedy)
}

// CheckKey reports whether a key is the one that second factors of a database are sealed with,
// and changes nothing. Where nothing is sealed, every key is right.
func CheckKey(ctx context.Context, db *queries.DB, k Key) error {
	proof, err := db.GetSecret(ctx, keyProof)
	if queries.Missing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking which key seals second factors: %w", err)
	}
	s, err := k.use(false)
	if err == nil && !hmac.Equal(proof, s.proof) {
		err = k.another()
	}
	return err
}

// keyProof is the name of the row that tells with which key this database is sealed.
const keyProof = "second_factor_key"

// HasSealed reports whether a database with secrets of these names holds second factors that are sealed.
func HasSealed(secrets []string) bool { return slices.Contains(secrets, keyProof) }

// sealer returns what secrets of this database are sealed with. It reads the key when it is
// needed for the first time.
func (c *Core) sealer(ctx context.Context) (s *sealer, err error) {
	if s = c.sealing.Load(); s != nil {
		return s, nil
	}
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		s, err = t.readKey(ctx)
		return err
	})
	return s, err
}

// readKey is Core.sealer within a transaction. The first key that a database has is kept in
// mind there, by a proof; another one is an error that says what to do.
func (t *Tx) readKey(ctx context.Context) (*sealer, error) {
	if s := t.core.sealing.Load(); s != nil {
		return s, nil
	}
	proof, err := t.GetSecret(ctx, keyProof)
	first := queries.Missing(err)
	if err != nil && !first {
		return nil, fmt.Errorf("looking which key seals second factors: %w", err)
	}
	s, err := t.core.set.Key.use(first)
	if err != nil {
		return nil, err
	}
	if first {
		proof, err = t.keepProof(ctx, s.proof)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("noting which key seals second factors: %w", err)
	case !hmac.Equal(proof, s.proof):
		return nil, t.core.set.Key.another()
	}
	t.OnCommit(func() { t.core.sealing.Store(s) })
	return s, nil
}

// keepProof stores the proof of a key, unless another server was first, and returns what is stored.
func (t *Tx) keepProof(ctx context.Context, proof []byte) ([]byte, error) {
	if err := t.InsertSecret(ctx, keyProof, proof); err != nil {
		return nil, err
	}
	return t.GetSecret(ctx, keyProof)
}

// ErrNoKey says that the key of the second factors is not there or another one.
var ErrNoKey = errors.New("the key of the second factors cannot be used")

// keyRemedy is what to do about it.
const keyRemedy = "put the former key back; when it is lost, `vserver user reset-2fa --all` forgets all second factors, and users set up new ones"
