package vpn

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vserver/service/config"
	"vserver/service/promise"
	"vserver/service/vpn/vpntest"
)

// settingsFor are those that fit a portal.
func settingsFor(p *vpntest.Portal) config.VPN {
	return config.VPN{
		URL: p.URL(), RedirectURL: vpntest.RedirectURL, ClientID: vpntest.Client, ClientSecret: vpntest.Secret,
		PortalUsername: vpntest.User, PortalUserpass: vpntest.Password, CA: p.CAFile,
	}
}

// blockOf takes a file out of a configuration.
func blockOf(t *testing.T, text, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "<"+name+">\r\n")
	inner, _, closed := strings.Cut(rest, "</"+name+">\r\n")
	if !ok || !closed || strings.Contains(rest[len(inner):], "<"+name+">") {
		t.Fatalf("not one <%s> in %q", name, text)
	}
	return inner
}

// The whole way, as a real portal has it, in each form of its address.
func TestPortal_GivesAConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		start  func(testing.TB) *vpntest.Portal
		change func(*vpntest.Portal, *config.VPN)
	}{
		"as it is":           {vpntest.Start, func(*vpntest.Portal, *config.VPN) {}},
		"a slash at the end": {vpntest.Start, func(_ *vpntest.Portal, v *config.VPN) { v.URL += "/" }},
		"at the root":        {vpntest.Start, func(p *vpntest.Portal, v *config.VPN) { p.Prefix, v.URL = "", p.Root() }},
		"at the root, slash": {vpntest.Start, func(p *vpntest.Portal, v *config.VPN) { p.Prefix, v.URL = "", p.Root()+"/" }},
		"at another prefix":  {vpntest.Start, func(p *vpntest.Portal, v *config.VPN) { p.Prefix = "/a/b"; v.URL = p.URL() }},
		"from 2.4.6":         {vpntest.Start, func(p *vpntest.Portal, _ *config.VPN) { p.Faults.Issuer = true }},
		"a public client":    {vpntest.Start, func(p *vpntest.Portal, _ *config.VPN) { p.Clients[vpntest.Client].Secret = "" }},
		"http on loopback":   {vpntest.StartPlain, func(*vpntest.Portal, *config.VPN) {}},
		"an old portal":      {vpntest.Start, func(p *vpntest.Portal, _ *config.VPN) { p.Faults.NoTLSCrypt = true }},
		"blanks at the name": {vpntest.Start, func(_ *vpntest.Portal, v *config.VPN) { v.PortalUsername = " " + v.PortalUsername + " " }},
		"another redirect": {vpntest.Start, func(p *vpntest.Portal, v *config.VPN) {
			v.RedirectURL = "http://Localhost:4200/?a=b"
			p.Clients[vpntest.Client].Redirects = []string{"http://localhost", v.RedirectURL}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.start(t)
			set := settingsFor(p)
			p.Change(func(p *vpntest.Portal) { c.change(p, &set) })
			portal := New(set)
			text, err := portal.Configuration(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasPrefix(text, "# profile internet\r\n") {
				t.Errorf("lines do not all end in CRLF, or it is another profile: %q", text)
			}
			checkPair(t, p, text)
			if p.Issued() != 1 || p.Authorizations() != 1 {
				t.Errorf("%d key pairs, %d authorizations", p.Issued(), p.Authorizations())
			}
		})
	}
}

// checkPair checks the key pair of a configuration.
func checkPair(t *testing.T, p *vpntest.Portal, text string) {
	t.Helper()
	certificate, key := blockOf(t, text, "cert"), blockOf(t, text, "key")
	if err := p.IssuedBy(certificate); err != nil {
		t.Error(err)
	}
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		t.Fatalf("the key is no PEM: %q", key)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if _, ok := private.(*ecdsa.PrivateKey); err != nil || !ok {
		t.Errorf("the key is %T, %v", private, err)
	}
	if at := strings.Index(text, "<tls-crypt>"); at >= 0 && !strings.HasSuffix(text[:at], "</key>\r\n") {
		t.Errorf("the key pair does not stand before <tls-crypt>: %q", text)
	}
}

// keys returns the sorted names of a form's or a query's fields.
func keys(v url.Values) []string { return slices.Sorted(maps.Keys(v)) }

// What the portal is asked, to the letter.
func TestPortal_IsAskedAsTheRealOneExpects(t *testing.T) {
	p := vpntest.Start(t)
	set := settingsFor(p)
	if _, err := New(set).Configuration(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked := p.Requests()
	var lines []string
	for _, r := range asked {
		lines = append(lines, r.Method+" "+r.Path)
		if slices.Contains(keys(url.Values(r.Header)), "Accept") {
			t.Errorf("%s has an Accept header", r.Path)
		}
	}
	want := []string{
		"POST /vpn-user-portal/_form/auth/verify", "GET /vpn-user-portal/_oauth/authorize", "POST /vpn-user-portal/oauth.php/token",
		"GET /vpn-user-portal/api.php/profile_list", "GET /vpn-user-portal/api.php/profile_config", "POST /vpn-user-portal/api.php/create_keypair",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Fatal(diff)
	}
	form := asked[0].Form
	if diff := cmp.Diff(url.Values{"userName": {vpntest.User}, "userPass": {vpntest.Password}, "_form_auth_redirect_to": {p.URL()}}, form); diff != "" {
		t.Errorf("log-in: %s", diff)
	}
	q, err := url.ParseQuery(asked[1].Query)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"client_id", "code_challenge", "code_challenge_method", "redirect_uri", "response_type", "scope", "state"}, keys(q)); diff != "" {
		t.Errorf("authorization: %s", diff)
	}
	form = asked[2].Form
	if diff := cmp.Diff([]string{"client_id", "code", "code_verifier", "grant_type", "redirect_uri"}, keys(form)); diff != "" {
		t.Errorf("token: %s", diff)
	}
	if got, want := asked[2].Header.Get("Authorization"), "Basic "+base64.StdEncoding.EncodeToString([]byte(vpntest.Client+":"+vpntest.Secret)); got != want {
		t.Errorf("token: Authorization is %q, not %q", got, want)
	}
	for _, r := range asked[3:] {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") || r.Body != "" {
			t.Errorf("%s: %q, body %q", r.Path, r.Header.Get("Authorization"), r.Body)
		}
	}
	if last := asked[5]; last.Header.Get("Content-Type") != "" {
		t.Errorf("the key pair is asked for with a content type: %v", last.Header)
	}
	noSecrets(t, asked)
}

// noSecrets checks that no address has what is secret, and that each code came once.
func noSecrets(t *testing.T, asked []vpntest.Request) {
	t.Helper()
	codes := map[string]int{}
	for _, r := range asked {
		for _, secret := range []string{vpntest.Secret, vpntest.Password} {
			if strings.Contains(r.Query, url.QueryEscape(secret)) || strings.Contains(r.Query, secret) {
				t.Errorf("%s?%s has a secret", r.Path, r.Query)
			}
		}
		if r.Form.Has("client_secret") {
			t.Errorf("%s has the secret in its form", r.Path)
		}
		if code := r.Form.Get("code"); code != "" {
			codes[code]++
			if codes[code] > 1 {
				t.Errorf("a code was sent %d times", codes[code])
			}
		}
	}
}

// Each request has a state, a verifier and a session of its own.
func TestPortal_RepeatsNothing(t *testing.T) {
	p := vpntest.Start(t)
	portal := New(settingsFor(p))
	seen := map[string]bool{}
	for range 3 {
		if _, err := portal.Renew(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		asked := p.Requests()
		q, _ := url.ParseQuery(asked[1].Query)
		for _, fresh := range []string{q.Get("state"), q.Get("code_challenge"), asked[2].Form.Get("code_verifier"), asked[1].Header.Get("Cookie")} {
			if seen[fresh] || len(fresh) < 20 {
				t.Errorf("%q is not new", fresh)
			}
			seen[fresh] = true
		}
		if asked[0].Header.Get("Cookie") != "" {
			t.Error("a log-in has the session of an earlier one")
		}
	}
	if p.Authorizations() != 3 || p.Issued() != 3 {
		t.Errorf("%d authorizations, %d key pairs", p.Authorizations(), p.Issued())
	}
}

// Renewing asks for no profile, so it works without a visible one.
func TestPortal_Renews(t *testing.T) {
	p := vpntest.Start(t)
	p.Change(func(p *vpntest.Portal) { p.Profiles = nil })
	text, err := New(settingsFor(p)).Renew(t.Context(), "client\r\n<cert>\r\nold\r\n</cert>\r\n<key>\r\nold\r\n</key>\r\n<tls-crypt>\r\nx\r\n</tls-crypt>\r\nremote h 1 udp")
	if err != nil {
		t.Fatal(err)
	}
	checkPair(t, p, text)
	if strings.Contains(text, "old") || !strings.HasPrefix(text, "client\r\n<cert>\r\n") || !strings.HasSuffix(text, "</key>\r\n<tls-crypt>\r\nx\r\n</tls-crypt>\r\nremote h 1 udp") {
		t.Errorf("%q", text)
	}
	if asked := p.Requests(); len(asked) != 4 {
		t.Errorf("%d requests", len(asked))
	}
}

// A check goes all the way but issues nothing.
func TestPortal_Check(t *testing.T) {
	p := vpntest.Start(t)
	profile, err := New(settingsFor(p)).Check(t.Context())
	if err != nil || profile != "internet" || p.Issued() != 0 {
		t.Errorf("%q %v, %d key pairs", profile, err, p.Issued())
	}
}

// Whatever goes wrong is told by its step and its cause, and nothing secret is in it.
func TestPortal_Failures(t *testing.T) {
	fault := func(change func(*vpntest.Faults)) func(*vpntest.Portal, *config.VPN) {
		return func(p *vpntest.Portal, _ *config.VPN) { change(&p.Faults) }
	}
	answer := func(path, text string) func(*vpntest.Portal, *config.VPN) {
		return fault(func(f *vpntest.Faults) { f.Answers = map[string]string{path: text} })
	}
	set := func(change func(*config.VPN)) func(*vpntest.Portal, *config.VPN) {
		return func(_ *vpntest.Portal, v *config.VPN) { change(v) }
	}
	for name, c := range map[string]struct {
		change func(*vpntest.Portal, *config.VPN)
		cause  Cause
		step   Step
		has    string
	}{
		"wrong password":   {set(func(v *config.VPN) { v.PortalUserpass = "wrong horse" }), Refused, LogIn, "are not those of a user"},
		"unknown user":     {set(func(v *config.VPN) { v.PortalUsername = "nobody" }), Refused, LogIn, "are not those of a user"},
		"bare host":        {func(p *vpntest.Portal, v *config.VPN) { v.URL = p.Root() }, Refused, LogIn, "the portal of this host is at"},
		"wrong path":       {func(p *vpntest.Portal, v *config.VPN) { v.URL = p.Root() + "/elsewhere" }, Refused, LogIn, "the portal of this host is at"},
		"below the portal": {set(func(v *config.VPN) { v.URL += "/home" }), Refused, LogIn, "or url leads below it"},
		"no portal at all": {func(p *vpntest.Portal, v *config.VPN) {
			v.URL = p.Root() + "/x"
			p.Faults.Answers = map[string]string{"/.well-known/vpn-user-portal": "[]"}
		}, Refused, LogIn, "status 404"},
		"another name":        {func(p *vpntest.Portal, _ *config.VPN) { p.Host = "vpn.example.org" }, Refused, LogIn, "redirect_to does not match expected host"},
		"release 3.x":         {fault(func(f *vpntest.Faults) { f.Version3 = true }), Refused, LogIn, "the portal is of release 3.x"},
		"back end down":       {fault(func(f *vpntest.Faults) { f.LogIn500 = true }), Refused, LogIn, "status 500"},
		"redirect loop":       {fault(func(f *vpntest.Faults) { f.RedirectLoop = true }), Refused, Authorize, "shows a page"},
		"disabled":            {func(p *vpntest.Portal, _ *config.VPN) { p.Users[vpntest.User].Disabled = true }, Refused, Authorize, "account disabled"},
		"second factor":       {func(p *vpntest.Portal, _ *config.VPN) { p.Users[vpntest.User].NeedsTOTP = true }, Refused, Authorize, "two_factor_enroll"},
		"approval":            {func(p *vpntest.Portal, _ *config.VPN) { p.Clients[vpntest.Client].Approval = true }, Refused, Authorize, "require_approval"},
		"unknown client":      {set(func(v *config.VPN) { v.ClientID = "nobody" }), Refused, Authorize, "client does not exist"},
		"unknown redirect":    {set(func(v *config.VPN) { v.RedirectURL += "/" }), Refused, Authorize, "client does not support this"},
		"state of another":    {fault(func(f *vpntest.Faults) { f.OtherState = true }), Refused, Authorize, "state of another request"},
		"wrong secret":        {set(func(v *config.VPN) { v.ClientSecret = "wrong horse" }), Refused, Token, "invalid authenticating pass"},
		"token without token": {answer("oauth.php/token", `{"token_type":"bearer"}`), Unusable, Token, "without a token"},
		"token that is none":  {answer("oauth.php/token", `hello`), Unusable, Token, "without a token"},
		"token without life":  {fault(func(f *vpntest.Faults) { f.ExpiredToken = true }), Refused, Profiles, `\"access_token\" expired`},
		"token revoked":       {fault(func(f *vpntest.Faults) { f.RevokeBefore = "profile_config" }), Refused, Profile, "no longer exists"},
		"revoked at the end":  {fault(func(f *vpntest.Faults) { f.RevokeBefore = "create_keypair" }), Refused, KeyPair, "no longer exists"},
		"API down":            {fault(func(f *vpntest.Faults) { f.API500 = true }), Refused, Token, "status 500"},
		"no profile":          {func(p *vpntest.Portal, _ *config.VPN) { p.Profiles = p.Profiles[:1] }, Unconfigured, Profiles, "no profile"},
		"list that is none":   {answer("api.php/profile_list", `{"profile_list":{"ok":true,"data":{"a":1}}}`), Unusable, Profiles, "release 2.x"},
		"list of another":     {answer("api.php/profile_list", `{"info":{}}`), Unusable, Profiles, "release 2.x"},
		"list without name":   {answer("api.php/profile_list", `{"profile_list":{"ok":true,"data":[{}]}}`), Unconfigured, Profiles, "no profile"},
		"list not ok":         {answer("api.php/profile_list", `{"profile_list":{"ok":false,"error":"why"}}`), Unusable, Profiles, `"why"`},
		"page for a list":     {answer("api.php/profile_list", `<html>`), Unusable, Profiles, "release 2.x"},
		"profile vanished":    {fault(func(f *vpntest.Faults) { f.ProfileVanished = true }), Unusable, Profile, "profile not available or no permission"},
		"profile is JSON":     {answer("api.php/profile_config", `{"profile_config":{"ok":true,"data":"x"}}`), Unusable, Profile, "no OpenVPN configuration"},
		"no key pair":         {fault(func(f *vpntest.Faults) { f.NoKeyPair = true }), Unusable, KeyPair, "status 500"},
		"half a key pair":     {answer("api.php/create_keypair", `{"create_keypair":{"ok":true,"data":{"certificate":"x"}}}`), Unusable, KeyPair, "no certificate or no key"},
		"key pair is null":    {answer("api.php/create_keypair", `{"create_keypair":null}`), Unusable, KeyPair, "could not do it"},
		"endless answer":      {answer("api.php/profile_list", strings.Repeat(" ", mostAnswer+1)), Unusable, Profiles, "longer than"},
		"cut log-in":          {fault(func(f *vpntest.Faults) { f.Cut = "/verify" }), Unusable, LogIn, "broke off"},
		"cut token":           {fault(func(f *vpntest.Faults) { f.Cut = "/token" }), Unusable, Token, "broke off"},
		"cut profile":         {fault(func(f *vpntest.Faults) { f.Cut = "/profile_config" }), Unusable, Profile, "broke off"},
		"not trusted":         {set(func(v *config.VPN) { v.CA = "" }), Unreachable, LogIn, "certificate"},
		"unknown name":        {set(func(v *config.VPN) { v.URL = "https://portal.invalid/x" }), Unreachable, LogIn, ""},
		"nobody listens":      {set(func(v *config.VPN) { v.URL = "https://127.0.0.1:1/x" }), Unreachable, LogIn, "no connection"},
		"http":                {set(func(v *config.VPN) { v.URL = "http://vpn.example.org/vpn-user-portal" }), Unconfigured, Settings, "https"},
		"no client_id":        {set(func(v *config.VPN) { v.ClientID = "" }), Unconfigured, Settings, "needs a value for client_id"},
		"nothing":             {set(func(v *config.VPN) { *v = config.VPN{} }), Unconfigured, Settings, "url, portal_username, portal_userpass, client_id, client_secret, redirect_url"},
		"no ca":               {set(func(v *config.VPN) { v.CA += ".gone" }), Unconfigured, Settings, "has a ca that cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			p := vpntest.Start(t)
			v := settingsFor(p)
			p.Change(func(p *vpntest.Portal) { c.change(p, &v) })
			text, err := New(v).Configuration(t.Context())
			f, ok := errors.AsType[*Failure](err)
			if !ok || text != "" {
				t.Fatalf("%q, %v", text, err)
			}
			if f.Cause != c.cause || f.Step != c.step || !strings.Contains(err.Error(), c.has) {
				t.Errorf("cause %d at %q: %v", f.Cause, f.Step, err)
			}
			for _, secret := range []string{vpntest.Password, vpntest.Secret, "wrong horse", "code=", "eyJ"} {
				if strings.Contains(fmt.Sprintf("%v %+v", err, *f), secret) {
					t.Errorf("%q is in %v", secret, err)
				}
			}
			if p.Issued() != 0 {
				t.Errorf("%d key pairs were issued", p.Issued())
			}
			noSecrets(t, p.Requests())
		})
	}
}

// A file of the authority that is none is told.
func TestPortal_BadAuthority(t *testing.T) {
	p := vpntest.Start(t)
	v := settingsFor(p)
	v.CA = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(v.CA, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(v).Check(t.Context())
	if f, ok := errors.AsType[*Failure](err); !ok || f.Cause != Unconfigured || !strings.Contains(err.Error(), "holds no certificate in PEM") {
		t.Errorf("%v", err)
	}
}

// A portal that hangs holds nobody for longer than the time for one request, at
// whatever step, and one that cannot be connected to is away.
func TestPortal_Hangs(t *testing.T) {
	if patience != 15*time.Second {
		t.Errorf("one request may take %s", patience)
	}
	for _, path := range []string{"/verify", "/authorize", "/token", "/profile_list", "/profile_config", "/create_keypair"} {
		t.Run(path, func(t *testing.T) {
			p := vpntest.Start(t)
			p.Change(func(p *vpntest.Portal) { p.Faults.Hang = path })
			portal := New(settingsFor(p))
			portal.patience = 500 * time.Millisecond
			begun := time.Now()
			_, err := portal.Configuration(t.Context())
			if f, ok := errors.AsType[*Failure](err); !ok || f.Cause != Unusable || !strings.Contains(err.Error(), "did not answer within 500ms") {
				t.Errorf("%v", err)
			}
			if took := time.Since(begun); took > promise.Patience {
				t.Errorf("it took %s", took)
			}
			if tokens := slices.DeleteFunc(p.Requests(), func(r vpntest.Request) bool { return !strings.HasSuffix(r.Path, "/token") }); len(tokens) > 1 {
				t.Errorf("%d requests for a token", len(tokens))
			}
		})
	}
	t.Run("no handshake", func(t *testing.T) {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		p := vpntest.Start(t)
		v := settingsFor(p)
		v.URL = "https://" + l.Addr().String() + "/vpn-user-portal"
		portal := New(v)
		portal.patience = 500 * time.Millisecond
		_, err = portal.Configuration(t.Context())
		if f, ok := errors.AsType[*Failure](err); !ok || f.Cause != Unreachable || !strings.Contains(err.Error(), "no connection within 500ms") {
			t.Errorf("%v", err)
		}
	})
}

// Who does not wait any more is no failure of the portal.
func TestPortal_CallerGoesAway(t *testing.T) {
	p := vpntest.Start(t)
	p.Change(func(p *vpntest.Portal) { p.Faults.Hang = "/token" })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	_, err := New(settingsFor(p)).Configuration(ctx)
	if _, failed := errors.AsType[*Failure](err); failed || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Many nodes at once all get their configuration, a few at a time.
func TestPortal_ManyAtOnce(t *testing.T) {
	p := vpntest.Start(t)
	portal := New(settingsFor(p))
	var asking sync.WaitGroup
	for range 3 * together {
		asking.Go(func() {
			if _, err := portal.Configuration(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if p.Issued() != 3*together || p.Authorizations() != 3*together || p.MostTogether() > together {
		t.Errorf("%d key pairs, %d authorizations, %d at a time", p.Issued(), p.Authorizations(), p.MostTogether())
	}
	noSecrets(t, p.Requests())
}
