package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/vpn"
	"vserver/service/vpn/vpntest"
)

// newVPNBed is a bed whose server asks a portal; the settings are right.
func newVPNBed(t *testing.T) (*bed, *vpntest.Portal) {
	t.Helper()
	p := vpntest.Start(t)
	return newBedWith(t, core.Settings{VPN: vpn.New(vpnSettings(p))}), p
}

func vpnSettings(p *vpntest.Portal) config.VPN {
	return config.VPN{
		URL: p.URL(), RedirectURL: vpntest.RedirectURL, ClientID: vpntest.Client, ClientSecret: vpntest.Secret,
		PortalUsername: vpntest.User, PortalUserpass: vpntest.Password, CA: p.CAFile,
	}
}

func TestVPN_GivesNodesAConfiguration(t *testing.T) {
	b, p := newVPNBed(t)
	b.run(
		row{as: "node_iknl_z", method: "HEAD", path: "/vpn", want: 200},
		row{as: "root", method: "GET", path: "/vpn", want: 403, has: `{"msg":"users are not allowed to access http://server.example/api/vpn (GET)"}`},
		row{as: "container", method: "GET", path: "/vpn", want: 403, has: `{"msg":"containers are not allowed to access http://server.example/api/vpn (GET)"}`},
		row{method: "GET", path: "/vpn", want: 401, has: `{"msg":"Missing Authorization Header"}`},
		row{as: "node_iknl_z", method: "POST", path: "/vpn", body: `{}`, want: 405},
		row{as: "node_iknl_z", method: "GET", path: "/vpn/update", want: 405},
		row{as: "root", method: "POST", path: "/vpn/update", body: `{"vpn_config":"x"}`, want: 403},
		row{as: "container", method: "POST", path: "/vpn/update", body: `{"vpn_config":"x"}`, want: 403},
		row{method: "POST", path: "/vpn/update", body: `{"vpn_config":"x"}`, want: 401},
	)
	if p.Issued() != 1 {
		t.Fatalf("%d key pairs", p.Issued())
	}
	reply := b.send(t, row{as: "node_iknl_z", method: "GET", path: "/vpn"})
	var given map[string]string
	if err := json.Unmarshal(reply.Body.Bytes(), &given); err != nil || reply.Code != 200 || len(given) != 1 {
		t.Fatalf("%d %v %s", reply.Code, err, reply.Body)
	}
	text := given["ovpn_config"]
	for _, part := range []string{"# profile internet\r\n", "<cert>\r\n-----BEGIN CERTIFICATE-----\r\n", "<key>\r\n-----BEGIN PRIVATE KEY-----\r\n", "</key>\r\n<tls-crypt>\r\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in %q", part, text)
		}
	}
	if cache := reply.Header().Get("Cache-Control"); cache != "no-store" {
		t.Errorf("a private key may be kept: %q", cache)
	}
	// A node turns CRLF into LF, keeps the text and sends it when its keys are used up.
	kept := strings.ReplaceAll(text, "\r\n", "\n")
	reply = b.send(t, row{as: "node_iknl_z", method: "POST", path: "/vpn/update", body: map[string]string{"vpn_config": kept}})
	if err := json.Unmarshal(reply.Body.Bytes(), &given); err != nil || reply.Code != 200 || reply.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", reply.Code, err, reply.Body)
	}
	renewed := given["ovpn_config"]
	if strings.Contains(renewed, "\r") || renewed == kept || withoutPair(renewed) != withoutPair(kept) {
		t.Errorf("renewed:\n%q\nbefore:\n%q", renewed, kept)
	}
	if log := b.log.take(); !strings.Contains(log, `"node":12`) || strings.Contains(log, "PRIVATE KEY") {
		t.Errorf("the log says %s", log)
	}
}

// withoutPair is what a configuration has beside its key pair.
func withoutPair(text string) string {
	before, _, _ := strings.Cut(text, "<cert>")
	_, after, _ := strings.Cut(text, "</key>")
	return before + after
}

// Without a portal every method says so before anything else is looked at.
func TestVPN_NotConfigured(t *testing.T) {
	b := newBed(t)
	const none = `{"msg":"This server does not support VPN"}`
	b.run(
		row{as: "node_iknl_z", method: "GET", path: "/vpn", want: 501, has: none},
		row{as: "node_iknl_z", method: "POST", path: "/vpn/update", body: `{"vpn_config":"x"}`, want: 501, has: none},
		row{as: "node_iknl_z", method: "POST", path: "/vpn/update", body: `{}`, want: 501, has: none},
		row{as: "node_iknl_z", method: "POST", path: "/vpn/update", body: `[`, want: 501, has: none},
		row{as: "node_iknl_z", method: "POST", path: "/vpn/update", want: 501, has: none},
		row{as: "root", method: "GET", path: "/vpn", want: 403},
	)
}

func TestVPN_BadUpdates(t *testing.T) {
	b, p := newVPNBed(t)
	const missing = `{"msg":"vpn_config is missing!"}`
	update := func(body any, want int, has string) row {
		return row{as: "node_iknl_z", method: "POST", path: "/vpn/update", body: body, want: want, has: has}
	}
	b.run(
		update(`{}`, 400, missing),
		update(`{"vpn_config":null}`, 400, missing),
		update(`{"vpn_config":""}`, 400, missing),
		update(nil, 400, `{"msg":"*"}`),
		update(`[`, 400, `{"msg":"*","message":"*"}`),
		update(`[]`, 400, `{"msg":"*"}`),
		update(`{"vpn_config":1}`, 400, `{"msg":"vpn_config: has to be a text"}`),
		update(`{"vpn_config":"a\u0000b"}`, 400, `{"msg":"vpn_config: has a NUL character"}`),
	)
	if asked := p.Requests(); len(asked) > 0 {
		t.Errorf("the portal was asked %d times", len(asked))
	}
	b.run(update(map[string]string{"vpn_config": strings.Repeat("# Ω\t\x1b\n", 100_000)}, 200, ""))
}

// Each kind of failure has its status and its text, the log has the step and what the
// portal said, and neither has a secret.
func TestVPN_Failures(t *testing.T) {
	const (
		refused    = "Could not obtain VPN configuration because the vantage6 server could not authorize to the VPN portal."
		settings   = "Could not obtain VPN configuration because the vantage6 server is not properly configured for VPN. Please contact your server administrator."
		unusable   = "Could not obtain VPN configuration because the VPN portal gave no usable answer."
		away       = "VPN server unreachable"
		advice     = " Please contact your server administrator"
		lackingKey = "needs a value for client_id"
	)
	for name, c := range map[string]struct {
		change      func(*vpntest.Portal, *config.VPN)
		status      int
		get, update string
		logged      string
	}{
		"wrong password": {func(_ *vpntest.Portal, v *config.VPN) { v.PortalUserpass = "wrong horse" }, 500, refused + advice + ".", refused, "are not those of a user"},
		"second factor":  {func(p *vpntest.Portal, _ *config.VPN) { p.Users[vpntest.User].NeedsTOTP = true }, 500, refused + advice + ".", refused, "two_factor_enroll"},
		"no client_id":   {func(_ *vpntest.Portal, v *config.VPN) { v.ClientID = "" }, 500, settings, settings, lackingKey},
		"http":           {func(_ *vpntest.Portal, v *config.VPN) { v.URL = "http://vpn.example.org" }, 500, settings, settings, "https"},
		"no key pair":    {func(p *vpntest.Portal, _ *config.VPN) { p.Faults.NoKeyPair = true }, 500, unusable + advice + ".", unusable, "vpn-ca --client"},
		"not trusted":    {func(_ *vpntest.Portal, v *config.VPN) { v.CA = "" }, 503, away + "." + advice, away, "certificate"},
		"nobody listens": {func(_ *vpntest.Portal, v *config.VPN) { v.URL = "https://127.0.0.1:1" }, 503, away + "." + advice, away, "no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			p := vpntest.Start(t)
			v := vpnSettings(p)
			p.Change(func(p *vpntest.Portal) { c.change(p, &v) })
			b := newBedWith(t, core.Settings{VPN: vpn.New(v)})
			for _, r := range []row{
				{as: "node_iknl_z", method: "GET", path: "/vpn", has: fmt.Sprintf(`{"msg":%q}`, c.get)},
				{as: "node_iknl_z", method: "POST", path: "/vpn/update", body: `{"vpn_config":"canary"}`, has: fmt.Sprintf(`{"msg":%q}`, c.update)},
			} {
				r.want = c.status
				reply := b.send(t, r)
				if reply.Code != c.status || strings.Contains(reply.Body.String(), "secret/path") {
					t.Errorf("%s: %d %s", r.path, reply.Code, reply.Body)
				}
				contains(t, reply.Body.Bytes(), r.has)
				log := b.log.take()
				if !strings.Contains(log, c.logged) {
					t.Errorf("%s: the log says %s", r.path, log)
				}
				for _, secret := range []string{"wrong horse", vpntest.Password, vpntest.Secret, "canary"} {
					if strings.Contains(log+reply.Body.String(), secret) {
						t.Errorf("%s: %q is in %s %s", r.path, secret, log, reply.Body)
					}
				}
			}
		})
	}
}

// TestAlgorithmAddresses: what a container learns of where its own task, the subtasks and
// the parent listen.
func TestAlgorithmAddresses(t *testing.T) {
	b := newBed(t)
	b.change(t,
		`UPDATE authenticatable SET ip = '10.76.0.12' WHERE id = 12`,
		`INSERT INTO task (id, name, image, collaboration_id, run_id, parent_id, initiator_id) VALUES
			(20, 'parent', 'hello-world', 1, 1, NULL, 2), (21, 'child', 'hello-world', 1, 1, 1, 2),
			(22, 'grandchild', 'hello-world', 1, 1, 21, 2), (23, 'another run', 'hello-world', 1, 9, NULL, 2)`,
		`UPDATE task SET parent_id = 20 WHERE id = 1`,
		`INSERT INTO result (id, task_id, organization_id, collaboration_id, status, assigned_at) VALUES
			(20, 20, 3, 1, 'active', '2026-01-02T03:04:05.000000Z'), (21, 21, 2, 1, 'active', '2026-01-02T03:04:05.000000Z'),
			(22, 22, 2, 1, 'active', '2026-01-02T03:04:05.000000Z'), (23, 23, 2, 1, 'active', '2026-01-02T03:04:05.000000Z')`,
		`INSERT INTO algorithmport (id, port, label, result_id) VALUES
			(1, 8001, 'own', 1), (2, 8002, NULL, 2), (3, 8020, 'parent', 20), (4, 8021, 'own', 21), (5, 8022, 'grandchild', 22), (6, 8023, 'foreign', 23)`,
	)
	const (
		own     = `{"port":8001,"label":"own","ip":"10.76.0.12","organization_id":2,"task_id":1,"parent_id":20}`
		silent  = `{"port":8002,"label":null,"ip":null,"organization_id":3,"task_id":1,"parent_id":20}`
		parent  = `{"port":8020,"label":"parent","ip":null,"organization_id":3,"task_id":20,"parent_id":null}`
		child   = `{"port":8021,"label":"own","ip":"10.76.0.12","organization_id":2,"task_id":21,"parent_id":1}`
		nothing = `{"addresses":[]}`
	)
	get := func(query string, want int, has string) row {
		return row{as: "container", method: "GET", path: "/vpn/algorithm/addresses" + query, want: want, has: has}
	}
	lists := func(all ...string) string { return `{"addresses":[` + strings.Join(all, ",") + `]}` }
	conflict := func(one, other string) string {
		return fmt.Sprintf(`{"msg":"Using %s and %s simultaneously is not possible! Specify one or the other."}`, one, other)
	}
	b.run(
		get("", 200, lists(own, silent)),
		get("?label=own", 200, lists(own)),
		get("?label=o%25", 200, nothing),
		get("?label=", 200, lists(own, silent)),
		get("?include_children=True", 200, lists(own, silent, child)),
		get("?include_parent=True", 200, lists(own, silent, parent)),
		get("?include_parent=1&include_children=yes", 200, lists(own, silent, parent, child)),
		get("?only_children=True", 200, lists(child)),
		get("?only_parent=True", 200, lists(parent)),
		get("?only_children=True&label=own", 200, lists(child)),
		get("?only_children=True&include_children=True", 200, lists(child)),
		get("?only_children=False&only_parent=0&include_children=no&include_parent=", 200, lists(own, silent)),
		get("?only_children=1&only_parent=1", 400, conflict("only_children", "only_parent")),
		get("?only_children=1&include_parent=1", 400, conflict("only_children", "include_parent")),
		get("?only_parent=1&include_children=1", 400, conflict("only_parent", "include_children")),
		get("?label=%00", 400, ""),
		row{as: "container", method: "POST", path: "/vpn/algorithm/addresses", body: `{}`, want: 405},
		row{as: "root", method: "GET", path: "/vpn/algorithm/addresses", want: 403},
		row{as: "node_iknl_z", method: "GET", path: "/vpn/algorithm/addresses", want: 403},
		row{method: "GET", path: "/vpn/algorithm/addresses", want: 401},
	)
	// Without a parent the own task stands for it, as in the reference.
	b.change(t, `UPDATE task SET parent_id = NULL WHERE id = 1`)
	b.run(get("?only_parent=True", 200, `{"addresses":[{"port":8001,"parent_id":null},{"port":8002}]}`))
	// A node that is gone has no address; what its result says stays.
	b.change(t, `DELETE FROM node WHERE id = 13`)
	b.run(get("", 200, `{"addresses":[{"port":8001},{"port":8002,"ip":null,"organization_id":3}]}`))
	// An organization that left the collaboration sees nothing in it any more.
	b.change(t, `DELETE FROM member WHERE organization_id = 2 AND collaboration_id = 1`)
	b.run(get("", 200, nothing))
	b.change(t, `UPDATE result SET finished_at = '2026-01-02T03:04:05.000000Z' WHERE task_id = 1`)
	b.run(get("", 401, `{"msg":"Container-token is not valid"}`))
}

// TestAlgorithmAddresses_As311 goes the way of release 3.11: a node shares its
// configuration and its VPN address, gets a token for the container of a task and
// registers a port; the algorithm asks with that token as its client writes the query.
func TestAlgorithmAddresses_As311(t *testing.T) {
	b := newBed(t)
	reply := b.send(t, row{method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`})
	var node struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(reply.Body.Bytes(), &node); err != nil || reply.Code != 200 {
		t.Fatal(reply.Code, reply.Body, err)
	}
	asNode := map[string]string{"Authorization": "Bearer " + node.Token}
	b.run(
		row{header: asNode, method: "PATCH", path: "/node/12", body: `{"clear_ip":true}`, want: 200, has: `{"ip":null}`},
		row{header: asNode, method: "PATCH", path: "/node/12", body: `{"ip":"10.76.0.12"}`, want: 200, has: `{"ip":"10.76.0.12"}`},
		row{header: asNode, method: "DELETE", path: "/port?result_id=1", want: 200},
		row{header: asNode, method: "POST", path: "/port", body: `{"port":32768,"result_id":1,"label":"rpc"}`, want: 201},
	)
	reply = b.send(t, row{header: asNode, method: "POST", path: "/token/container", body: `{"task_id":1,"image":"hello-world"}`})
	var container struct {
		Token string `json:"container_token"`
	}
	if err := json.Unmarshal(reply.Body.Bytes(), &container); err != nil || reply.Code != 200 {
		t.Fatal(reply.Code, reply.Body, err)
	}
	// Python writes booleans with a capital, and leaves out what is None.
	flags := func(onlyChildren, onlyParent, includeChildren, includeParent string) string {
		return "/vpn/algorithm/addresses?" + url.Values{
			"only_children": {onlyChildren}, "only_parent": {onlyParent},
			"include_children": {includeChildren}, "include_parent": {includeParent},
		}.Encode()
	}
	asContainer := map[string]string{"Authorization": "Bearer " + container.Token, "Accept": "*/*", "User-Agent": "python-requests/2.28.1"}
	get := func(path string, has string) row {
		return row{header: asContainer, method: http.MethodGet, path: path, want: 200, has: has}
	}
	const own = `{"addresses":[{"port":32768,"label":"rpc","ip":"10.76.0.12","organization_id":2,"task_id":1,"parent_id":null}]}`
	b.run(
		get(flags("False", "False", "False", "False"), own),
		get(flags("False", "False", "True", "True"), own),
		get(flags("False", "False", "False", "False")+"&label=rpc", own),
		get(flags("True", "False", "False", "False"), `{"addresses":[]}`),
		get(flags("False", "True", "False", "False"), own),
	)
}
