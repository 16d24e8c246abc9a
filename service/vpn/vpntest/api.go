package vpntest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// invalid is an error of OAuth.
func invalid(status int, name, text, challenge string) reply {
	b, _ := json.Marshal(map[string]string{"error": name, "error_description": text}) // texts always encode
	a := reply{status: status, kind: typeJSON, body: string(b), header: http.Header{"Cache-Control": {"no-store"}, "Pragma": {"no-cache"}}}
	if challenge != "" {
		a.header["Www-Authenticate"] = []string{challenge}
	}
	return a
}

var verifier = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// token gives an access token for a code. Each check has its place.
func (p *Portal) token(r *http.Request, asked Request) reply {
	if r.Method != http.MethodPost {
		return reply{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {"POST"}}}
	}
	if p.Faults.API500 {
		return reply{status: http.StatusInternalServerError, kind: typeJSON, body: `{"error":"[500] the back end is down"}`}
	}
	f := asked.Form
	client, known := p.Clients[f.Get("client_id")]
	id, secret, signed := r.BasicAuth()
	switch {
	case f.Get("grant_type") != "authorization_code" || f.Get("code") == "" || f.Get("redirect_uri") == "" || f.Get("client_id") == "":
		return invalid(http.StatusBadRequest, "invalid_request", "missing parameter", "")
	case !verifier.MatchString(f.Get("code_verifier")):
		return invalid(http.StatusBadRequest, "invalid_request", `invalid "code_verifier"`, "")
	case !known:
		return invalid(http.StatusUnauthorized, "invalid_client", `client does not exist with this "client_id"`, "")
	case client.Secret != "" && !signed:
		return invalid(http.StatusUnauthorized, "invalid_client", "invalid credentials (no authenticating user)", `Basic realm="OAuth"`)
	case client.Secret != "" && (id != f.Get("client_id") || secret != client.Secret):
		return invalid(http.StatusUnauthorized, "invalid_client", "invalid credentials (invalid authenticating pass)", `Basic realm="OAuth"`)
	}
	g := p.codes[f.Get("code")]
	sum := sha256.Sum256([]byte(f.Get("code_verifier")))
	switch {
	case g == nil:
		return invalid(http.StatusBadRequest, "invalid_grant", `"authorization_code" has invalid signature`, "")
	case time.Since(g.at) > 5*time.Minute:
		return invalid(http.StatusBadRequest, "invalid_grant", `"authorization_code" expired`, "")
	case g.redirect != f.Get("redirect_uri"):
		return invalid(http.StatusBadRequest, "invalid_request", `unexpected "redirect_uri"`, "")
	case g.client != f.Get("client_id"):
		return invalid(http.StatusBadRequest, "invalid_request", `unexpected "client_id"`, "")
	case base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge:
		return invalid(http.StatusBadRequest, "invalid_grant", `invalid "code_verifier"`, "")
	case g.used:
		delete(p.authorizations, g.token)
		return invalid(http.StatusBadRequest, "invalid_grant", `"authorization_code" was used before`, "")
	}
	return p.give(g)
}

// give makes the token.
func (p *Portal) give(g *grant) reply {
	g.used, g.token = true, token(434)
	given := *g
	given.at, given.lives = time.Now(), time.Hour
	if p.Faults.ExpiredToken {
		given.lives = 0
	}
	p.authorizations[g.token] = &given
	return reply{
		status: http.StatusOK, kind: typeJSON, header: http.Header{"Cache-Control": {"no-store"}, "Pragma": {"no-cache"}},
		body: fmt.Sprintf(`{"access_token":"%s","refresh_token":"%s","token_type":"bearer","expires_in":%d}`, g.token, token(300), int(given.lives/time.Second)),
	}
}

// bearer finds whose token a request has.
func (p *Portal) bearer(r *http.Request) (*grant, *reply) {
	const realm = `Bearer realm="OAuth",error="invalid_token"`
	refuse := func(text string) (*grant, *reply) {
		a := invalid(http.StatusUnauthorized, "invalid_token", text, realm)
		return nil, &a
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return refuse("invalid Bearer token")
	}
	g := p.authorizations[given]
	switch {
	case g == nil && len(given) == 434:
		return refuse(fmt.Sprintf("authorization for client %q no longer exists", Client))
	case g == nil:
		return refuse(`"access_token" has invalid signature`)
	case time.Since(g.at) >= g.lives:
		return refuse(`"access_token" expired`)
	case !strings.Contains(" "+g.scope+" ", " config "):
		a := invalid(http.StatusForbidden, "insufficient_scope", "insufficient scope", "")
		return nil, &a
	}
	return g, nil
}

// methods are those of the calls of the API.
var methods = map[string]string{
	"profile_list": http.MethodGet, "profile_config": http.MethodGet, "create_keypair": http.MethodPost,
	"user_info": http.MethodGet, "system_messages": http.MethodGet, "user_messages": http.MethodGet,
}

func (p *Portal) api(r *http.Request, call string) reply {
	method, known := methods[call]
	switch {
	case p.Faults.API500:
		return reply{status: http.StatusInternalServerError, kind: typeJSON, body: `{"error":"[500] POST /var/www/secret/path failed"}`}
	case !known || p.Faults.Version3:
		return thrown(r, http.StatusNotFound, fmt.Sprintf("%q not found", "/"+call))
	case r.Method != method:
		return reply{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {method}}}
	}
	if p.Faults.RevokeBefore == call {
		clear(p.authorizations)
	}
	if _, refused := p.bearer(r); refused != nil {
		return *refused
	}
	switch call {
	case "profile_list":
		return wrapped(call, p.visible(), "")
	case "profile_config":
		return p.profileConfig(r)
	case "create_keypair":
		return p.keyPair()
	case "user_info":
		return wrapped(call, map[string]any{"user_id": User, "two_factor_enrolled": false, "is_disabled": false}, "")
	}
	return wrapped(call, []string{}, "")
}

// wrapped is an answer of the API: errors have status 200 too.
func wrapped(call string, data any, fault string) reply {
	inner := map[string]any{"ok": fault == "", "data": data}
	if fault != "" {
		inner = map[string]any{"ok": false, "error": fault}
	}
	b, _ := json.Marshal(map[string]any{call: inner}) // always encodes
	return reply{status: http.StatusOK, kind: typeJSON, body: string(b)}
}

func (p *Portal) visible() []map[string]any {
	list := []map[string]any{}
	for _, profile := range p.Profiles {
		if !profile.Hidden {
			list = append(list, map[string]any{
				"profile_id": profile.ID, "display_name": profile.Name, "two_factor": false, "default_gateway": true,
			})
		}
	}
	return list
}

func (p *Portal) profileConfig(r *http.Request) reply {
	if !r.URL.Query().Has("profile_id") {
		return thrown(r, http.StatusBadRequest, `missing query parameter "profile_id"`)
	}
	id := r.URL.Query().Get("profile_id")
	if !regexp.MustCompile(`^[a-zA-Z0-9-.]+$`).MatchString(id) {
		return wrapped("profile_config", nil, `invalid "profile_id"`)
	}
	for _, profile := range p.visible() {
		if profile["profile_id"] == id && !p.Faults.ProfileVanished {
			return reply{status: http.StatusOK, kind: "application/x-openvpn-profile", body: p.configuration(id)}
		}
	}
	return wrapped("profile_config", nil, "profile not available or no permission")
}

// configuration is that of a profile: lines end in CRLF, the last one in nothing.
func (p *Portal) configuration(id string) string {
	lines := []string{"# profile " + id, "dev tun", "client", "nobind", "remote-cert-tls server", "<ca>"}
	lines = append(lines, strings.Split(strings.TrimSpace(p.client.pem), "\n")...)
	lines = append(lines, "</ca>")
	if !p.Faults.NoTLSCrypt {
		lines = append(lines, "<tls-crypt>", "#", "# 2048 bit OpenVPN static key", "#", "-----BEGIN OpenVPN Static key V1-----",
			"00112233445566778899aabbccddeeff", "-----END OpenVPN Static key V1-----", "</tls-crypt>")
	}
	return strings.Join(append(lines, "remote "+p.Host+" 1194 udp", "remote "+p.Host+" 1194 tcp"), "\r\n")
}

func (p *Portal) keyPair() reply {
	if p.Faults.NoKeyPair {
		return reply{status: http.StatusInternalServerError, kind: typeJSON, body: `{"error":"[500] POST vpn-ca --client: /var/www/secret/path"}`}
	}
	certificate, key, err := p.client.clientPair()
	if err != nil {
		return reply{status: http.StatusInternalServerError, kind: typeJSON, body: fmt.Sprintf(`{"error":%q}`, err)}
	}
	p.issued++
	return wrapped("create_keypair", map[string]string{"certificate": certificate, "private_key": key}, "")
}
