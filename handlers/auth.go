package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

// headersRead are the headers that a request is judged by.
var headersRead = []string{"Authorization", "Content-Type", "Origin", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip"}

// checkHeaders refuses bytes that are no UTF-8 in a header that something depends on.
func checkHeaders(r *http.Request) error {
	for _, name := range headersRead {
		for _, v := range r.Header[name] {
			if !utf8.ValidString(v) {
				return fault.New(fault.Invalid, "The header %s has bytes that are no UTF-8", name)
			}
		}
	}
	return nil
}

// authenticate turns the access token of a request into the actor behind it. The
// checks come in the order of /docs/tokens#faults.
func (s *Server) authenticate(r *http.Request, who access.Kind) (access.Actor, error) {
	token, err := bearer(r.Header.Get("Authorization"))
	if err != nil {
		return access.Actor{}, err
	}
	a, err := s.actor(r.Context(), token)
	if err != nil {
		return access.Actor{}, err
	}
	if a.Kind&who == 0 {
		return access.Actor{}, s.wrongKind(r, a.Kind)
	}
	return a, nil
}

// speaker is of which kind the owner of a token is that this server has signed, without a look at the database.
func (s *Server) speaker(r *http.Request) access.Kind {
	token, err := bearer(r.Header.Get("Authorization"))
	if err != nil {
		return 0
	}
	c, err := s.tokens.verify(token)
	if err != nil {
		return 0
	}
	return access.ParseKind(c.ClientType)
}

func (s *Server) wrongKind(r *http.Request, k access.Kind) error {
	return fault.New(fault.WrongKind, "%ss are not allowed to access %s://%s%s (%s)",
		k, s.scheme(r), r.Host, r.URL.RequestURI(), r.Method)
}

// actor finds who an access token speaks for.
func (s *Server) actor(ctx context.Context, token string) (access.Actor, error) {
	c, err := s.tokens.verify(token)
	if err != nil {
		return access.Actor{}, err
	}
	if c.Type != accessToken {
		return access.Actor{}, badToken("Only non-refresh tokens are allowed")
	}
	kind := access.ParseKind(c.ClientType)
	if kind == access.Container {
		return s.container(ctx, c)
	}
	who, err := s.tokenAccount(ctx, c, kind)
	if err != nil {
		return access.Actor{}, err
	}
	if c.Era != who.Era {
		return access.Actor{}, errRevoked()
	}
	return who.Actor, nil
}

func errRevoked() error { return fault.New(fault.Unauthorized, "Token has been revoked") }

// tokenAccount finds the user or node that a token names.
func (s *Server) tokenAccount(ctx context.Context, c *claims, kind access.Kind) (core.Identity, error) {
	id, err := strconv.ParseInt(string(c.Subject), 10, 64)
	if err != nil || kind != access.User && kind != access.Node {
		return core.Identity{}, badToken("The token does not say whom it is for")
	}
	return s.core.Identify(ctx, kind, id)
}

func (s *Server) container(ctx context.Context, c *claims) (access.Actor, error) {
	var sub containerSubject
	if json.Unmarshal(c.Subject, &sub) != nil || sub.ClientType != access.Container.String() {
		return access.Actor{}, badToken("The token does not say whom it is for")
	}
	return s.core.IdentifyContainer(ctx, core.ContainerClaims{
		NodeID: sub.NodeID, OrganizationID: sub.OrganizationID, CollaborationID: sub.CollaborationID,
		TaskID: sub.TaskID, Image: sub.Image,
	})
}

// refresher finds whose refresh token a request carries.
func (s *Server) refresher(r *http.Request) (core.Identity, error) {
	token, err := bearer(r.Header.Get("Authorization"))
	if err != nil {
		return core.Identity{}, err
	}
	c, err := s.tokens.verify(token)
	if err != nil {
		return core.Identity{}, err
	}
	if c.Type != refreshToken {
		return core.Identity{}, badToken("Only refresh tokens are allowed")
	}
	kind := access.ParseKind(c.ClientType)
	if kind == access.User && c.ExpiresAt == nil && c.overdue(s.opt.RefreshFor, s.core.TakenOver()) {
		return core.Identity{}, fault.New(fault.Unauthorized, "Token has expired")
	}
	who, err := s.tokenAccount(r.Context(), c, kind)
	if err != nil {
		return core.Identity{}, err
	}
	if c.Generation != who.Generation {
		return core.Identity{}, errRevoked()
	}
	return who, nil
}

// overdue judges a refresh token that names no end, as the reference made them: it
// ends as long after its issue as one of ours would, or as long after a takeover of the
// database that it was issued before (/docs/takeover#tokens).
func (c *claims) overdue(life time.Duration, takenOver time.Time) bool {
	if c.IssuedAt == nil {
		return true
	}
	from := c.IssuedAt.Time
	if from.Before(takenOver) {
		from = takenOver
	}
	return time.Since(from) >= life
}

// bearer takes the token out of the Authorization header (/docs/tokens#header).
func bearer(authorization string) (string, error) {
	value := strings.Trim(authorization, " \t,")
	if value == "" {
		return "", fault.New(fault.Unauthorized, "Missing Authorization Header")
	}
	var found []string
	for part := range strings.SplitSeq(value, ",") {
		if words := strings.Fields(part); len(words) > 0 && words[0] == "Bearer" {
			found = append(found, part)
		}
	}
	if len(found) != 1 {
		return "", fault.New(fault.Unauthorized,
			"Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'")
	}
	words := strings.Fields(found[0])
	if len(words) != 2 {
		return "", badToken("Bad Authorization header. Expected 'Authorization: Bearer <JWT>'")
	}
	return words[1], nil
}
