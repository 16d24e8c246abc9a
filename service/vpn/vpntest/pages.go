package vpntest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// thrown is what a page throws: JSON, unless a browser asks.
func thrown(r *http.Request, status int, text string) reply {
	if wantsHTML(r) {
		return reply{status: status, kind: typeHTML, body: "<!DOCTYPE html><p>" + text + "</p>"}
	}
	b, _ := json.Marshal(map[string]string{"error": text}) // texts always encode
	return reply{status: status, kind: typeJSON, body: string(b)}
}

func wantsHTML(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// page answers what people use, where a session counts.
func (p *Portal) page(r *http.Request, asked Request, inside string) reply {
	if r.Method == http.MethodPost && p.forged(r) {
		return thrown(r, http.StatusBadRequest, "CSRF protection failed, no HTTP_ORIGIN or HTTP_REFERER")
	}
	if p.Faults.LogIn500 {
		return reply{status: http.StatusInternalServerError, kind: typeHTML, body: "Fatal error: the back end is down, see /var/www/secret/path"}
	}
	sid := ""
	if c, err := r.Cookie("SID"); err == nil {
		sid = c.Value
	}
	if inside == "/_form/auth/verify" && r.Method == http.MethodPost {
		return p.logIn(r, asked, sid)
	}
	user := p.sessions[sid]
	if user == "" {
		return p.form()
	}
	switch account := p.Users[user]; {
	case account.Disabled:
		return thrown(r, http.StatusForbidden, "account disabled")
	case account.NeedsTOTP && inside != "/two_factor_enroll":
		return redirect(http.StatusFound, p.URL()+"/two_factor_enroll")
	}
	switch inside {
	case "/":
		return redirect(http.StatusFound, p.URL()+"/home")
	case "/home", "/two_factor_enroll":
		return reply{status: http.StatusOK, kind: typeHTML, body: "<!DOCTYPE html><title>Home</title>"}
	case "/_oauth/authorize":
		return p.authorize(r, asked, user)
	}
	return thrown(r, http.StatusNotFound, fmt.Sprintf("%q not found", inside))
}

// forged reports whether a form comes from elsewhere, as a browser says.
func (p *Portal) forged(r *http.Request) bool {
	if p.Faults.Version3 {
		return r.Header.Get("Referer") == ""
	}
	own := p.Root()
	return wantsHTML(r) && r.Header.Get("Origin") != own && !strings.HasPrefix(r.Header.Get("Referer"), own+"/")
}

// form is the log-in form, with a session of nobody.
func (p *Portal) form() reply {
	sid := p.newSession("")
	return reply{
		status: http.StatusOK, kind: typeHTML, header: http.Header{"Set-Cookie": {p.cookie(sid)}},
		body: `<!DOCTYPE html><form method="post" action="_form/auth/verify"><input name="userName"><input name="userPass" type="password"></form>`,
	}
}

func (p *Portal) newSession(user string) string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	sid := hex.EncodeToString(b)
	p.sessions[sid] = user
	return sid
}

func (p *Portal) cookie(sid string) string {
	c := "SID=" + sid + "; HttpOnly; Path=" + p.Prefix + "/; SameSite=Lax"
	if !p.plain {
		c += "; Secure"
	}
	return c
}

func (p *Portal) logIn(r *http.Request, asked Request, sid string) reply {
	if p.Faults.Version3 {
		return thrown(r, http.StatusNotFound, `"/_form/auth/verify" not found`)
	}
	for _, field := range []string{"userName", "userPass", "_form_auth_redirect_to"} {
		if !asked.Form.Has(field) {
			return thrown(r, http.StatusBadRequest, fmt.Sprintf("missing required field %q", field))
		}
	}
	to := asked.Form.Get("_form_auth_redirect_to")
	u, err := url.Parse(to)
	switch {
	case err != nil || u.Path == "":
		return thrown(r, http.StatusBadRequest, "invalid redirect_to URL")
	case u.Hostname() != p.Host:
		return thrown(r, http.StatusBadRequest, "redirect_to does not match expected host")
	}
	name := strings.TrimSpace(asked.Form.Get("userName"))
	account := p.Users[name]
	if account == nil || account.Password != asked.Form.Get("userPass") {
		return p.form()
	}
	if p.Faults.RedirectLoop {
		return redirect(http.StatusFound, p.URL()+"/_form/auth/verify")
	}
	if sid == "" {
		sid = p.newSession("")
	}
	own := p.newSession(name)
	a := redirect(http.StatusFound, to)
	a.header["Set-Cookie"] = []string{p.cookie(sid), p.cookie(own)}
	delete(p.sessions, sid)
	return a
}

var (
	printable = regexp.MustCompile(`^[\x20-\x7e]+$`)
	challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	scopes    = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$`)
)

// authorize gives a code to a client.
func (p *Portal) authorize(r *http.Request, asked Request, user string) reply {
	q := r.URL.Query()
	for _, check := range []struct {
		ok   bool
		text string
	}{
		{printable.MatchString(q.Get("state")), `invalid_request (invalid "state")`},
		{q.Get("response_type") == "code", "unsupported_response_type"},
		{scopes.MatchString(q.Get("scope")), "invalid_scope"},
		{q.Get("code_challenge_method") == "S256", `invalid_request (invalid "code_challenge_method")`},
		{challenge.MatchString(q.Get("code_challenge")), `invalid_request (invalid "code_challenge")`},
	} {
		if !check.ok {
			return thrown(r, http.StatusBadRequest, "ERROR: "+check.text)
		}
	}
	client, known := p.Clients[q.Get("client_id")]
	switch {
	case !known:
		return thrown(r, http.StatusUnauthorized, `ERROR: invalid_client (client does not exist with this "client_id")`)
	case !slices.Contains(client.Redirects, q.Get("redirect_uri")):
		return thrown(r, http.StatusUnauthorized, `ERROR: invalid_client (client does not support this "redirect_uri")`)
	case r.Method == http.MethodPost && asked.Form.Get("approve") != "yes":
		return redirect(http.StatusFound, q.Get("redirect_uri")+"?error=access_denied&state="+url.QueryEscape(q.Get("state")))
	case client.Approval && r.Method != http.MethodPost:
		return reply{status: http.StatusOK, kind: typeHTML, body: `<!DOCTYPE html><form method="post"><button name="approve" value="yes">Approve</button></form>`}
	}
	code := token(574)
	p.codes[code] = &grant{
		user: user, client: q.Get("client_id"), redirect: q.Get("redirect_uri"), scope: q.Get("scope"),
		challenge: q.Get("code_challenge"), at: time.Now(),
	}
	state := q.Get("state")
	if p.Faults.OtherState {
		state = "somebody-else"
	}
	joint := "?"
	if strings.Contains(q.Get("redirect_uri"), "?") {
		joint = "&"
	}
	to := q.Get("redirect_uri") + joint + "code=" + code + "&state=" + url.QueryEscape(state)
	if p.Faults.Issuer {
		to += "&iss=" + url.QueryEscape(p.Root()+"/")
	}
	return redirect(http.StatusFound, to)
}

// token makes a text that looks like a JSON Web Token of a length.
func token(length int) string {
	text := "eyJ2IjoxfQ."
	for len(text) < length {
		text += rand.Text()
	}
	return text[:length]
}
