package core

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// Codes of authenticators: RFC 6238 with SHA-1, six digits and periods of 30 seconds, as in
// the reference (/docs/tokens#second-factor).
const (
	// CodeDigits is the length of a code.
	CodeDigits = 6
	codePeriod = 30 * time.Second
	codeDrift  = 1 // periods that a clock may be off
	// secretBytes is the length of a secret: 32 characters of base32.
	secretBytes = 20
	// codeIssuer is what an authenticator shows beside the user's name.
	codeIssuer = "vantage6 (petronas)"
)

func newSecret() string {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails
	return base32.StdEncoding.EncodeToString(raw)
}

// stepAt is the number of the period that a moment is in.
func stepAt(at time.Time) int64 { return at.Unix() / int64(codePeriod/time.Second) }

// stepOf returns the period whose code this is, 0 for none: the present one, the one before or
// the one after, but only one that is later than the last whose code was accepted. A secret of
// which nobody can make codes is an error.
func stepOf(secret, code string, at time.Time, last int64) (step int64, err error) {
	now := stepAt(at)
	for s := now - codeDrift; s <= now+codeDrift; s++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(max(s, 0)), hotp.ValidateOpts{Digits: CodeDigits, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, fmt.Errorf("making codes of a stored secret: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > last {
			step = s
		}
	}
	return step, nil
}

// setUpURI is what the QR code of a secret says. The order and the escapes are those that
// clients and authenticators have seen from the reference.
func setUpURI(username, secret string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s",
		escape(codeIssuer), escape(cmp.Or(username, "Secret")), escape(secret), escape(codeIssuer))
}

// codeText is a code as somebody typed it: without blanks and dashes, letters small, and
// digits of full width as the usual ones. One that is too long to be any is empty.
func codeText(typed string) string {
	const longest = 100
	if len(typed) > longest {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '-':
			return -1
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		}
		return unicode.ToLower(r)
	}, typed)
}

// spentCodes remembers which codes were accepted while that could not be written.
type spentCodes struct {
	mu sync.Mutex
	by map[int64]int64 // the last period, by user
}

func newSpentCodes() *spentCodes { return &spentCodes{by: map[int64]int64{}} }

func (s *spentCodes) last(user int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[user]
}

// add notes a period, and forgets those whose codes are too old for anybody.
func (s *spentCodes) add(user, step int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, at := range s.by {
		if at < step-2*codeDrift-1 {
			delete(s.by, other)
		}
	}
	s.by[user] = step
}
