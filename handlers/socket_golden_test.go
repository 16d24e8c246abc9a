package handlers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// socketStep is one line of the transcript of the reference: an action, and what each
// client received after it.
type socketStep struct {
	ID     string
	Action struct {
		Type, Client, Event, As, Method, Path string
		Transports                            []string
		Data                                  []any
		Body                                  any
		Status                                int
	}
	Node8Status  string `json:"node8_status"`
	Node10Status string `json:"node10_status"`
	User2Status  string `json:"user2_status"`
	Received     map[string][]struct {
		Event string
		Args  []any
	}
}

// socketDeviations are where this server does not do what the reference did, each with
// its reason. They are applied in this order to what a client should have heard; steps
// is "" for all of them.
var socketDeviations = []struct {
	steps, reason string
	change        func(client string, heard []string) []string
}{
	{"", "a `ping` falls where the timer puts it (golden README)", without("ping")},
	{"", "what the client's library says about itself is not heard from the server", without("disconnect")},
	{"", "nodes learn of nodes in their own collaboration only (/docs/live#server-events)", func(client string, heard []string) []string {
		for i, e := range heard {
			if strings.HasPrefix(client, "node_") && (strings.HasPrefix(e, "node-online") || strings.HasPrefix(e, "node-offline")) {
				return slices.Delete(heard, i, i+1)
			}
		}
		return heard
	}},
	{"", "namespace /admin is refused (/docs/live#namespaces)", without("node-status-changed")},
	{"step.010", "namespace /admin is refused (/docs/live#namespaces)", func(client string, heard []string) []string {
		if client == "admin_ns" {
			return append([]string{`refused /admin,"Unable to connect"`}, heard[1:]...)
		}
		return heard
	}},
	{"step.011", "every bad token is told so (/docs/live#log-in)", refusal("no_token")},
	{"step.012", "every bad token is told so (/docs/live#log-in)", refusal("garbage")},
	{"step.019", "collaboration_id is always a number (/docs/live#server-events)", func(_ string, heard []string) []string {
		for i := range heard {
			heard[i] = strings.Replace(heard[i], `"collaboration_id":"1"`, `"collaboration_id":1`, 1)
		}
		return heard
	}},
	{"step.020", "`master` is ignored (/docs/tasks#create)", func(_ string, heard []string) []string {
		if len(heard) > 0 {
			return append(heard, "new_task 6")
		}
		return heard
	}},
	{"step.025 step.027", "only nodes, and only about their own collaboration (/docs/live#client-events)", without("algorithm_status_change")},
	{"step.036", "one entry for each unfinished result with its own task (/docs/tasks#kill)", func(_ string, heard []string) []string {
		if len(heard) > 0 {
			return []string{`kill_containers {"collaboration_id":1,"kill_list":[` +
				`{"organization_id":3,"result_id":5,"task_id":2},{"organization_id":3,"result_id":10,"task_id":7}]}`}
		}
		return heard
	}},
	{"step.044", "a node with a connection left is online (/docs/live#connections)", without("node-offline")},
	{"step.046", "sessions of the reference's own that had timed out", without("message")},
}

// without takes out all events of a name.
func without(event string) func(string, []string) []string {
	return func(_ string, heard []string) []string {
		return slices.DeleteFunc(heard, func(e string) bool { return e == event || strings.HasPrefix(e, event+" ") })
	}
}

// refusal is what a client with a bad token hears.
func refusal(of string) func(string, []string) []string {
	return func(client string, heard []string) []string {
		if client == of {
			return []string{"expired_token", "connect"}
		}
		return heard
	}
}

// otherStatus are the steps whose HTTP status or stored status is another one.
var otherStatus = map[string]any{
	"step.020": 201,      // `master` is ignored (/docs/tasks#create)
	"step.045": "online", // the other connection is counted (/docs/live#connections)
}

func TestGoldenSockets(t *testing.T) {
	b := newLiveBed(t)
	p := &socketReplay{T: t, b: b, clients: map[string]*socketClient{}, applied: map[int]bool{}}
	file, err := os.Open("testdata/golden/socket.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	steps := 0
	for lines := bufio.NewScanner(file); lines.Scan(); steps++ {
		var step socketStep
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			t.Fatal(err)
		}
		p.act(step)
		p.compare(step)
	}
	if steps != 52 {
		t.Errorf("replayed %d steps", steps)
	}
	for i, d := range socketDeviations {
		if !p.applied[i] {
			t.Errorf("a deviation has no effect any more: %s %s", d.steps, d.reason)
		}
	}
}

// socketReplay does the steps of the transcript with the people of the fixture.
type socketReplay struct {
	*testing.T
	b       *liveBed
	clients map[string]*socketClient
	applied map[int]bool // the deviations that changed something
}

// goldenNames are the people of the transcript who have another name in the fixture.
var goldenNames = map[string]string{
	"iknl_admin": "admin", "admin_ns": "admin", "viewer_iknl": "viewer", "colladmin_iknl": "colladmin", "noperm_iknl": "noperm",
	"no_token": "admin", "garbage": "admin", "expired": "admin", "node_iknl_z#2": "node_iknl_z",
}

func fixtureName(golden string) string {
	if name, ok := goldenNames[golden]; ok {
		return name
	}
	return golden
}

// goldenTexts are what their names look like in texts.
var goldenTexts = strings.NewReplacer(
	"IKNL - ZEPPELIN Node", "node_iknl_z", "Small Organization - ZEPPELIN Node", "node_small_z", "IKNL - PIPELINE Node", "node_iknl_p",
	"admin@big-organization.example", "big_admin", "viewer_iknl", "viewer", "colladmin_iknl", "colladmin", "noperm_iknl", "noperm",
)

// translated puts the ids and names of the fixture into what the reference said. key is
// where a value stands.
func translated(key string, v any) any {
	shift := map[string]float64{"task_id": -3, "run_id": -3, "result_id": -6, "node_id": 4, "id": 4, "new_task": -3}
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, element := range v {
			m[k] = translated(k, element)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = translated(key, element)
		}
		return list
	case string:
		return goldenTexts.Replace(v)
	case float64:
		return v + shift[key]
	}
	return v
}

func (p *socketReplay) act(step socketStep) {
	p.Helper()
	a := step.Action
	switch a.Type {
	case "socket.connect":
		p.connect(a.Client, a.Transports)
	case "socket.disconnect":
		p.clients[a.Client].leave()
	case "socket.emit":
		args, err := json.Marshal(translated("", a.Data))
		if err != nil {
			p.Fatal(err)
		}
		if got := p.clients[a.Client].emit(a.Event, strings.Trim(string(args), "[]")); got != "[]" {
			p.Errorf("%s: acknowledged with %q", step.ID, got)
		}
	case "http":
		p.request(step)
	case "status":
		p.status(step)
	case "idle", "wait":
	default:
		p.Fatalf("%s: unknown action %s", step.ID, a.Type)
	}
}

func (p *socketReplay) connect(client string, transports []string) {
	how := means{only: strings.Join(transports, "")}
	switch client {
	case "no_token":
		how.token = "none"
	case "garbage":
		how.token = "garbage"
	case "expired":
		how.token = p.b.sign(claims{Subject: []byte("2"), ClientType: "user", Type: accessToken}, time.Nanosecond)
	case "admin_ns":
		how.connect = "40/admin,"
	}
	c := p.b.dial(fixtureName(client), how)
	p.clients[client] = c
	if client == "admin_ns" {
		c.send("40/tasks,")
	}
	eventually(p.T, client+" is connected", func() bool { return c.socket() != "" })
}

func (p *socketReplay) request(step socketStep) {
	p.Helper()
	a := step.Action
	r := row{as: fixtureName(a.As), method: a.Method, path: strings.TrimPrefix(a.Path, "/api"), want: a.Status}
	kind, id, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	switch body := a.Body.(type) {
	case map[string]any:
		if kind == "kill" {
			body["id"] = translated(strings.Split(id, "/")[0]+"_id", body["id"])
		}
		r.body = body
	}
	var number float64
	if n, _ := fmt.Sscan(id, &number); n == 1 {
		r.path = fmt.Sprintf("/%s/%v", kind, translated(kind+"_id", number))
	}
	if a.As == "container" {
		r.as, r.header = "", map[string]string{"Authorization": "Bearer " + p.b.containerOf(12, 2)}
	}
	if other, ok := otherStatus[step.ID]; ok {
		r.want = other.(int)
	}
	if reply := p.b.send(p.T, r); reply.Code != r.want {
		p.Errorf("%s: %s %s: %d %s, want %d", step.ID, r.method, r.path, reply.Code, reply.Body, r.want)
	}
}

// containerOf makes the token of a container.
func (b *liveBed) containerOf(node, task int64) string {
	n := fixtureNodes[node-12]
	sub, err := json.Marshal(containerSubject{
		ClientType: "container", NodeID: node, OrganizationID: int64(n.organization),
		CollaborationID: int64(n.collaboration), TaskID: task, Image: "hello-world",
	})
	if err != nil {
		b.Fatal(err)
	}
	return b.sign(claims{Subject: sub, ClientType: "container", Type: accessToken}, 0)
}

func (p *socketReplay) status(step socketStep) {
	p.Helper()
	for name, want := range map[string]string{"node_iknl_z": step.Node8Status, "node_big_z": step.Node10Status, "admin": step.User2Status} {
		if want == "" {
			continue
		}
		if other, ok := otherStatus[step.ID]; ok {
			want = other.(string)
		}
		if got := p.b.status(name); (got == "online") != (want == "online") {
			p.Errorf("%s: %s is %s, want %s", step.ID, name, got, want)
		}
	}
}

func (p *socketReplay) compare(step socketStep) {
	p.Helper()
	for _, client := range slices.Sorted(maps.Keys(step.Received)) {
		var want []string
		for _, e := range step.Received[client] {
			args, err := json.Marshal(append([]any{e.Event}, translated(e.Event, e.Args).([]any)...))
			if err != nil {
				p.Fatal(err)
			}
			want = append(want, described(string(args)))
		}
		for i, d := range socketDeviations {
			if d.steps != "" && !strings.Contains(d.steps, step.ID) {
				continue
			}
			before := slices.Clone(want)
			want = d.change(client, want)
			p.applied[i] = p.applied[i] || !slices.Equal(before, want)
		}
		got := without("disconnect")("", without("ping")("", p.clients[client].take()))
		if !slices.Equal(got, want) {
			p.Errorf("%s %s: %s", step.ID, client, cmp.Diff(want, got))
		}
	}
}
