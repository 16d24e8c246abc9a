package handlers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"vserver/queries"
	"vserver/service/core"
)

// bearing is a row that sends a token of its own.
func bearing(name, header string, want int, msg string) row {
	return row{
		name: name, method: "GET", path: "/organization/2", header: map[string]string{"Authorization": header},
		want: want, has: `{"msg":"` + msg + `"}`,
	}
}

func TestTokenErrors(t *testing.T) {
	b := newBed(t)
	now := time.Now().Unix()
	with := func(change func(map[string]any)) string {
		c := map[string]any{"iat": now, "nbf": now, "type": "access", "sub": 2, "exp": now + 60, "client_type": "user"}
		change(c)
		return "Bearer " + forge(t, "HS256", c, testSecret)
	}
	set := func(key string, value any) string { return with(func(c map[string]any) { c[key] = value }) }
	const notWhom = "The token does not say whom it is for"
	b.run(
		bearing("empty", "", 401, "Missing Authorization Header"),
		bearing("blank", " , ", 401, "Missing Authorization Header"),
		bearing("basic", "Basic x", 401, "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'"),
		bearing("lower case", "bearer x", 401, "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'"),
		bearing("two", "Bearer a, Bearer b", 401, "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'"),
		bearing("no token", "Bearer", 422, "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"),
		bearing("two words", "Bearer a b", 422, "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"),
		bearing("garbage", "Bearer garbage", 422, "Not enough segments"),
		bearing("broken header", "Bearer $.b.c", 422, "Invalid header padding"),
		bearing("broken payload", "Bearer e30.$.c", 422, "Invalid payload padding"),
		bearing("broken signature", "Bearer e30.e30.$", 422, "Invalid crypto padding"),
		bearing("expired", set("exp", now-1), 401, "Token has expired"),
		bearing("not yet", set("nbf", now+100), 422, "The token is not yet valid (nbf)"),
		bearing("no subject", with(func(c map[string]any) { delete(c, "sub") }), 422, "Missing claim: sub"),
		bearing("refresh", set("type", "refresh"), 422, "Only non-refresh tokens are allowed"),
		bearing("nobody", set("sub", 99999), 401, "Error loading the user 99999"),
		bearing("node that is a user", set("client_type", "node"), 422, "The token is for a node, and its account is that of a user"),
		bearing("text as subject", set("sub", "2"), 422, notWhom),
		bearing("object as subject", set("sub", map[string]any{"id": "2"}), 422, notWhom),
		bearing("recovery token", with(func(c map[string]any) {
			c["sub"], c["client_type"] = map[string]any{"id": "2"}, "container"
		}), 422, notWhom),
		bearing("no client type", with(func(c map[string]any) { delete(c, "client_type") }), 422, notWhom),
		bearing("unknown client type", set("client_type", "admin"), 422, notWhom),
		bearing("other key", "Bearer "+forge(t, "HS256", map[string]any{"sub": 2}, "x"), 422, "Signature verification failed"),
		row{
			name: "no times", method: "GET", path: "/organization/2", want: 200,
			header: map[string]string{"Authorization": "Bearer " + forge(t, "HS256", map[string]any{"sub": 2, "client_type": "user"}, testSecret)},
		},
	)
}

func TestAdvisory_T21_OnlyHS256Counts(t *testing.T) {
	b := newBed(t)
	c := map[string]any{"sub": 1, "type": "access", "client_type": "user"}
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	signed := strings.Split(forge(t, "HS256", c, testSecret), ".")
	const refused = "The specified alg value is not allowed"
	b.run(
		bearing("HS512", "Bearer "+forge(t, "HS512", c, testSecret), 422, refused),
		bearing("none", "Bearer "+part(map[string]string{"alg": "none"})+"."+part(c)+".", 422, refused),
		bearing("None", "Bearer "+part(map[string]string{"alg": "None"})+"."+signed[1]+"."+signed[2], 422, refused),
		bearing("RS256", "Bearer "+part(map[string]string{"alg": "RS256"})+"."+signed[1]+"."+signed[2], 422, refused),
		bearing("kid", "Bearer "+part(map[string]string{"alg": "HS256", "kid": "../../dev/null"})+"."+signed[1]+"."+signed[2], 422, "Signature verification failed"),
	)
}

// decode reads the claims of a token without looking at its signature, as clients
// do.
func decode(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// session logs in and returns the reply's object.
func (b *bed) session(t *testing.T, r row) map[string]any {
	t.Helper()
	reply := b.send(t, r)
	var j map[string]any
	if err := json.Unmarshal(reply.Body.Bytes(), &j); err != nil || reply.Code != 200 {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	return j
}

func TestUserSession(t *testing.T) {
	b := newBed(t)
	r := row{method: "POST", path: "/token/user", body: `{"username":"admin","password":"Passw0rd!"}`}
	j := b.session(t, r)
	if j["user_url"] != "/api/user/2" || j["refresh_url"] != "/api/token/refresh" || len(j) != 4 {
		t.Errorf("the session is %v", j)
	}
	access := decode(t, j["access_token"].(string))
	if access["sub"] != 2.0 || access["client_type"] != "user" || access["type"] != "access" || access["fresh"] != false ||
		access["exp"].(float64)-access["iat"].(float64) != 21600 || access["roles"].([]any)[0] != "super" {
		t.Errorf("access token: %v", access)
	}
	refresh := decode(t, j["refresh_token"].(string))
	if refresh["type"] != "refresh" || refresh["exp"].(float64)-refresh["iat"].(float64) != 48*3600 {
		t.Errorf("refresh token: %v", refresh)
	}
	again := b.session(t, row{method: "POST", path: "/token/refresh", header: map[string]string{"Authorization": "Bearer " + j["refresh_token"].(string)}})
	if len(again) != 4 || again["user_url"] != "/api/user/2" {
		t.Errorf("the refreshed session is %v", again)
	}
	b.run(
		row{
			name: "access token", method: "POST", path: "/token/refresh", want: 422, has: `{"msg":"Only refresh tokens are allowed"}`,
			header: map[string]string{"Authorization": "Bearer " + j["access_token"].(string)},
		},
		row{name: "no password", method: "POST", path: "/token/user", body: `{"username":"admin"}`, want: 400, has: `{"msg":"Username and/or password missing in JSON body"}`},
		row{name: "number", method: "POST", path: "/token/user", body: `{"username":"admin","password":1}`, want: 400},
		row{name: "no body", method: "POST", path: "/token/user", want: 400, has: `{"msg":"Missing JSON in request"}`},
		row{name: "broken", method: "POST", path: "/token/user", body: `{`, want: 400, has: `{"message":"The browser (or proxy) sent a request that this server could not understand."}`},
		row{name: "form", method: "POST", path: "/token/user", body: `username=a`, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, want: 400, has: `{"msg":"Missing JSON in request"}`},
	)
}

func TestNodeSession(t *testing.T) {
	b := newBed(t)
	j := b.session(t, row{method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`})
	access, refresh := decode(t, j["access_token"].(string)), decode(t, j["refresh_token"].(string))
	if j["node_url"] != "/api/node/12" || access["exp"] == nil || refresh["exp"] != nil || access["sub"] != 12.0 {
		t.Errorf("session %v, access %v, refresh %v", j, access, refresh)
	}
	b.run(
		row{name: "wrong", method: "POST", path: "/token/node", body: `{"api_key":"key-1"}`, want: 401, has: `{"msg":"Api key is not recognized!"}`},
		row{name: "number", method: "POST", path: "/token/node", body: `{"api_key":1}`, want: 400, has: `{"msg":"api_key missing in JSON body"}`},
		row{name: "empty", method: "POST", path: "/token/node", body: `{}`, want: 400},
		row{
			name: "refresh", method: "POST", path: "/token/refresh", want: 200, has: `{"node_url":"/api/node/12","refresh_token":"*"}`,
			header: map[string]string{"Authorization": "Bearer " + j["refresh_token"].(string)},
		},
	)
}

func TestContainerToken(t *testing.T) {
	b := newBed(t)
	ask := func(as, body string, want int, has string) row {
		return row{name: body, as: as, method: "POST", path: "/token/container", body: body, want: want, has: has}
	}
	b.run(
		ask("admin", `{"task_id":1,"image":"hello-world"}`, 403, ""),
		ask("node_iknl_z", `{}`, 400, `{"msg":"Master task does not exist!"}`),
		ask("node_iknl_z", `{"task_id":"x","image":"hello-world"}`, 400, `{"msg":"Master task does not exist!"}`),
		ask("node_iknl_z", `{"task_id":99,"image":"hello-world"}`, 400, `{"msg":"Master task does not exist!"}`),
		ask("node_iknl_z", `{"task_id":1,"image":"other"}`, 401, `{"msg":"Image and task do no match"}`),
		ask("node_iknl_z", `{"task_id":1}`, 401, `{"msg":"Image and task do no match"}`),
		ask("node_iknl_p", `{"task_id":1,"image":"hello-world"}`, 401, `{"msg":"You are not within the collaboration"}`),
	)
	j := b.session(t, row{as: "node_iknl_z", method: "POST", path: "/token/container", body: `{"task_id":1,"image":"hello-world"}`})
	c := decode(t, j["container_token"].(string))
	sub := c["sub"].(map[string]any)
	if c["exp"] != nil || c["client_type"] != "container" || len(sub) != 7 || sub["node_id"] != 12.0 || sub["database"] != "default" || sub["image"] != "hello-world" {
		t.Errorf("container token: %v", c)
	}
	b.change(t, `UPDATE result SET finished_at = '2026-01-02T03:04:05.000000Z'`)
	b.run(ask("node_iknl_z", `{"task_id":1,"image":"hello-world"}`, 400, `{"msg":"Task is already finished!"}`))
	b.change(t, `DELETE FROM result WHERE organization_id = 2`)
	b.run(ask("node_iknl_z", `{"task_id":1,"image":"hello-world"}`, 401, `{"msg":"Task is not assigned to your organization"}`))
}

func TestAdvisory_T03_RefreshTokensEnd(t *testing.T) {
	b := newBed(t)
	now := time.Now().Unix()
	old := func(iat int64) map[string]string {
		c := map[string]any{"iat": iat, "nbf": iat, "type": "refresh", "sub": 2, "client_type": "user"}
		return map[string]string{"Authorization": "Bearer " + forge(t, "HS256", c, testSecret)}
	}
	refresh := func(name string, header map[string]string, want int, has string) row {
		return row{name: name, method: "POST", path: "/token/refresh", header: header, want: want, has: has}
	}
	bearer := func(as int64, kind string, c claims) map[string]string {
		c.Subject, c.ClientType, c.Type = json.RawMessage(json.Number(itoa(as))), kind, refreshToken
		return map[string]string{"Authorization": "Bearer " + b.sign(c, time.Hour)}
	}
	b.run(
		refresh("the reference's, fresh", old(now), 200, ""),
		refresh("the reference's, too old", old(now-48*3600-1), 401, `{"msg":"Token has expired"}`),
		refresh("another generation", bearer(2, "user", claims{Generation: 1}), 401, `{"msg":"Token has been revoked"}`),
		refresh("user", bearer(2, "user", claims{}), 200, ""),
		refresh("node", bearer(12, "node", claims{}), 200, ""),
	)
	for _, id := range []int64{2, 12} {
		err := b.db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error { return tx.RevokeAllTokens(ctx, id) })
		if err != nil {
			t.Fatal(err)
		}
	}
	b.forget(t)
	b.run(
		refresh("user, revoked", bearer(2, "user", claims{}), 401, `{"msg":"Token has been revoked"}`),
		refresh("node, revoked", bearer(12, "node", claims{}), 401, `{"msg":"Token has been revoked"}`),
		row{name: "access, reset", as: "admin", method: "GET", path: "/organization/2", want: 401, has: `{"msg":"Token has been revoked"}`},
	)
}

func TestAdvisory_U7_ForwardedAddressesCountOnlyFromTrustedProxies(t *testing.T) {
	b := newBedWith(t, core.Settings{})
	logIn := func(name, from, forwarded string, want int) {
		t.Helper()
		req := row{name: name, method: "POST", path: "/token/user", body: `{"username":"root","password":"root"}`, header: map[string]string{}}
		if forwarded != "" {
			req.header["X-Forwarded-For"] = forwarded
		}
		reply := b.sendFrom(t, req, from)
		if reply.Code != want {
			t.Errorf("%s: got %d %s", name, reply.Code, reply.Body)
		}
	}
	logIn("this machine", "127.0.0.1:1", "", 200)
	logIn("another", "192.0.2.1:1", "", 401)
	logIn("another that claims to be forwarded", "192.0.2.1:1", "127.0.0.1", 401)
	logIn("an untrusted proxy on this machine", "127.0.0.1:1", "127.0.0.1", 401)
	logIn("over IPv6", "[::1]:1", "", 200)
}

// forge signs any claims with any key.
func forge(t *testing.T, alg string, c map[string]any, key string) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.GetSigningMethod(alg), jwt.MapClaims(c)).SignedString([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
