package handlers

import "testing"

func TestOrganizationRoutes(t *testing.T) {
	b := newBed(t)
	b.run(
		row{as: "", method: "GET", path: "/organization", want: 401, has: `{"msg":"Missing Authorization Header"}`},
		row{as: "root", method: "GET", path: "/organization", want: 200, has: `[{"id":1},{"id":2},{"id":3},{"id":4}]`},
		row{as: "viewer", method: "GET", path: "/organization?collaboration_id=3", want: 200, has: `[{"id":3},{"id":4}]`},
		row{as: "noperm", method: "GET", path: "/organization", want: 401, has: `{"msg":"You lack the permission to do that!"}`},
		row{as: "node_iknl_p", method: "GET", path: "/organization", want: 200, has: `[{"id":2},{"id":4}]`},
		row{as: "container", method: "GET", path: "/organization/4", want: 200, has: `{"id":4,"name":"Big","public_key":"","results":[{"id":3,"link":"/api/result/3"}]}`},
		row{as: "root", method: "GET", path: "/organization/99", want: 404, has: `{"msg":"Organization id=99 not found!"}`},
		row{as: "container", method: "POST", path: "/organization", want: 403, has: `{"msg":"containers are not allowed to access http://server.example/api/organization (POST)"}`},
		row{as: "root", method: "PATCH", path: "/organization/2", body: `{"public_key":"YWJj"}`, want: 200, has: `{"public_key":"YWJj"}`},
		row{as: "node_iknl_z", method: "PATCH", path: "/organization/2", body: `{"public_key":""}`, want: 200, has: `{"public_key":""}`},
		row{as: "root", method: "PATCH", path: "/organization/2", body: `{"public_key":"abc"}`, want: 400},
	)
}
