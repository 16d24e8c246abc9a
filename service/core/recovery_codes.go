package core

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"vserver/service/access"
	"vserver/service/fault"
)

const (
	// recoveryCodes is how many a user gets at a time.
	recoveryCodes = 10
	// recoveryLength is that of a code, without the dash: 50 bits.
	recoveryLength = 10
	// recoveryAlphabet has no letter that looks like another or like a digit.
	recoveryAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"
)

// FactorState is what users may know of their own second factor.
type FactorState struct {
	Required      bool // at every log-in
	Confirmed     bool // a code was accepted
	RecoveryCodes int64
}

// SecondFactor tells the caller about the own one (/docs/tokens#recovery-codes).
func (c *Core) SecondFactor(ctx context.Context, g access.Grant[access.UserItself]) (FactorState, error) {
	id := g.Actor().ID
	u, err := c.db.CredentialsOfUser(ctx, id)
	if err != nil {
		return FactorState{}, fmt.Errorf("reading a user: %w", err)
	}
	n, err := c.db.CountRecoveryCodes(ctx, id)
	if err != nil {
		return FactorState{}, fmt.Errorf("counting recovery codes: %w", err)
	}
	return FactorState{c.set.SecondFactor, strings.TrimSpace(value(u.OtpSecret)) != "", n}, nil
}

// NewRecoveryCodes makes codes that the caller may log in with once each in place of one of
// the authenticator; earlier ones end. It takes a fresh code of the authenticator, so that a
// token that was stolen does not do (/docs/tokens#recovery-codes). They are returned in clear
// this once.
func (c *Core) NewRecoveryCodes(ctx context.Context, g access.Grant[access.UserItself], code *string, from Origin) ([]string, error) {
	id := g.Actor().ID
	u, err := c.db.CredentialsOfUser(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading a user: %w", err)
	}
	switch {
	case !c.set.SecondFactor:
		return nil, fault.New(fault.Invalid, "Two-factor authentication is not in use on this server")
	case strings.TrimSpace(value(u.OtpSecret)) == "":
		return nil, fault.New(fault.Invalid, "You have no second factor yet: log in with a code of your authenticator first")
	case code == nil:
		return nil, fault.New(fault.Invalid, "mfa_code: a code of your authenticator is needed")
	}
	var codes []string
	a := &attempt{core: c, from: from, code: codeText(*code), then: func(ctx context.Context, t *Tx, s *sealer) (err error) {
		codes, err = t.replaceRecoveryCodes(ctx, s, id)
		return err
	}}
	a.repeats = sync.OnceValue(func() bool { return c.wrongTries.note(id, "code "+a.code, time.Now()) })
	if err := a.make(ctx, u); err != nil {
		return nil, err
	}
	if !a.right() {
		return nil, wrongCode()
	}
	c.log.Info().Msgf("%s has new recovery codes, asked for from %s", shown(value(u.Username)), from.Address)
	return codes, nil
}

// replaceRecoveryCodes replaces the codes of a user and returns them as people read them.
func (t *Tx) replaceRecoveryCodes(ctx context.Context, s *sealer, user int64) ([]string, error) {
	if err := t.DeleteRecoveryCodes(ctx, user); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		raw := make([]byte, recoveryLength)
		_, _ = rand.Read(raw) // never fails
		for j, b := range raw {
			raw[j] = recoveryAlphabet[int(b)%len(recoveryAlphabet)]
		}
		code := string(raw)
		if err := t.InsertRecoveryCode(ctx, user, s.digest(user, code)); err != nil {
			return nil, err
		}
		codes[i] = code[:recoveryLength/2] + "-" + code[recoveryLength/2:]
	}
	return codes, nil
}
