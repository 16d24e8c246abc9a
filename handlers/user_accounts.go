package handlers

import (
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

// lockJSON is why nobody can log in to an account for a while (/docs/users#locks).
type lockJSON struct {
	Failures int64          `json:"failures"`
	Until    *string        `json:"until"` // for everybody; null: for some addresses alone
	From     []lockFromJSON `json:"from"`
}

// lockFromJSON are the wrong passwords that came from one address.
type lockFromJSON struct {
	Network  *string `json:"network"` // null: nobody knows
	Failures int64   `json:"failures"`
	Last     *string `json:"last"`
	Until    *string `json:"until"` // null: not locked for it
}

func lockWire(f core.Failed) *lockJSON {
	j := &lockJSON{Failures: f.Failures, Until: moment(f.Until), From: []lockFromJSON{}}
	for _, from := range f.From {
		j.From = append(j.From, lockFromJSON{
			Network: given(&from.Network), Failures: from.Failures, Last: moment(&from.Last), Until: moment(from.Until),
		})
	}
	return j
}

// userWire is userJSON with the locks that were asked for, of those whom the caller may edit.
func (s *Server) userWire(k *call, g access.Grant[access.ViewUsers], users ...core.User) (func(core.User) userJSON, error) {
	if !k.includes("lock") {
		return s.userJSON, nil
	}
	locks, err := s.core.LocksOf(k.ctx, g, users...)
	if err != nil {
		return nil, err
	}
	return func(u core.User) userJSON {
		j := s.userJSON(u)
		if f, locked := locks[u.ID]; locked {
			j.Lock = lockWire(f)
		}
		return j
	}, nil
}

func (s *Server) handleUnlock(k *call, g access.Grant[access.EditUsers]) error {
	id := k.id("id")
	if err := s.core.UnlockUser(k.ctx, g, id); err != nil {
		return err
	}
	return k.say("user id=%d is unlocked", id)
}

// invitationJSON is what came of an invitation (/docs/users#invite).
type invitationJSON struct {
	Token string  `json:"token,omitempty"` // when no mail brings it
	Until *string `json:"until"`
}

func (s *Server) handleInvite(k *call, g access.Grant[access.EditUsers]) error {
	byMail := sent(k.body, func(b *body) bool {
		by := b.text("by", shortText)
		if by == nil || *by != "mail" && *by != "link" {
			b.refuse("by", "has to be mail or link")
		}
		return by != nil && *by == "mail"
	})
	made, err := s.core.Invite(k.ctx, g, k.id("id"), byMail, s.origin(k.echo.Request()))
	if err != nil {
		return err
	}
	return k.replySecret(http.StatusCreated, invitationJSON{made.Token, moment(&made.Until)})
}
