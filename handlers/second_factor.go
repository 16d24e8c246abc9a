package handlers

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) secondFactorRoutes() []route {
	return []route{
		{method: "POST", path: "/recover/2fa/reset", endpoint: public(s.handleResetSecondFactor)},
		{method: "GET", path: "/second-factor", who: access.User, endpoint: requires[access.UserItself](s.handleSecondFactor)},
		{method: "POST", path: "/second-factor/recovery-codes", who: access.User, endpoint: requires[access.UserItself](s.handleNewRecoveryCodes)},
	}
}

// setUpJSON is what an authenticator has to scan (/docs/tokens#second-factor). Clients know it
// by qr_uri.
type setUpJSON struct {
	URI    string `json:"qr_uri"`
	Secret string `json:"otp_secret"`
	Msg    string `json:"msg"`
}

// replySetUp shows a secret, this once.
func (k *call) replySetUp(to core.SetUp) error {
	return k.replySecret(http.StatusOK, setUpJSON{
		to.URI, to.Secret,
		"Two-factor authentication is obligatory on this server. Please visualize the QR code to set up authentication.",
	})
}

// code reads a code of an authenticator, or a recovery code; nil when it is absent, null, empty
// or 0. A number has lost the zeros that it began with. Whatever else is no text is a code that
// is never right (/docs/tokens#second-factor).
func (b *body) code(field string) *string {
	raw, ok := b.get(field)
	if !ok {
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		if text == "" {
			return nil
		}
		return &text
	}
	if n, err := strconv.ParseFloat(string(raw), 64); err == nil && n == 0 {
		return nil
	}
	if digits := string(raw); decimal(digits) {
		text = strings.Repeat("0", max(0, core.CodeDigits-len(digits))) + digits
	}
	return &text
}

func (s *Server) handleResetSecondFactor(k *call) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	token := b.secret("reset_token", "The reset token is missing!")
	if b.err() != nil {
		return b.err()
	}
	shown, err := s.core.ResetSecondFactor(k.ctx, token, s.origin(k.echo.Request()))
	if err != nil {
		return err
	}
	return k.replySetUp(*shown)
}

// factorJSON is what users may know of their own second factor.
type factorJSON struct {
	Required      bool  `json:"required"`
	Confirmed     bool  `json:"confirmed"`
	RecoveryCodes int64 `json:"recovery_codes"`
}

func (s *Server) handleSecondFactor(k *call, g access.Grant[access.UserItself]) error {
	f, err := s.core.SecondFactor(k.ctx, g)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, factorJSON(f))
}

func (s *Server) handleNewRecoveryCodes(k *call, g access.Grant[access.UserItself]) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	codes, err := s.core.NewRecoveryCodes(k.ctx, g, b.code("mfa_code"), s.origin(k.echo.Request()))
	if err != nil {
		return err
	}
	return k.replySecret(http.StatusCreated, map[string][]string{"recovery_codes": codes})
}
