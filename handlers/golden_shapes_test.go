package handlers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shapes are the objects of the contract by name, each with exactly its keys. A value is a
// word for a kind of value: text, int, bool, time, null; link:KIND, links:KIND for a list
// of links that is null when it is empty; ids for a list of ids; list:SHAPE for a list
// that has something, some:SHAPE for one that may be empty; =TEXT for that text; or the
// name of a shape. With a ? behind it a value may be null.
var shapes = map[string]map[string]string{
	"nothing": {},
	"msg":     {"msg": "text"},
	"denied":  {"msg": "=You lack the permission to do that!"},
	"both":    {"message": "text", "msg": "text"},
	"key":     {"api_key": "text"},
	"tokens":  {"access_token": "text", "refresh_token": "text", "user_url": "text", "refresh_url": "text"},
	"rule":    {"id": "int", "name": "text", "operation": "text", "scope": "text", "description": "text", "users": "links:user"},
	"role":    {"id": "int", "name": "text?", "description": "text?", "organization": "link:organization?", "rules": "links:rule", "users": "links:user"},
	"user": {
		"id": "int", "type": "=user", "username": "text?", "firstname": "text?", "lastname": "text?", "email": "text?",
		"organization": "link:organization?", "roles": "links:role", "rules": "links:rule", "created_tasks": "ids",
		"last_seen": "time?", "status": "text?", "ip": "null", "otp_secret": "null",
	},
	"organization": {
		"id": "int", "name": "text?", "domain": "text?", "address1": "text?", "address2": "text?", "zipcode": "text?",
		"country": "text?", "public_key": "text", "collaborations": "links:collaboration", "nodes": "links:node",
		"users": "links:user", "results": "links:result", "roles": "ids",
	},
	"collaboration": {
		"id": "int", "name": "text?", "encrypted": "bool", "organizations": "links:organization", "nodes": "links:node", "tasks": "links:task",
	},
	"node": {
		"id": "int", "type": "=node", "name": "text?", "ip": "text?", "status": "text?", "last_seen": "time?",
		"organization": "link:organization", "collaboration": "link:collaboration?", "config": "some:setting",
	},
	"simple node": {
		"id": "int", "name": "text?", "ip": "text?", "status": "text?", "last_seen": "time?", "organization": "link:organization", "config": "ids",
	},
	"node of a result":  {"id": "int", "name": "text?", "ip": "text?", "status": "text?", "config": "ids"},
	"setting":           {"key": "text", "value": "text"},
	"port":              {"id": "int", "port": "int", "label": "text?", "result": "int?"},
	"port of a result":  {"id": "int", "port": "int", "label": "text?"},
	"task":              taskShape(map[string]string{"results": "links:result"}),
	"task with results": taskShape(map[string]string{"results": "list:result within a task"}),
	"task of a result":  taskShape(nil),
	"result":            resultShape(map[string]string{"organization": "link:organization", "task": "link:task"}),
	"result with task":  resultShape(map[string]string{"organization": "link:organization", "task": "task of a result"}),
	"result of a task":  resultShape(map[string]string{"organization": "int", "task": "int"}),

	"result within a task": resultShape(map[string]string{"organization": "int"}),
}

func taskShape(more map[string]string) map[string]string {
	all := map[string]string{
		"id": "int", "name": "text?", "description": "text?", "image": "text?", "database": "text?", "run_id": "int?",
		"collaboration": "link:collaboration?", "initiator": "int?", "init_user": "int?", "parent": "link:task?",
		"children": "links:task", "complete": "bool", "status": "text", "created_at": "time?", "finished_at": "time?",
	}
	maps.Copy(all, more)
	return all
}

func resultShape(more map[string]string) map[string]string {
	all := map[string]string{
		"id": "int", "input": "text?", "result": "text?", "log": "text?", "status": "text?", "assigned_at": "time?",
		"started_at": "time?", "finished_at": "time?", "node": "node of a result", "ports": "some:port of a result",
	}
	maps.Copy(all, more)
	return all
}

// linkMethods are those of what a link leads to.
var linkMethods = map[string]string{
	"organization": "GET PATCH", "collaboration": "DELETE GET PATCH", "node": "DELETE GET PATCH", "user": "DELETE GET PATCH",
	"role": "DELETE GET PATCH", "task": "DELETE GET", "result": "GET PATCH", "port": "GET", "rule": "GET",
}

var stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$`)

// unlike says how a reply differs from an outcome, nothing when it does not.
func (o outcome) unlike(reply *httptest.ResponseRecorder) []string {
	switch {
	case o.status != reply.Code:
		return []string{fmt.Sprintf("status %d instead of %d", reply.Code, o.status)}
	case reply.Header().Get("Content-Type") != "application/json":
		return []string{fmt.Sprintf("content type %q", reply.Header().Get("Content-Type"))}
	}
	var got any
	if err := json.Unmarshal(reply.Body.Bytes(), &got); err != nil {
		return []string{"the reply is no JSON"}
	}
	if at := misshapen(o.shape, got, ""); at != "" {
		return []string{at}
	}
	return nil
}

// misshapen says where a value differs from a shape, "" when it does not.
func misshapen(shape string, got any, at string) string {
	shape, nullable := strings.CutSuffix(shape, "?")
	if got == nil && nullable {
		return ""
	}
	kind, of, _ := strings.Cut(shape, ":")
	ok := false
	switch {
	case strings.HasPrefix(shape, "="):
		ok = got == shape[1:]
	case kind == "text":
		_, ok = got.(string)
	case kind == "int":
		n, number := got.(float64)
		ok = number && n == float64(int64(n))
	case kind == "bool":
		_, ok = got.(bool)
	case kind == "null":
		ok = got == nil
	case kind == "time":
		s, _ := got.(string)
		ok = stamp.MatchString(s)
	case kind == "link":
		return misshapenLink(of, got, at)
	case kind == "none":
		list, isList := got.([]any)
		ok = isList && len(list) == 0
	case kind == "ids":
		return misshapenList("int", got, at, 0)
	case kind == "some":
		return misshapenList(of, got, at, 0)
	case kind == "list":
		return misshapenList(of, got, at, 1)
	case kind == "links" && got == nil:
		return ""
	case kind == "links":
		return misshapenList("link:"+of, got, at, 1)
	case kind == "page":
		return misshapenPage(of, got)
	case kind == "field":
		return misshapenFields(map[string]string{"message": "only " + of, "msg": "text"}, got, at)
	case strings.HasPrefix(shape, "only "):
		return misshapenFields(map[string]string{shape[len("only "):]: "text"}, got, at)
	case shape == "node of a result" && fmt.Sprint(got) == "map[]":
		return "" // the node is gone
	default:
		return misshapenFields(shapes[shape], got, at)
	}
	if !ok {
		return fmt.Sprintf("%s is %v, not %s", at, got, shape)
	}
	return ""
}

func misshapenList(of string, got any, at string, least int) string {
	list, ok := got.([]any)
	if !ok || len(list) < least {
		return fmt.Sprintf("%s is %v, not a list with at least %d", at, got, least)
	}
	for i, v := range list {
		if wrong := misshapen(of, v, fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
			return wrong
		}
	}
	return ""
}

func misshapenLink(kind string, got any, at string) string {
	if wrong := misshapenFields(map[string]string{"id": "int", "link": "text", "methods": "list:text"}, got, at); wrong != "" {
		return wrong
	}
	link, _ := got.(map[string]any)
	list, _ := link["methods"].([]any)
	var methods []string
	for _, m := range list {
		methods = append(methods, fmt.Sprint(m))
	}
	slices.Sort(methods)
	if link["link"] != fmt.Sprintf("/api/%s/%v", kind, link["id"]) || strings.Join(methods, " ") != linkMethods[kind] {
		return fmt.Sprintf("%s is %v, no link to a %s", at, got, kind)
	}
	return ""
}

func misshapenPage(of string, got any) string {
	page, _ := got.(map[string]any)
	links, _ := page["links"].(map[string]any)
	wanted := map[string]string{"first": "text", "self": "text"}
	for _, relation := range []string{"previous", "next", "last"} {
		if _, there := links[relation]; there {
			wanted[relation] = "text"
		}
	}
	if wrong := misshapenFields(wanted, page["links"], ".links"); wrong != "" {
		return wrong
	}
	if len(page) != 2 {
		return fmt.Sprintf("a page has more than data and links: %v", slices.Sorted(maps.Keys(page)))
	}
	return misshapenList(of, page["data"], ".data", 1)
}

func misshapenFields(want map[string]string, got any, at string) string {
	object, ok := got.(map[string]any)
	if !ok || want == nil {
		return fmt.Sprintf("%s is %v, not an object of %v", at, got, slices.Sorted(maps.Keys(want)))
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, known := want[name]; !known {
			return at + "." + name + " does not belong there"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, there := object[name]
		if !there {
			return at + "." + name + " is missing"
		}
		if wrong := misshapen(want[name], v, at+"."+name); wrong != "" {
			return wrong
		}
	}
	return ""
}

// The table has every exchange without a usable answer, and no other.
func TestGolden_OutcomesAreComplete(t *testing.T) {
	needed := map[string]bool{}
	unrecorded, faults := 0, 0
	for _, e := range exchanges(t, "http", 938) {
		if e.Outcome == "" && !e.Fault {
			continue
		}
		needed[e.ID] = true
		if e.Fault {
			faults++
		} else {
			unrecorded++
		}
		o, ok := outcomes[e.ID]
		if !ok {
			t.Errorf("%s has no outcome", e.ID)
		}
		name := o.shape[strings.Index(o.shape, ":")+1:]
		if _, known := shapes[name]; !known && o.shape != "none" && !strings.HasPrefix(o.shape, "field:") {
			t.Errorf("%s: there is no shape %q", e.ID, o.shape)
		}
	}
	for id := range outcomes {
		if !needed[id] {
			t.Errorf("%s has an outcome of its own in the recording", id)
		}
	}
	if unrecorded != 232 || faults != 69 {
		t.Errorf("%d without outcome, %d faults", unrecorded, faults)
	}
}

// The comparison notices what it is for.
func TestGolden_ShapesNotice(t *testing.T) {
	const link = `{"id":3,"link":"/api/rule/3","methods":["GET"]}`
	for _, c := range []struct {
		shape, good string
		bad         []string
	}{
		{"msg", `{"msg":"x"}`, []string{`{}`, `{"msg":1}`, `{"msg":null}`, `{"msg":"x","more":1}`, `[]`, `null`}},
		{"denied", `{"msg":"You lack the permission to do that!"}`, []string{`{"msg":"x"}`}},
		{"field:name", `{"message":{"name":"x"},"msg":"x"}`, []string{`{"message":{"email":"x"},"msg":"x"}`, `{"message":"x","msg":"x"}`}},
		{"none", `[]`, []string{`null`, `[1]`, `{}`}},
		{"list:link:rule", `[` + link + `]`, []string{`[]`, `[{"id":3,"link":"/api/rule/4","methods":["GET"]}]`, `[{"id":3,"link":"/api/rule/3","methods":["GET","PATCH"]}]`}},
		{"links:rule", `null`, []string{`[]`, `[3]`}},
		{"rule", `{"id":1,"name":"n","operation":"o","scope":"s","description":"d","users":null}`, []string{`{"id":1.5,"name":"n","operation":"o","scope":"s","description":"d","users":null}`, `{"id":1}`}},
		{"page:link:rule", `{"data":[` + link + `],"links":{"first":"a","self":"b"}}`, []string{`{"data":[],"links":{"first":"a","self":"b"}}`, `{"data":[` + link + `],"links":{"self":"b"}}`, `[` + link + `]`}},
		{"time?", `"2026-01-02T03:04:05.000001+00:00"`, []string{`"2026-01-02T03:04:05Z"`, `1`}},
		{"node of a result", `{}`, []string{`{"id":1}`, `null`}},
	} {
		for i, text := range append([]string{c.good}, c.bad...) {
			reply := httptest.NewRecorder()
			reply.Header().Set("Content-Type", "application/json")
			_, _ = reply.WriteString(text)
			if unlike := (outcome{http.StatusOK, c.shape}).unlike(reply); (unlike == nil) != (i == 0) {
				t.Errorf("%s, %s: %v", c.shape, text, unlike)
			}
		}
	}
	if unlike := (outcome{http.StatusBadRequest, "msg"}).unlike(httptest.NewRecorder()); unlike == nil {
		t.Error("another status is not noticed")
	}
}
