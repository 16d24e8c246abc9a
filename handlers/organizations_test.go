package handlers

import (
	"crypto/ecdsa"
	curve "crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

const denied = `{"msg":"You lack the permission to do that!"}`

func TestOrganizationLists(t *testing.T) {
	b := newBed(t)
	b.grant("noperm", 15)
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: path, want: want, has: has}
	}
	b.run(
		get("", "/organization", 401, `{"msg":"Missing Authorization Header"}`),
		get("root", "/organization", 200, `[{"id":1},{"id":2},{"id":3},{"id":4}]`),
		get("colladmin", "/organization", 200, `[{"id":1},{"id":2},{"id":3},{"id":4}]`),
		get("viewer", "/organization", 200, `[{"id":2},{"id":3},{"id":4}]`),
		get("noperm", "/organization", 200, `[{"id":2}]`),
		get("node_iknl_z", "/organization", 200, `[{"id":2},{"id":3},{"id":4}]`),
		get("node_iknl_p", "/organization", 200, `[{"id":2},{"id":4}]`),
		get("container:15", "/organization", 401, ""), // a task of another collaboration
		get("container", "/organization", 200, `[{"id":2},{"id":3},{"id":4}]`),
		// filters
		get("root", "/organization?name=i%25", 200, `[{"id":2}]`),
		get("root", "/organization?name=I_NL", 200, `[{"id":2}]`),
		get("root", "/organization?name=IKN", 200, `[]`),
		get("root", "/organization?country=Nowhereland", 200, `[{"id":3},{"id":4}]`),
		get("root", "/organization?country=nowhereland", 200, `[]`),
		get("viewer", "/organization?collaboration_id=3", 200, `[{"id":3},{"id":4}]`),
		get("root", "/organization?collaboration_id=99", 200, `[]`),
		get("root", "/organization?collaboration_id=x", 400, ""),
		get("root", "/organization?collaboration_id=&name=&unknown=1", 200, `[{"id":1},{"id":2},{"id":3},{"id":4}]`),
		// pages
		get("root", "/organization?page=2&per_page=3", 200, `[{"id":4}]`),
		get("root", "/organization?page=9", 200, `[]`),
		get("root", "/organization?page=1&per_page=2&include=metadata", 200, `{"data":[{"id":1},{"id":2}],"links":{
			"first":"/api/organization?page=1&per_page=2&include=metadata","self":"/api/organization?page=1&per_page=2&include=metadata",
			"next":"/api/organization?page=2&per_page=2&include=metadata","last":"/api/organization?page=2&per_page=2&include=metadata"}}`),
		get("root", "/organization?page=0", 400, `{"msg":"page needs to be >= 1"}`),
		get("root", "/organization?page=1&per_page=x", 400, `{"msg":"per_page needs to be >= 1"}`),
	)
	r := b.send(t, get("viewer", "/organization?page=1&per_page=1", 200, ""))
	if n := r.Header()["total-count"]; len(n) != 1 || n[0] != "3" {
		t.Errorf("total-count is %v for somebody who sees three organizations", n)
	}
}

func TestOneOrganization(t *testing.T) {
	b := newBed(t)
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: path, want: want, has: has}
	}
	const refused = `{"msg":"You do not have permission to do that!"}`
	b.run(
		get("viewer", "/organization/4", 200, `{"id":4,"name":"Big","domain":"big.example","address1":null,"address2":null,
			"zipcode":null,"country":"Nowhereland","public_key":"","roles":[10],
			"collaborations":[{"id":1,"link":"/api/collaboration/1","methods":["DELETE","GET","PATCH"]},{"id":2},{"id":3}],
			"nodes":[{"id":14,"link":"/api/node/14"},{"id":16},{"id":18}],"users":[{"id":4,"link":"/api/user/4"},{"id":11}],
			"results":[{"id":3,"link":"/api/result/3","methods":["GET","PATCH"]}]}`),
		get("root", "/organization/1", 200, `{"id":1,"collaborations":null,"nodes":null,"results":null,"roles":[]}`),
		get("viewer", "/organization/1", 401, refused),
		get("noperm", "/organization/2", 401, refused),
		get("noperm", "/organization/99", 404, `{"msg":"Organization id=99 not found!"}`),
		get("node_iknl_p", "/organization/2", 200, `{"id":2}`),
		get("node_iknl_p", "/organization/4", 200, `{"id":4}`),
		get("node_iknl_p", "/organization/3", 401, refused),
		get("container", "/organization/3", 200, `{"id":3}`),
		get("container", "/organization/1", 401, refused),
		get("container", "/organization/99", 404, `{"msg":"Organization id=99 not found!"}`),
	)
	// A node whose organization left the collaboration sees that organization only.
	b.run(
		row{as: "root", method: "DELETE", path: "/collaboration/1/organization", body: `{"id":2}`, want: 200},
		get("node_iknl_z", "/organization", 200, `[{"id":2}]`),
		get("node_iknl_z", "/organization/3", 401, refused),
		get("container", "/organization/2", 200, `{"id":2}`),
		get("container", "/organization/3", 401, refused),
	)
}

func TestCreateOrganization(t *testing.T) {
	b := newBed(t)
	post := func(as string, body any, want int, has string) row {
		return row{as: as, method: "POST", path: "/organization", body: body, want: want, has: has}
	}
	b.run(
		post("colladmin", `{"name":"x"}`, 401, `{"msg":"You lack the permissions to do that!"}`),
		post("node_iknl_z", `{"name":"x"}`, 403, ""),
		post("container", `{"name":"x"}`, 403, `{"msg":"containers are not allowed to access http://server.example/api/organization (POST)"}`),
		post("root", nil, 400, ""),
		post("root", `[]`, 400, ""),
		post("root", `{`, 400, `{"message":"The browser (or proxy) sent a request that this server could not understand."}`),
		post("root", `{}`, 201, `{"name":"","domain":"","address1":"","address2":null,"zipcode":"","country":"","public_key":"",
			"collaborations":null,"nodes":null,"users":null,"results":null,"roles":[]}`),
		post("root", `{"name":null,"domain":null,"address1":null,"address2":null,"zipcode":null,"country":null,"public_key":null}`,
			201, `{"name":null,"domain":null,"address1":null,"address2":null,"zipcode":null,"country":null,"public_key":""}`),
		post("root", `{"name":"IKNL","domain":"d","address1":"a","address2":"b","zipcode":"z","country":"c","public_key":" YW\nJj ","id":77}`,
			201, `{"id":7,"name":"IKNL","domain":"d","address1":"a","address2":"b","zipcode":"z","country":"c","public_key":"YWJj"}`),
		post("root", `{"public_key":"abc"}`, 400, ""),
		post("root", `{"public_key":"YW-_"}`, 400, ""),
		post("root", `{"public_key":5}`, 400, ""),
		post("root", `{"name":{"a":1}}`, 400, ""),
		post("root", `{"name":"a\u0007b"}`, 400, `{"msg":"name: has control characters"}`),
		post("root", map[string]string{"name": strings.Repeat("é", 1000)}, 201, ""),
		post("root", map[string]string{"name": strings.Repeat("a", 1001)}, 400, ""),
		post("root", map[string]string{"domain": strings.Repeat("a", 1001)}, 400, ""),
		row{
			as: "root", method: "GET", path: "/organization?page=1&per_page=1&include=metadata", want: 200,
			has: `{"links":{"last":"/api/organization?page=8&per_page=1&include=metadata"}}`,
		},
	)
}

func TestChangeOrganization(t *testing.T) {
	b := newBed(t)
	patch := func(as, id, body string, want int, has string) row {
		return row{as: as, method: "PATCH", path: "/organization/" + id, body: body, want: want, has: has}
	}
	b.run(
		patch("noperm", "99", `{}`, 404, `{"msg":"Organization with id=99 not found"}`),
		patch("viewer", "2", `{"name":"x"}`, 401, denied),
		patch("viewer", "2", `{"name":5}`, 401, denied),
		patch("orgadmin", "3", `{"name":"x"}`, 401, denied),
		patch("node_iknl_z", "3", `{"name":"x"}`, 401, denied),
		patch("container", "2", `{"name":"x"}`, 403, ""),
		patch("orgadmin", "2", `{"name":"IKNL 2","zipcode":"3511DT","id":9,"users":[]}`, 200, `{"id":2,"name":"IKNL 2","zipcode":"3511DT","domain":"iknl.nl"}`),
		patch("colladmin", "3", `{"country":"NL"}`, 200, `{"id":3,"country":"NL"}`),
		patch("root", "2", `{"name":null,"domain":null,"zipcode":null,"public_key":null}`, 200, `{"name":"IKNL 2","domain":"iknl.nl","zipcode":"3511DT"}`),
		patch("root", "2", `{}`, 200, `{"name":"IKNL 2"}`),
		patch("root", "2", `{"name":"","domain":""}`, 200, `{"name":"","domain":""}`),
		patch("root", "2", `{"public_key":"abc"}`, 400, ""),
		patch("root", "2", `{"zipcode":1}`, 400, ""),
		patch("root", "2", `null`, 400, ""),
	)
	// A key stays when others change, and is gone when it is sent empty.
	b.run(
		patch("node_iknl_z", "2", `{"public_key":"YWJj"}`, 200, `{"public_key":"YWJj"}`),
		patch("root", "2", `{"name":"IKNL"}`, 200, `{"public_key":"YWJj"}`),
		patch("root", "2", `{"public_key":null}`, 200, `{"public_key":"YWJj"}`),
		patch("node_iknl_z", "2", `{"public_key":""}`, 200, `{"public_key":""}`),
		row{as: "viewer", method: "GET", path: "/organization/2", want: 200, has: `{"name":"IKNL","public_key":""}`},
	)
}

func TestListsBelowAnOrganization(t *testing.T) {
	b := newBed(t)
	b.grant("noperm", 9)
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: "/organization/" + path, want: want, has: has}
	}
	b.run(
		get("viewer", "2/collaboration", 200, `[{"id":1,"name":"ZEPPELIN","encrypted":false,"organizations":[{"id":2},{"id":3},{"id":4}],
			"nodes":[{"id":12},{"id":13},{"id":14}],"tasks":[{"id":1,"link":"/api/task/1"}]},{"id":2,"tasks":null}]`),
		get("viewer", "2/collaboration?page=1&per_page=1&include=metadata", 200, `[{"id":1},{"id":2}]`),
		get("viewer", "3/collaboration", 401, denied),
		get("viewer", "99/collaboration", 404, `{"msg":"organization id=99 not found"}`),
		get("root", "3/collaboration", 200, `[{"id":1},{"id":3}]`),
		get("root", "1/collaboration", 200, `[]`),
		get("noperm", "4/collaboration", 200, `[{"id":1},{"id":2},{"id":3}]`),
		get("noperm", "2/node", 401, denied),
		get("node_iknl_z", "2/collaboration", 200, `[{"id":1}]`),
		get("node_iknl_p", "2/collaboration", 200, `[{"id":2}]`),
		get("node_iknl_z", "3/collaboration", 401, denied),
		get("container", "2/collaboration", 403, ""),
		get("viewer", "2/node", 200, `[{"id":12,"type":"node","name":"node_iknl_z","collaboration":{"id":1},"config":[]},{"id":15}]`),
		get("viewer", "3/node", 401, denied),
		get("viewer", "99/node", 404, `{"msg":"organization id=99 not found"}`),
		get("root", "3/node", 200, `[{"id":13},{"id":17}]`),
		get("root", "1/node", 200, `[]`),
		get("node_iknl_z", "2/node", 200, `[{"id":12},{"id":15}]`),
		get("node_iknl_z", "3/node", 401, denied),
		get("container", "2/node", 403, ""),
	)
	b.run(
		row{as: "root", method: "DELETE", path: "/collaboration/1/organization", body: `{"id":2}`, want: 200},
		get("node_iknl_z", "2/collaboration", 200, `[]`),
		get("node_iknl_z", "2/node", 200, `[{"id":12}]`),
		get("node_iknl_p", "2/node", 200, `[{"id":12},{"id":15}]`),
	)
}

// TestPublicKeysAreOnesToEncryptWith uploads keys in every form.
func TestPublicKeysAreOnesToEncryptWith(t *testing.T) {
	b := newBed(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	der, _ := x509.MarshalPKIXPublicKey(&private.PublicKey)
	elliptic, _ := ecdsa.GenerateKey(curve.P256(), rand.Reader)
	ec, _ := x509.MarshalPKIXPublicKey(&elliptic.PublicKey)
	public := encode("PUBLIC KEY", der)
	secret := encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	send := func(key string, want int, stored string) {
		t.Helper()
		body, _ := json.Marshal(map[string]string{"public_key": key})
		has := ""
		if want == 200 {
			has = fmt.Sprintf(`{"public_key":%q}`, stored)
		}
		b.run(row{as: "root", method: "PATCH", path: "/organization/2", body: string(body), want: want, has: has})
	}
	for _, encrypted := range []bool{false, true} {
		b.change(t, fmt.Sprintf(`UPDATE collaboration SET encrypted = %v WHERE id = 1`, encrypted))
		odd := 200
		if encrypted {
			odd = 400
		}
		send("", 200, "")
		send(public, 200, b64(public))
		send("\n"+strings.ReplaceAll(public, "\n", "\r\n"), 200, b64(public))
		send(b64(public), 200, b64(public))
		send(encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&private.PublicKey)), 200, b64(encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&private.PublicKey))))
		send("aGVsbG8=", odd, "aGVsbG8=")
		send(b64(string(der)), odd, b64(string(der)))
		send(encode("PUBLIC KEY", ec), odd, b64(encode("PUBLIC KEY", ec)))
		for _, bad := range []string{"hello", secret, b64(secret), public[:100], "-----BEGIN PUBLIC KEY-----", "ssh-rsa AAAA x"} {
			send(bad, 400, "")
		}
	}
	b.change(t, `UPDATE organization SET public_key = NULL`, `UPDATE collaboration SET encrypted = FALSE`)
	b.log.take()
	send(public, 200, b64(public))
	if said := b.log.take(); strings.Contains(said, `"level":"warn"`) {
		t.Errorf("a good key is warned of: %s", said)
	}
	send("aGVsbG8=", 200, "aGVsbG8=")
	if said := b.log.take(); !strings.Contains(said, `"level":"warn"`) || !strings.Contains(said, "The public key of organization") || !strings.Contains(said, "holds no RSA public key") {
		t.Errorf("no warning of an odd key: %s", said)
	}
	b.change(t, `UPDATE collaboration SET encrypted = TRUE`)
	b.run(row{as: "root", method: "PATCH", path: "/organization/2", body: `{"name":"IKNL","public_key":"aGVsbG8="}`, want: 200}) // clients send all back
}
