package handlers

import "testing"

func TestPorts(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: "/port" + path, want: want, has: has}
	}
	b.run(
		get("root", "", 200, `[{"id":3,"port":8888,"label":"x","result":6},{"id":2,"port":8889,"label":null,"result":4},{"id":1,"port":8888,"label":"http","result":4}]`),
		get("researcher_small", "", 200, `[{"id":3}]`),
		get("viewer_big", "?page=2&per_page=2&include=metadata", 200, `{"data":[{"id":1}],"links":{"self":"/api/port?page=2&per_page=2&include=metadata"}}`),
		get("noperm", "", 401, denied),
		get("node_iknl_z", "", 200, `[{"id":3}]`),
		get("node_iknl_p", "", 200, `[{"id":2},{"id":1}]`),
		get("container", "", 200, `[{"id":3}]`),
		get("root", "?result_id=4", 200, `[{"id":2},{"id":1}]`),
		get("root", "?task_id=4", 200, `[{"id":3}]`),
		get("root", "?run_id=2", 200, `[{"id":2},{"id":1}]`),
		get("root", "?run_id=2&task_id=4", 200, `[]`),
		get("viewer", "?run_id=2&task_id=2&result_id=4", 200, `[{"id":2},{"id":1}]`),
		get("researcher_small", "?run_id=2", 200, `[]`),
		get("root", "?run_id=x", 400, ""),
		get("root", "?page=0", 400, `{"msg":"page needs to be >= 1"}`),
		// one
		get("root", "/1", 200, `{"id":1,"port":8888,"label":"http","result":4}`),
		get("viewer", "/1", 200, ""),
		get("researcher_small", "/1", 401, denied),
		get("noperm", "/1", 401, denied),
		get("noperm", "/99", 404, `{"msg":"Port id=99 not found!"}`),
		get("node_iknl_z", "/3", 200, ""),
		get("node_iknl_z", "/1", 401, denied),
		get("container", "/3", 200, ""),
		get("container", "/1", 401, denied),
	)
	for _, as := range []string{"root", "viewer_big", "node_iknl_p", "container"} {
		b.samePages(t, as, "/port?x=1")
	}
}

func TestChangePorts(t *testing.T) {
	b := newBed(t)
	const notYours = `{"msg":"You lack the permissions to do that!"}`
	create := func(as, body string, want int, has string) row {
		return row{as: as, method: "POST", path: "/port", body: body, want: want, has: has}
	}
	remove := func(as, query string, want int, has string) row {
		return row{as: as, method: "DELETE", path: "/port" + query, want: want, has: has}
	}
	b.run(
		create("node_iknl_z", `{"port":8080,"result_id":1,"label":"http"}`, 201, `{"id":1,"port":8080,"label":"http","result":1}`),
		create("node_iknl_z", `{"port":"8080","result_id":1}`, 201, `{"id":2,"port":8080,"label":null,"result":1}`),
		create("node_small_z", `{"port":65535,"result_id":2}`, 201, `{"id":3}`),
		create("node_iknl_z", ``, 400, ""),
		create("node_iknl_z", `{}`, 400, `{"msg":"*"}`),
		create("node_iknl_z", `{"port":1}`, 400, `{"msg":"*"}`),
		create("node_iknl_z", `{"result_id":1}`, 400, `{"msg":"*"}`),
		create("node_iknl_z", `{"port":0,"result_id":1}`, 400, ""),
		create("node_iknl_z", `{"port":65536,"result_id":1}`, 400, ""),
		create("node_iknl_z", `{"port":1.5,"result_id":1}`, 400, ""),
		create("node_iknl_z", `{"port":1,"result_id":1,"label":5}`, 400, ""),
		create("node_iknl_z", `{"port":1,"result_id":99}`, 404, `{"msg":"Result id=99 not found!"}`),
		create("node_iknl_z", `{"port":1,"result_id":2}`, 401, notYours),
		create("node_iknl_p", `{"port":1,"result_id":1}`, 401, notYours),
		create("root", `{"port":1,"result_id":1}`, 403, ""),
		create("container", `{"port":1,"result_id":1}`, 403, ""),
		row{as: "root", method: "GET", path: "/result/1", want: 200, has: `{"ports":[{"id":1,"port":8080,"label":"http"},{"id":2}]}`},
		remove("node_iknl_z", "", 400, `{"msg":"The result_id argument is required!"}`),
		remove("node_iknl_z", "?result_id=", 400, `{"msg":"The result_id argument is required!"}`),
		remove("node_iknl_z", "?result_id=x", 400, ""),
		remove("node_iknl_z", "?result_id=99", 404, `{"msg":"Result id=99 not found!"}`),
		remove("node_iknl_z", "?result_id=2", 401, notYours),
		remove("node_iknl_p", "?result_id=1", 401, notYours),
		remove("root", "?result_id=1", 403, ""),
		remove("container", "?result_id=1", 403, ""),
		remove("node_iknl_z", "?result_id=1", 200, `{"msg":"Ports removed from the database."}`),
		remove("node_iknl_z", "?result_id=1", 200, `{"msg":"Ports removed from the database."}`),
		row{as: "root", method: "GET", path: "/port", want: 200, has: `[{"id":3}]`},
	)
}
