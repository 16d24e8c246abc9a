package handlers

import (
	"vserver/service/access"
	"vserver/service/fault"
)

func (s *Server) passwordRoutes() []route {
	return []route{
		{method: "PATCH", path: "/password/change", who: access.User, endpoint: requires[access.UserItself](s.handleChangePassword)},
	}
}

func (s *Server) handleChangePassword(k *call, g access.Grant[access.UserItself]) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	current := b.secret("current_password", "Your current password is missing")
	fresh := b.secret("new_password", "Your new password is missing!")
	if b.err() != nil {
		return b.err()
	}
	if err := s.core.ChangePassword(k.ctx, g, current, fresh, s.origin(k.echo.Request())); err != nil {
		return err
	}
	return k.say("The password has been changed successfully!")
}

// secret reads a text that has to be there; whatever is no text counts as missing
// (/docs/tokens#change).
func (b *body) secret(field, missing string) string {
	raw, ok := b.get(field)
	if b.fault == nil && (!ok || raw[0] != '"' || string(raw) == `""`) {
		b.fault = fault.New(fault.Invalid, "%s", missing)
	}
	if s := b.text(field, unbounded); s != nil {
		return *s
	}
	return ""
}
