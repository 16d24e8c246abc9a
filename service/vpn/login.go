package vpn

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// logIn begins a session as the portal's user. A right password is answered with a
// redirect, a wrong one with the form again and status 200.
func (s *session) logIn(ctx context.Context) error {
	reply, err := s.post(ctx, LogIn, s.portal+"/_form/auth/verify", url.Values{
		"userName": {s.set.PortalUsername}, "userPass": {s.set.PortalUserpass.Reveal()},
		"_form_auth_redirect_to": {returnAddress(s.set.URL)},
	}, nil)
	switch {
	case err != nil:
		return err
	case reply.status == http.StatusFound || reply.status == http.StatusSeeOther:
		return nil
	case reply.status/100 == 3:
		return failure(Refused, LogIn, "the portal is at %.200q: write that address in url", shown(reply.header.Get("Location"), "/_form/auth/verify"))
	case reply.status == http.StatusOK:
		return failure(Refused, LogIn, "portal_username and portal_userpass are not those of a user of the portal, or url leads below it")
	}
	return failure(Refused, LogIn, "status %d%s%s", reply.status, words(reply.body), s.whereIsIt(ctx, reply.status))
}

// returnAddress is the url as the portal takes it for the way back: as configured, since
// the portal compares its host with its own name, but with a path.
func returnAddress(address string) string {
	if u, err := url.Parse(address); err == nil && u.Path == "" {
		return address + "/"
	}
	return address
}

// shown is an address without its query and without an end that its reader does not need.
func shown(address, end string) string {
	address, _, _ = strings.Cut(address, "?")
	return strings.TrimSuffix(address, end)
}

// The versions of the interface that a portal announces at the root of its host.
const (
	announced = "/.well-known/vpn-user-portal"
	version2  = "http://eduvpn.org/api#2"
	version3  = "http://eduvpn.org/api#3"
)

// whereIsIt looks for a portal at the host, when there is none at the url, and says what
// it finds. Nothing depends on it.
func (s *session) whereIsIt(ctx context.Context, status int) string {
	const nothing = "; a stock portal is at /vpn-user-portal of its host"
	u, err := url.Parse(s.set.URL)
	if err != nil || status != http.StatusNotFound && status != http.StatusBadRequest {
		return ""
	}
	reply, err := s.get(ctx, LogIn, u.Scheme+"://"+u.Host+announced)
	var portal struct {
		API map[string]struct {
			Base string `json:"api_base_uri"`
		} `json:"api"`
	}
	if err != nil || reply.status != http.StatusOK || json.Unmarshal(reply.body, &portal) != nil {
		if status == http.StatusNotFound {
			return nothing
		}
		return ""
	}
	two, has := portal.API[version2]
	if _, newer := portal.API[version3]; !has && newer {
		return "; the portal is of release 3.x, and this server speaks with 2.x"
	}
	if at := strings.TrimSuffix(two.Base, "/api.php"); has && at != s.portal {
		return fmt.Sprintf("; the portal of this host is at %.200q", at)
	}
	return ""
}

// authorize gets a code for the client, and the verifier that goes with it.
func (s *session) authorize(ctx context.Context) (code, verifier string, err error) {
	state, verifier := rand.Text(), rand.Text()+rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	reply, err := s.get(ctx, Authorize, s.portal+"/_oauth/authorize?"+url.Values{
		"client_id": {s.set.ClientID}, "redirect_uri": {s.set.RedirectURL}, "response_type": {"code"}, "scope": {"config"},
		"state": {state}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode())
	if err != nil {
		return "", "", err
	}
	switch location := reply.header.Get("Location"); {
	case reply.status >= http.StatusBadRequest:
		return "", "", failure(Refused, Authorize, "status %d%s; client_id and redirect_url have to be those of a client of the portal, letter by letter", reply.status, words(reply.body))
	case reply.status/100 != 3:
		return "", "", failure(Refused, Authorize, "the portal shows a page instead of a code: it asks for approval of the client "+
			"(set its require_approval to false), or its session was not kept (the log-in was answered by something else than the portal)")
	default:
		code, err = codeOf(location, state)
		return code, verifier, err
	}
}

// codeOf reads the address that the portal leads to. A second factor and other detours
// are redirects as well, without a code.
func codeOf(location, state string) (string, error) {
	to, err := url.Parse(location)
	if err != nil {
		return "", failure(Unusable, Authorize, "the portal leads to an address that is none")
	}
	q := to.Query()
	switch {
	case q.Get("code") != "" && q.Get("state") != state:
		return "", failure(Refused, Authorize, "the portal answers with the state of another request")
	case q.Get("code") != "":
		return q.Get("code"), nil
	case q.Get("error") != "":
		return "", failure(Refused, Authorize, "the portal refuses (it says %.100q)", q.Get("error"))
	}
	to.RawQuery = ""
	return "", failure(Refused, Authorize, "the portal leads to %.200q instead of giving a code; portal_username must not have a second factor", to.String())
}

// exchange gives the code for an access token. It is never repeated: a code that comes
// twice ends the token of the first time.
func (s *session) exchange(ctx context.Context, code, verifier string) error {
	reply, err := s.post(ctx, Token, s.portal+"/oauth.php/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.set.RedirectURL},
		"client_id": {s.set.ClientID}, "code_verifier": {verifier},
	}, func(req *http.Request) {
		// As they are: the portal does not undo the percent-encoding of RFC 6749.
		req.SetBasicAuth(s.set.ClientID, s.set.ClientSecret.Reveal())
	})
	if err != nil {
		return err
	}
	var token struct {
		Access string `json:"access_token"`
	}
	switch {
	case reply.status >= http.StatusBadRequest:
		return failure(Refused, Token, "status %d%s; check client_secret", reply.status, words(reply.body))
	case reply.status != http.StatusOK || json.Unmarshal(reply.body, &token) != nil || token.Access == "":
		return failure(Unusable, Token, "status %d without a token", reply.status)
	}
	s.token = token.Access
	return nil
}
