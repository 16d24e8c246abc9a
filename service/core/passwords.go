package core

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"vserver/queries"
	"vserver/service/fault"
)

const (
	// bcryptCost is the reference's; hashes of both servers have to pass on both.
	bcryptCost = 12
	// bcryptBytes is all that bcrypt looks at; Go refuses more, the reference cuts.
	bcryptBytes = 72
)

// dummy is compared with when there is no user, so that both cases take the same
// time; nothing ever matches it.
func (c *Core) dummy() string {
	return fmt.Sprintf("$2a$%02d$RuSFJwYynb7pgw2ZxeLIXe6tF9ASSnF9gzWpY4qXWNMV5nYdUUlOC", c.set.PasswordCost)
}

// CheckPasswordPolicy is the policy of passwords (/docs/tokens#password-policy), in its order.
func CheckPasswordPolicy(password string) error {
	n := utf8.RuneCountInString(password)
	has := func(set string) bool { return strings.ContainsAny(password, set) }
	plain := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	for _, rule := range []struct {
		ok  bool
		msg string
	}{
		{n >= 8, "Password too short: use at least 8 characters with mixed lowercase, uppercase, numbers and special characters"},
		{n <= 128, "Password too long: use at most 128 characters"},
		{has("0123456789"), "Password should contain at least one number"},
		{has("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "Password should contain at least one uppercase letter"},
		{has("abcdefghijklmnopqrstuvwxyz"), "Password should contain at least one lowercase letter"},
		{strings.ContainsFunc(password, func(r rune) bool { return !plain(r) }), "Password should contain at least one special character"},
	} {
		if !rule.ok {
			return fault.New(fault.Invalid, "%s", rule.msg)
		}
	}
	return nil
}

// HashPassword returns the stored form of a password without waiting for a turn, for
// commands that have the machine to themselves.
func (c *Core) HashPassword(password string) (string, error) {
	return hashAt(password, c.set.PasswordCost)
}

func hashAt(password string, cost int) (string, error) {
	h, err := bcrypt.GenerateFromPassword(cut(password), cost)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return "$2b$" + strings.TrimPrefix(string(h), "$2a$"), nil
}

func cut(password string) []byte {
	b := []byte(password)
	return b[:min(len(b), bcryptBytes)]
}

// hash returns the stored form of a password, in the turn of an account: 0 stands for who
// holds the database itself.
func (c *Core) hash(ctx context.Context, account int64, password string) (string, error) {
	leave, err := c.turn(ctx, askerOf(account))
	if err != nil {
		return "", err
	}
	defer leave()
	return hashAt(password, c.set.PasswordCost)
}

// matches compares a password with a stored hash in somebody's turn; without a hash it
// takes the same time and does not match.
func (c *Core) matches(ctx context.Context, by asker, stored *string, password string) (bool, error) {
	leave, err := c.turn(ctx, by)
	if err != nil {
		return false, err
	}
	defer leave()
	hash := c.dummy()
	if stored != nil {
		hash = *stored
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), cut(password)) == nil && stored != nil, nil
}

// HashNewPassword returns the stored form of a password, at the cost that is set.
func (c *Core) HashNewPassword(ctx context.Context, password string) (string, error) {
	return c.hash(ctx, 0, password)
}

// PasswordMatches compares a password with a stored form; nil matches nothing.
func (c *Core) PasswordMatches(ctx context.Context, stored *string, password string) (bool, error) {
	return c.matches(ctx, askerOf(0), stored, password)
}

// digestKey reads the key of the API key digests, made once for a database.
func digestKey(ctx context.Context, tx *queries.Tx) ([]byte, error) {
	const name = "api_key_digest"
	fresh := make([]byte, sha256.Size)
	_, _ = rand.Read(fresh)
	if err := tx.InsertSecret(ctx, name, fresh); err != nil {
		return nil, fmt.Errorf("keeping the key of the digests: %w", err)
	}
	key, err := tx.GetSecret(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reading the key of the digests: %w", err)
	}
	return key, nil
}

// DigestAPIKey returns the stored form of a node's API key: a keyed digest, so that a
// log-in is one indexed read (/docs/tokens#node).
func (c *Core) DigestAPIKey(key string) string {
	mac := hmac.New(sha256.New, c.digester)
	mac.Write([]byte(key))
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}
