package handlers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"vserver/service/core"
)

func TestLocksShowToWhoMayEditAndAreLifted(t *testing.T) {
	b := newBed(t)
	for range 5 {
		b.sendFrom(t, logIn("viewer", "wrong", 401), there)
	}
	b.sendFrom(t, logIn("researcher", "wrong", 401), there) // once, which locks nobody
	const lock = `{"id":5,"lock":{"failures":5,"until":null,"from":[{"network":"203.0.113.5","failures":5,"last":"*","until":"*"}]}}`
	b.run(
		row{as: "orgadmin", method: "GET", path: "/user/5?include=lock", want: 200, has: lock},
		row{as: "orgadmin", method: "GET", path: "/user?username=viewer&include=lock", want: 200, has: "[" + lock + "]"},
		row{as: "orgadmin", method: "GET", path: "/user?username=viewer&include=lock&include=metadata", want: 200, has: `{"data":[` + lock + `]}`},
		row{as: "viewer", method: "GET", path: "/user/5?include=lock", want: 200, has: lock}, // who has a token still
	)
	for path, as := range map[string]string{
		"/user/5": "orgadmin", "/user/6?include=lock": "orgadmin", "/user?include=lock": "researcher", "/user/5?include=metadata": "root",
	} {
		if reply := b.send(t, row{as: as, method: "GET", path: path}); reply.Code != 200 || strings.Contains(reply.Body.String(), `"lock"`) {
			t.Errorf("%s as %s: %d %s", path, as, reply.Code, reply.Body)
		}
	}
	unlock := func(as, id string, want int, msg string) row {
		return row{as: as, method: "POST", path: "/user/" + id + "/unlock", want: want, has: fmt.Sprintf(`{"msg":%q}`, msg)}
	}
	b.run(
		unlock("viewer", "5", 400, "You cannot unlock your own account: its lock ends by itself"),
		unlock("viewer", "6", 401, "You lack the permission to do that!"),
		unlock("small_admin", "999", 404, "user id=999 not found"),
		unlock("orgadmin", "2", 401, "*"), // who holds more
		row{method: "POST", path: "/user/5/unlock", want: 401},
		row{as: "node_iknl_z", method: "POST", path: "/user/5/unlock", want: 403},
		row{as: "orgadmin", method: "POST", path: "/user/x/unlock", want: 404},
		unlock("orgadmin", "5", 200, "user id=5 is unlocked"),
		unlock("orgadmin", "5", 200, "user id=5 is unlocked"),
	)
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 200), there); reply.Code != 200 {
		t.Errorf("the user gets %d", reply.Code)
	}
	if got := said(b.happened(t, "orgadmin", "?type=user-unlocked")); len(got) != 2 || got[0] != "user-unlocked viewer" {
		t.Errorf("it tells %q", got)
	}
}

func invite(as string, id int, body string, want int, has string) row {
	return row{as: as, method: "POST", path: fmt.Sprintf("/user/%d/invite", id), body: body, want: want, has: has}
}

func TestInvitations(t *testing.T) {
	b := newMailBed(t)
	const never = `{"msg":"The user has logged in already: a lost password is set anew with POST recover/lost"}`
	reply := b.send(t, invite("orgadmin", 5, `{"by":"link"}`, 201, ""))
	var first invitationJSON
	if err := json.Unmarshal(reply.Body.Bytes(), &first); err != nil || first.Token == "" || reply.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", reply.Code, reply.Body, reply.Header())
	}
	b.run(invite("orgadmin", 5, `{"by":"mail"}`, 201, `{"until":"*"}`))
	mails := b.mails(t)
	if len(mails) != 1 || mails[0].Kind != core.Invitation || mails[0].Recipient != "viewer@example.org" || mails[0].Facts.Username != "viewer" {
		t.Fatalf("mails: %+v", mails)
	}
	b.run(
		invite("orgadmin", 5, `{"by":"mail"}`, 400, `{"msg":"The user has no address, or was sent an invitation within the last hour"}`),
		reset(first.Token, "An0ther-one", 400, textNoToken), // the newest one counts, also after one that failed
		reset(mails[0].Facts.Token, "short", 400, "*"),
		reset(mails[0].Facts.Token, "An0ther-one", 200, textReset),
		reset(mails[0].Facts.Token, "An0ther-two", 400, textNoToken),
		logIn("viewer", "An0ther-one", 200),
	)
	b.s.core.NoteSeen(5)
	if err := b.s.core.FlushSeen(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{`{}`, `{"by":null}`, `{"by":"pigeon"}`, `{"by":["mail"]}`, `[]`, `x`} {
		b.run(invite("orgadmin", 6, by, 400, `{"msg":"*"}`))
	}
	b.run(
		invite("orgadmin", 5, `{"by":"link"}`, 400, never),
		invite("orgadmin", 7, `{"by":"link"}`, 400, `{"msg":"You cannot invite yourself"}`),
		invite("orgadmin", 2, `{"by":"link"}`, 401, `{"msg":"*"}`),
		invite("orgadmin", 10, `{"by":"link"}`, 401, denied),
		invite("researcher", 5, `x`, 401, denied),
		invite("orgadmin", 999, `x`, 404, `{"msg":"user id=999 not found"}`),
		invite("node_iknl_z", 5, `{"by":"link"}`, 403, ""),
		invite("", 5, `{"by":"link"}`, 401, ""),
	)
	without := newBed(t)
	without.run(invite("orgadmin", 5, `{"by":"mail"}`, 400, `{"msg":"This server sends no mail: invite by link"}`))
	if n := without.number(t, `SELECT COUNT(*) FROM recovery`) + without.number(t, `SELECT COUNT(*) FROM event`); n != 0 {
		t.Errorf("%d rows are left of an invitation that was refused", n)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	b := newBed(t)
	var in sessionJSON
	if err := json.Unmarshal(b.send(t, logIn("viewer", "Passw0rd!", 200)).Body.Bytes(), &in); err != nil {
		t.Fatal(err)
	}
	revoke := row{method: "POST", path: "/token/revoke", want: 200, has: `{"msg":"You are signed out everywhere"}`}
	b.run(withToken(in.AccessToken, row{method: "GET", path: "/user/5", want: 200}))
	b.closes(withToken(in.AccessToken, revoke), 5)
	const revoked = `{"msg":"Token has been revoked"}`
	b.run(
		withToken(in.AccessToken, row{method: "GET", path: "/user/5", want: 401, has: revoked}),
		withToken(in.RefreshToken, row{method: "POST", path: "/token/refresh", want: 401, has: revoked}),
		row{as: "node_iknl_z", method: "POST", path: "/token/revoke", want: 403},
		row{method: "POST", path: "/token/revoke", want: 401},
		logIn("viewer", "Passw0rd!", 200),
	)
}

func TestClientsOfNodesAreKnown(t *testing.T) {
	b := newBed(t)
	logsIn := func(node int, agent string) {
		t.Helper()
		b.succeed(row{method: "POST", path: "/token/node", body: fmt.Sprintf(`{"api_key":"key-%d"}`, node), header: map[string]string{"User-Agent": agent}, want: 200})
		if err := b.s.core.FlushSeen(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ says, kept string }{
		{"node/3.7.3 python-requests/2.31", "node/3.7.3 python-requests/2.31"},
		{"", "node/3.7.3 python-requests/2.31"}, // what it said before
		{"<script>\x7f\tä\xff\u202e", "<script>ä"},
		{strings.Repeat("é", 300), strings.Repeat("é", 200)},
	} {
		logsIn(12, c.says)
		kept, _ := json.Marshal(c.kept)
		b.run(row{as: "viewer", method: "GET", path: "/node/12?include=client", want: 200, has: `{"id":12,"client":` + string(kept) + `}`})
	}
	b.run(row{as: "root", method: "GET", path: "/node?include=client&include=metadata&page=1&per_page=1", want: 200, has: `{"data":[{"id":12,"client":"*"}]}`})
	for _, path := range []string{"/node/12", "/node/13?include=client", "/node?organization_id=3&include=client"} {
		if reply := b.send(t, row{as: "root", method: "GET", path: path}); reply.Code != 200 || strings.Contains(reply.Body.String(), `"client"`) {
			t.Errorf("%s: %d %s", path, reply.Code, reply.Body)
		}
	}
}
