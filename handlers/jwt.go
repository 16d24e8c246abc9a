package handlers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"vserver/service/fault"
)

// nbfSlack puts `nbf` into the past, so that a clock that was set back by up to a
// day locks nobody out (/docs/tokens#claims, /docs/reliability#r5).
const nbfSlack = 90_000 * time.Second

// The two types of tokens.
const (
	accessToken  = "access"
	refreshToken = "refresh"
)

// claims are the claims of every token (/docs/tokens#claims). `sub` is a number or an
// object, which jwt's own claims cannot hold.
type claims struct {
	Fresh      bool             `json:"fresh"`
	IssuedAt   *jwt.NumericDate `json:"iat"`
	NotBefore  *jwt.NumericDate `json:"nbf"`
	ID         string           `json:"jti"`
	Type       string           `json:"type"`
	Subject    json.RawMessage  `json:"sub"`
	ExpiresAt  *jwt.NumericDate `json:"exp,omitempty"`
	ClientType string           `json:"client_type"`
	Roles      []string         `json:"roles"`
	// The account's counters at the time of issue (/docs/tokens#lives).
	Generation int64 `json:"gen,omitempty"`
	Era        int64 `json:"era,omitempty"`
}

// The methods that make claims a jwt.Claims. Validity is checked by tokens.verify,
// whose order and texts are the contract's.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.ExpiresAt, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.IssuedAt, nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return c.NotBefore, nil }
func (c *claims) GetIssuer() (string, error)                   { return "", nil }
func (c *claims) GetSubject() (string, error)                  { return "", nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// containerSubject is the `sub` of a container's token.
type containerSubject struct {
	ClientType      string  `json:"client_type"`
	NodeID          int64   `json:"node_id"`
	OrganizationID  int64   `json:"organization_id"`
	CollaborationID int64   `json:"collaboration_id"`
	TaskID          int64   `json:"task_id"`
	Image           string  `json:"image"`
	Database        *string `json:"database"`
}

// tokens makes and verifies JSON Web Tokens with one key.
type tokens struct {
	secret                []byte
	accessFor, refreshFor time.Duration
	parser                *jwt.Parser
	cache                 *tokenCache
}

func newTokens(o Options) tokens {
	return tokens{
		secret: o.Secret, accessFor: o.AccessFor, refreshFor: o.RefreshFor,
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation()),
		cache:  &tokenCache{by: map[string]*claims{}},
	}
}

// sign completes the claims and makes the token; life 0 means without end.
func (t tokens) sign(c claims, life time.Duration) (string, error) {
	now := time.Now().Truncate(time.Second)
	c.IssuedAt = jwt.NewNumericDate(now)
	c.NotBefore = jwt.NewNumericDate(now.Add(-nbfSlack))
	c.ID = uuid.NewString()
	if c.Roles == nil {
		c.Roles = []string{}
	}
	if life > 0 {
		c.ExpiresAt = jwt.NewNumericDate(now.Add(life))
	}
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, &c).SignedString(t.secret)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return s, nil
}

// verify checks form, signature, times and subject, in the order and with the
// faults of /docs/tokens#faults.
func (t tokens) verify(token string) (*claims, error) {
	c := t.cache.get(token)
	if c == nil {
		var err error
		if c, err = t.read(token); err != nil {
			return nil, err
		}
		t.cache.put(token, c)
	}
	now := time.Now()
	switch {
	case c.ExpiresAt != nil && !now.Before(c.ExpiresAt.Time):
		return nil, fault.New(fault.Unauthorized, "Token has expired")
	case c.NotBefore != nil && now.Before(c.NotBefore.Time):
		return nil, badToken("The token is not yet valid (nbf)")
	case len(c.Subject) == 0 || string(c.Subject) == "null":
		return nil, badToken("Missing claim: sub")
	}
	return c, nil
}

// read checks form and signature, which never change for a token.
func (t tokens) read(token string) (*claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, badToken("Not enough segments")
	}
	for i, part := range []string{"header", "payload", "crypto"} {
		if _, err := base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
			return nil, badToken("Invalid %s padding", part)
		}
	}
	var c claims
	_, err := t.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return t.secret, nil })
	if err != nil {
		return nil, badToken("%s", reason(err, parts))
	}
	if c.Type == "" {
		c.Type = accessToken
	}
	return &c, nil
}

// tokenCache keeps the claims of tokens whose signature was found right of late, so that
// a caller's next request does not pay for it again.
type tokenCache struct {
	mu sync.RWMutex
	by map[string]*claims
}

// maxTokens is how many are kept; past that all are forgotten.
const maxTokens = 20_000

func (p *tokenCache) get(token string) *claims {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.by[token]
}

func (p *tokenCache) put(token string, c *claims) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.by) >= maxTokens {
		clear(p.by)
	}
	p.by[token] = c
}

func badToken(format string, args ...any) error { return fault.New(fault.BadToken, format, args...) }

// reason words why a token with three decodable parts was refused.
func reason(err error, parts []string) string {
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var h struct {
		Alg string `json:"alg"`
	}
	var object map[string]json.RawMessage
	switch {
	case json.Unmarshal(header, &h) != nil:
		return "Invalid header string: must be a json object"
	case h.Alg != "HS256":
		return "The specified alg value is not allowed"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "Signature verification failed"
	case json.Unmarshal(payload, &object) != nil:
		return "Invalid payload string: must be a json object"
	}
	return "Invalid payload string: a claim has the wrong type"
}
