package handlers

import (
	"net/http"
	"strconv"
	"strings"

	"vserver/service/fault"
)

func (s *Server) recoveryRoutes() []route {
	return []route{
		{method: "POST", path: "/recover/lost", endpoint: public(s.handleLostPassword)},
		{method: "POST", path: "/recover/reset", endpoint: public(s.handleResetPassword)},
		{method: "POST", path: "/recover/2fa/lost", endpoint: public(s.handleLostSecondFactor)},
	}
}

// handleLostPassword answers the same whether there is such a user or not
// (/docs/security#t17).
func (s *Server) handleLostPassword(k *call) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	username, email, err := b.whoLost()
	if err != nil {
		return err
	}
	if err := s.core.AskForPassword(k.ctx, username, email, s.origin(k.echo.Request())); err != nil {
		return err
	}
	return k.say("If the username or email is in our database you will soon receive an email.")
}

// whoLost reads the name of a user, or else the e-mail address.
func (b *body) whoLost() (username, email *string, err error) {
	username, email = given(b.text("username", shortText)), given(b.text("email", shortText))
	switch {
	case b.err() != nil:
		return nil, nil, b.err()
	case username != nil:
		return username, nil, nil
	case email == nil:
		return nil, nil, fault.New(fault.Invalid, "No username or email provided!")
	}
	return nil, email, nil
}

// given is nil for a text of nothing.
func given(s *string) *string {
	if s != nil && *s == "" {
		return nil
	}
	return s
}

func (s *Server) handleResetPassword(k *call) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	const missing = "The reset token and/or password is missing!"
	token, fresh := b.secret("reset_token", missing), b.secret("password", missing)
	if b.err() != nil {
		return b.err()
	}
	if err := s.core.ResetPassword(k.ctx, token, fresh, s.origin(k.echo.Request())); err != nil {
		return err
	}
	return k.say("The password has successfully been reset!")
}

// handleLostSecondFactor answers the same whether the password is right or not
// (/docs/security#t17).
func (s *Server) handleLostSecondFactor(k *call) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	username, email, err := b.whoLost()
	if err != nil {
		return err
	}
	password := b.secret("password", "No password provided!")
	if b.err() != nil {
		return b.err()
	}
	if err := s.core.AskForSecondFactor(k.ctx, username, email, password, s.origin(k.echo.Request())); err != nil {
		return err
	}
	return k.say("If you sent a correct combination of username/email andpassword, you will soon receive an email.")
}

// languages are those that mails are written in.
var languages = []string{"en", "nl"}

// languageOf is the language of languages that a request likes best, English when it likes
// none of them.
func languageOf(h http.Header) string {
	best, most := languages[0], 0.0
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Language"), ","), ",") {
		tag, weight, weighted := strings.Cut(part, ";")
		primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		q := 1.0
		if weighted {
			var err error
			if q, err = strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64); err != nil {
				continue
			}
		}
		for _, l := range languages {
			if strings.EqualFold(primary, l) && q > most {
				best, most = l, q
			}
		}
	}
	return best
}
