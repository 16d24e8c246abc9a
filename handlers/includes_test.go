package handlers

import (
	"encoding/json"
	"net/http"
	"testing"
)

// TestAdvisory_T07_IncludesShowNoMore asks for embedded objects as every kind of
// caller, and gets each of them directly.
func TestAdvisory_T07_IncludesShowNoMore(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	embedded, links := 0, 0
	for _, c := range nestedCallers {
		b.hold(t, c.rules...)
		for _, q := range []struct{ path, field, kind string }{
			{"/task?include=results", "results", "result"},
			{"/task?include=metadata&include=result", "results", "result"},
			{"/task/1?include=results", "results", "result"},
			{"/task/2?include=metadata&include=results", "results", "result"},
			{"/result?include=task", "task", "task"},
			{"/result?state=open&include=task&node_id=12", "task", "task"},
			{"/result/4?include=task", "task", "task"},
			{"/result/8?include=task", "task", "task"},
		} {
			reply := b.send(t, row{as: c.as, method: "GET", path: q.path})
			if reply.Code != http.StatusOK {
				continue
			}
			for _, o := range inner(t, reply.Body.Bytes(), q.field) {
				if o["link"] != nil {
					links++
					continue
				}
				embedded++
				text, err := json.Marshal([]any{o})
				if err != nil {
					t.Fatal(err)
				}
				b.isDirect(t, c.as, q.path, q.kind, text)
			}
		}
	}
	if embedded < 100 || links < 20 {
		t.Errorf("only %d embedded objects and %d links were seen", embedded, links)
	}
}

// inner returns the objects in a field of the object, list or envelope that a reply is.
func inner(t *testing.T, reply []byte, field string) []map[string]any {
	t.Helper()
	var whole any
	if err := json.Unmarshal(reply, &whole); err != nil {
		t.Fatal(err)
	}
	var found []map[string]any
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if data, enveloped := v["data"]; enveloped {
				walk(data)
				return
			}
			items, many := v[field].([]any)
			if !many && v[field] != nil {
				items = []any{v[field]}
			}
			for _, item := range items {
				found = append(found, item.(map[string]any))
			}
		}
	}
	walk(whole)
	return found
}
