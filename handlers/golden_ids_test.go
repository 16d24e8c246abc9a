package handlers

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
)

// ids translates between the recording's ids and ours, by kind of row. Rows that
// are not in it have the same id on both sides.
type ids map[string]map[int64]int64

func (m ids) pair(kind string, golden, ours int64) {
	if m[kind] == nil {
		m[kind] = map[int64]int64{}
	}
	m[kind][golden] = ours
}

func (m ids) ours(kind string, golden int64) int64 {
	if id, ok := m[kind][golden]; ok {
		return id
	}
	return golden
}

// golden returns the recording's id. An id of ours that belongs to a row which the
// recording does not have is negative, so that it equals nothing.
func (m ids) golden(kind string, ours int64) int64 {
	_, shadowed := m[kind][ours]
	for g, o := range m[kind] {
		if o == ours {
			return g
		}
	}
	if shadowed {
		return -ours
	}
	return ours
}

// kindOf names the kind of row that a word of the wire stands for.
func kindOf(word string) string {
	switch strings.TrimSuffix(word, "_id") {
	case "user", "node", "init_user":
		return "account"
	case "organization", "initiator", "organization_ids", "organizations":
		return "organization"
	case "collaboration":
		return "collaboration"
	case "role", "roles":
		return "role"
	case "task", "parent", "created_tasks", "tasks":
		return "task"
	case "result", "results":
		return "result"
	case "port", "ports":
		return "port"
	case "run":
		return "run"
	}
	return ""
}

var numbered = regexp.MustCompile(`/(\w+)/(\d+)`)

func (m ids) path(p string) string {
	return numbered.ReplaceAllStringFunc(p, func(s string) string {
		f := numbered.FindStringSubmatch(s)
		id, _ := strconv.ParseInt(f[2], 10, 64)
		return fmt.Sprintf("/%s/%d", f[1], m.ours(kindOf(f[1]), id))
	})
}

func (m ids) query(path string, raw json.RawMessage) string {
	pairs := queryOf(raw)
	for i, p := range pairs {
		id, err := strconv.ParseInt(p[1], 10, 64)
		if kind := kindOf(p[0]); err == nil && strings.HasSuffix(p[0], "_id") && kind != "" {
			pairs[i][1] = strconv.FormatInt(m.ours(kind, id), 10)
		}
	}
	return encode(pairs)
}

// idOfBody is what the bare field `id` of a body stands for, by path.
var idOfBody = []struct{ path, kind string }{
	{"/kill/task", "task"}, {"/kill/node/tasks", "account"}, {"/recover/node", "account"},
	{"/organization", "organization"}, {"/node", "account"},
}

func (m ids) body(path string, raw json.RawMessage) []byte {
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil {
		return raw
	}
	for k, v := range fields {
		kind := kindOf(k)
		if k == "id" {
			for _, i := range idOfBody {
				if strings.HasSuffix(path, i.path) {
					kind = i.kind
				}
			}
		}
		if kind != "" && k != "result" && k != "port" {
			fields[k] = m.within(kind, v)
		}
	}
	b, err := json.Marshal(fields)
	var same map[string]any
	if err != nil || json.Unmarshal(raw, &same) == nil && fmt.Sprint(same) == fmt.Sprint(fields) {
		return raw // nothing to translate: the keys keep their order
	}
	return b
}

func (m ids) within(kind string, v any) any {
	switch v := v.(type) {
	case float64:
		return float64(m.ours(kind, int64(v)))
	case []any:
		for i := range v {
			v[i] = m.within(kind, v[i])
		}
	case map[string]any:
		if id, ok := v["id"].(float64); ok {
			v["id"] = float64(m.ours(kind, int64(id)))
		}
	}
	return v
}

// response returns an answer of ours with the recording's ids.
func (m ids) response(path string, v any) any {
	parts := strings.Split(strings.TrimPrefix(path, "/api/"), "/")
	last := parts[len(parts)-1]
	if decimal(last) && len(parts) > 1 {
		last = parts[len(parts)-2]
	}
	return m.translate(v, kindOf(last))
}

func (m ids) translate(v any, kind string) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			if id, ok := v[i].(float64); ok && kind != "" {
				v[i] = float64(m.golden(kind, int64(id)))
				continue
			}
			v[i] = m.translate(v[i], kind)
		}
	case map[string]any:
		m.object(v, kind)
	}
	return v
}

func (m ids) object(v map[string]any, kind string) {
	if s, ok := v["link"].(string); ok {
		if f := numbered.FindStringSubmatch(s); f != nil {
			kind = kindOf(f[1])
			id, _ := strconv.ParseInt(f[2], 10, 64)
			v["link"] = fmt.Sprintf("/api/%s/%d", f[1], m.golden(kind, id))
		}
	}
	for k, inner := range v {
		id, number := inner.(float64)
		switch {
		case k == "id" && number && kind != "":
			v[k] = float64(m.golden(kind, int64(id)))
		case k == "data":
			v[k] = m.translate(inner, kind)
		case number && kindOf(k) != "" && k != "port":
			v[k] = float64(m.golden(kindOf(k), int64(id)))
		case !number:
			v[k] = m.translate(inner, kindOf(k))
		}
	}
	for k, inner := range v {
		if s, ok := inner.(string); ok && strings.HasSuffix(k, "_url") {
			if f := numbered.FindStringSubmatch(s); f != nil {
				id, _ := strconv.ParseInt(f[2], 10, 64)
				v[k] = fmt.Sprintf("/api/%s/%d", f[1], m.golden(kindOf(f[1]), id))
			}
		}
	}
}

// madeThere are the ids of rows that the recording made in exchanges whose answer
// it does not hold, or that only one of the two servers answered with a row.
var madeThere = map[string]int64{
	"user.001": 15, "user.007": 18, "user.033": 23, "task.011": 6, "task.034": 15, "kill.016": 19,
}

// resultsThere are the ids of the results of such tasks.
var resultsThere = map[string][]int64{"task.034": {21, 22}, "kill.016": {29, 30}}

// learn notes the ids of a row that both servers have just made.
func (g *replay) learn(e exchange, reply *httptest.ResponseRecorder) {
	var made struct {
		ID      int64  `json:"id"`
		RunID   *int64 `json:"run_id"`
		Results []struct {
			ID int64 `json:"id"`
		} `json:"results"`
	}
	if e.Method != "POST" || reply.Code > 201 || json.Unmarshal(reply.Body.Bytes(), &made) != nil || made.ID == 0 {
		return
	}
	parts := strings.Split(e.Path, "/")
	kind := kindOf(parts[len(parts)-1])
	there, _ := e.Response.(map[string]any)
	golden, ok := there["id"].(float64)
	if !ok {
		golden, ok = float64(madeThere[e.ID]), madeThere[e.ID] != 0
	}
	if !ok || kind == "" {
		return
	}
	g.ids.pair(kind, int64(golden), made.ID)
	if run, ok := there["run_id"].(float64); ok && made.RunID != nil {
		g.ids.pair("run", int64(run), *made.RunID)
	}
	for i, id := range resultsThere[e.ID] {
		g.ids.pair("result", id, made.Results[i].ID)
	}
	results, _ := there["results"].([]any)
	sortAny(results)
	for i, r := range results {
		if id, ok := r.(map[string]any)["id"].(float64); ok && i < len(made.Results) {
			g.ids.pair("result", int64(id), made.Results[i].ID)
		}
	}
}
