package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

func (s *Server) loginRoutes() []route {
	return []route{
		{method: "POST", path: "/token/user", endpoint: public(s.handleLogIn)},
		{method: "POST", path: "/token/node", endpoint: public(s.handleLogInNode)},
		{method: "POST", path: "/token/container", who: access.Node, judges: core.NeedsOwnResult, endpoint: requires[access.NodeItself](s.handleContainerToken)},
		{method: "POST", path: "/token/revoke", who: access.User, endpoint: requires[access.UserItself](s.handleRevoke)},
		{method: "POST", path: "/token/refresh", free: true, endpoint: public(s.handleRefresh)},
	}
}

// sessionJSON is what a log-in and a refresh answer with (/docs/tokens#log-in). The
// URLs are without a host.
type sessionJSON struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	RefreshURL   string `json:"refresh_url"`
	UserURL      string `json:"user_url,omitempty"`
	NodeURL      string `json:"node_url,omitempty"`
}

// session makes the tokens of a user or node. A node's refresh token lives as long
// as its API key.
func (s *Server) session(k *call, who core.Identity) (sessionJSON, error) {
	c := claims{
		Subject: json.RawMessage(strconv.FormatInt(who.ID, 10)), ClientType: who.Kind.String(),
		Generation: who.Generation, Era: who.Era,
	}
	j := sessionJSON{RefreshURL: s.opt.APIPath + "/token/refresh"}
	refreshFor := s.opt.RefreshFor
	var err error
	if who.Kind == access.Node {
		refreshFor, j.NodeURL = 0, s.url("node", who.ID)
	} else {
		j.UserURL = s.url("user", who.ID)
		if c.Roles, err = s.core.RoleNames(k.ctx, who.ID); err != nil {
			return j, err
		}
	}
	c.Type = accessToken
	if j.AccessToken, err = s.tokens.sign(c, s.opt.AccessFor); err != nil {
		return j, err
	}
	c.Type = refreshToken
	j.RefreshToken, err = s.tokens.sign(c, refreshFor)
	return j, err
}

func (s *Server) handleLogIn(k *call) error {
	b, err := k.tokenBody()
	if err != nil {
		return err
	}
	username, password := b.text("username", unbounded), b.text("password", unbounded)
	if b.err() != nil || username == nil || password == nil || *username == "" || *password == "" {
		return fault.New(fault.Invalid, "Username and/or password missing in JSON body")
	}
	in, err := s.core.LogIn(k.ctx, *username, *password, b.code("mfa_code"), s.origin(k.echo.Request()))
	switch {
	case err != nil:
		return err
	case in.SetUp != nil:
		return k.replySetUp(*in.SetUp)
	case in.Asks:
		return k.say("Please include your two-factor authentication code")
	}
	return s.loggedIn(k, in.Identity)
}

func (s *Server) handleLogInNode(k *call) error {
	b, err := k.tokenBody()
	if err != nil {
		return err
	}
	key := b.text("api_key", unbounded)
	if b.err() != nil || key == nil || *key == "" {
		return fault.New(fault.Invalid, "api_key missing in JSON body")
	}
	who, err := s.core.LogInNode(k.ctx, *key, s.origin(k.echo.Request()))
	if errors.Is(err, core.ErrAskAgain) {
		panic(http.ErrAbortHandler) // a node gives up after a 401, and asks again after a connection that broke
	}
	if err != nil {
		return err
	}
	return s.loggedIn(k, who)
}

func (s *Server) loggedIn(k *call, who core.Identity) error {
	j, err := s.session(k, who)
	if err != nil {
		return err
	}
	s.welcome(k.echo, who.Kind, who.ID)
	k.echo.Response().Header()["jwt-token"] = []string{j.AccessToken} // lower case, as the reference sends it
	return k.replySecret(http.StatusOK, j)
}

func (s *Server) handleRefresh(k *call) error {
	who, err := s.refresher(k.echo.Request())
	if err != nil {
		return s.countBadToken(k.echo, err)
	}
	s.core.Remember(s.origin(k.echo.Request()))
	j, err := s.session(k, who)
	if err != nil {
		return err
	}
	return k.replySecret(http.StatusOK, j)
}

// handleRevoke signs the caller out everywhere (/docs/tokens#revoke).
func (s *Server) handleRevoke(k *call, g access.Grant[access.UserItself]) error {
	if err := s.core.SignOut(k.ctx, g); err != nil {
		return err
	}
	return k.say("You are signed out everywhere")
}

func (s *Server) handleContainerToken(k *call, g access.Grant[access.NodeItself]) error {
	b, err := k.tokenBody()
	if err != nil {
		return err
	}
	id, image := b.integer("task_id"), b.text("image", unbounded)
	switch {
	case id == nil:
		return fault.New(fault.Invalid, "Master task does not exist!")
	case b.err() != nil:
		return b.err()
	}
	if image == nil {
		image = new(string)
	}
	task, err := s.core.AdmitContainer(k.ctx, g, *id, *image)
	if err != nil {
		return err
	}
	node := g.Actor()
	sub, err := json.Marshal(containerSubject{
		ClientType: access.Container.String(), NodeID: node.ID, OrganizationID: node.OrganizationID,
		CollaborationID: node.CollaborationID, TaskID: *id, Image: *image, Database: task.Database,
	})
	if err != nil {
		return err
	}
	token, err := s.tokens.sign(claims{Subject: sub, Type: accessToken, ClientType: access.Container.String()}, 0)
	if err != nil {
		return err
	}
	return k.replySecret(http.StatusOK, map[string]string{"container_token": token})
}
