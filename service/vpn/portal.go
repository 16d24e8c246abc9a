// Package vpn gets OpenVPN configurations for nodes from an eduVPN portal of release
// 2.x: it logs in as the portal's user, lets itself be authorized as the portal's client,
// and asks for a profile and a key pair (/docs/vpn#exchange). It talks to the portal and
// reads the file of its authority; of the house it imports config, for the settings, and
// it knows no noun.
package vpn

import (
	"context"
	"fmt"
	"time"

	"vserver/service/config"
)

const (
	// patience is how long one request to the portal may take.
	patience = 15 * time.Second
	// together is how many ask the portal at the same time; the others wait. Each log-in
	// is work for a portal, and a thousand nodes may start at once.
	together = 8
)

// Portal is an eduVPN portal as the configuration describes it. It may be used by
// several goroutines.
type Portal struct {
	set      config.VPN
	patience time.Duration
	turns    chan struct{}
}

// New makes a portal; nothing is asked of it yet, and unusable settings are a failure
// of each request.
func New(set config.VPN) *Portal {
	return &Portal{set: set, patience: patience, turns: make(chan struct{}, together)}
}

// Configuration returns an OpenVPN configuration with a new key pair: the text of the
// portal's first profile, its line ends as they came. The error is a *Failure, or that
// of a context that ended.
func (p *Portal) Configuration(ctx context.Context) (text string, err error) {
	err = p.visit(ctx, func(s *session) error {
		profile, err := s.firstProfile(ctx)
		if err != nil {
			return err
		}
		if text, err = s.profileText(ctx, profile); err != nil {
			return err
		}
		text, err = s.supplied(ctx, text)
		return err
	})
	return text, err
}

// Renew returns an OpenVPN configuration with a new key pair in place of the one it has;
// everything else stays as it is. Errors are those of Configuration.
func (p *Portal) Renew(ctx context.Context, current string) (text string, err error) {
	err = p.visit(ctx, func(s *session) error {
		text, err = s.supplied(ctx, current)
		return err
	})
	return text, err
}

// Check goes through all steps of Configuration but the last, so that no certificate is
// issued, and returns the name of the profile that nodes get. Errors are those of
// Configuration.
func (p *Portal) Check(ctx context.Context) (profile string, err error) {
	err = p.visit(ctx, func(s *session) error {
		if profile, err = s.firstProfile(ctx); err != nil {
			return err
		}
		_, err = s.profileText(ctx, profile)
		return err
	})
	return profile, err
}

// visit logs in, does what is to be done, and forgets the log-in.
func (p *Portal) visit(ctx context.Context, do func(*session) error) error {
	select {
	case p.turns <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for a turn at the VPN portal: %w", ctx.Err())
	}
	defer func() { <-p.turns }()
	s, err := newSession(p.set, p.patience)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.logIn(ctx); err != nil {
		return err
	}
	code, verifier, err := s.authorize(ctx)
	if err != nil {
		return err
	}
	if err := s.exchange(ctx, code, verifier); err != nil {
		return err
	}
	return do(s)
}
