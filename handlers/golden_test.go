package handlers

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/batch"
	"vserver/service/bus"
	"vserver/service/core"
)

// exchange is one recorded request to the reference server with its answer.
type exchange struct {
	ID       string            `json:"id"`
	As       string            `json:"as"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Query    json.RawMessage   `json:"query"`
	Body     json.RawMessage   `json:"body"`
	RawBody  *string           `json:"raw_body"`
	RawType  string            `json:"raw_content_type"`
	Extra    map[string]string `json:"extra_request_headers"`
	Override *string           `json:"token_override"`
	Note     string            `json:"note"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`
	Kind     string            `json:"response_kind"`
	Response any               `json:"response"`
	Fault    bool              `json:"fault"`
	Outcome  string            `json:"outcome"`
}

// TestGolden replays what the reference server was asked, in order, and compares.
// Every difference stands in the table of deviations with its reason.
func TestGolden(t *testing.T) {
	g := newReplay(t, core.Settings{MaxFailedAttempts: 5, LockFor: 15 * time.Minute})
	for _, e := range exchanges(t, "http", 938) {
		reply := g.send(e)
		found := g.compare(e, reply)
		if align := aligned[e.ID]; align != nil {
			align(g)
		}
		if exampleTasks[e.ID] {
			var some bool
			if found, some = withoutExampleTask(found); !some {
				t.Errorf("%s: is in the table of example tasks, but shows none", e.ID)
			}
		}
		allowed, known := deviations[e.ID]
		g.replayed++
		switch {
		case len(found) == 0 && known:
			t.Errorf("%s: is in the table of deviations, but does not differ", e.ID)
		case len(found) > 0 && !known:
			t.Errorf("%s (%s %s %s as %q %s):\n  %s\n  got  %d %.600s\n  want %d %.600v", e.ID, e.Method, e.Path, e.Query, e.As, e.Note,
				strings.Join(found, "\n  "), reply.Code, reply.Body, e.Status, e.Response)
		case known && allowed.status != 0 && allowed.status != reply.Code:
			t.Errorf("%s: got %d %s, the table of deviations says %d", e.ID, reply.Code, reply.Body, allowed.status)
		case known && allowed.reason == "":
			t.Errorf("%s: deviates without a reason", e.ID)
		}
	}
	if g.replayed != 938 {
		t.Errorf("%d exchanges were replayed", g.replayed)
	}
	for id := range exampleTasks {
		if !g.seen[id] {
			t.Errorf("the table of example tasks names %s, which is not recorded", id)
		}
	}
	for id := range deviations {
		if !g.seen[id] {
			t.Errorf("the table of deviations names %s, which is not recorded", id)
		}
	}
}

// exchanges reads a recording, which has so many.
func exchanges(t *testing.T, recording string, want int) []exchange {
	t.Helper()
	f, err := os.Open("testdata/golden/" + recording + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []exchange
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	if len(all) != want || lines.Err() != nil {
		t.Fatalf("%d exchanges, %v", len(all), lines.Err())
	}
	return all
}

// replay is a server on the recorded fixture, with the ids that differ between the
// recording and it.
type replay struct {
	*bed
	ids      ids
	seen     map[string]bool
	replayed int
}

func (g *replay) send(e exchange) *httptest.ResponseRecorder {
	g.Helper()
	g.seen[e.ID] = true
	if err := g.s.core.FlushSeen(g.Context()); err != nil {
		g.Fatal(err)
	}
	var body []byte
	contentType := ""
	switch {
	case e.RawBody != nil:
		body, contentType = []byte(*e.RawBody), e.RawType
	case len(e.Body) > 0 && string(e.Body) != "null":
		body, contentType = g.ids.body(e.Path, g.withToken(e)), "application/json"
	}
	target := g.ids.path(e.Path)
	if q := g.ids.query(e.Path, e.Query); q != "" {
		target += "?" + q
	}
	req := httptest.NewRequestWithContext(g.Context(), e.Method, "http://127.0.0.1:5000"+target, bytes.NewReader(body))
	req.RemoteAddr = "127.0.0.1:4711"
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token := g.tokenFor(e); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for k, v := range e.Extra {
		req.Header.Set(k, v)
	}
	reply := httptest.NewRecorder()
	g.s.ServeHTTP(reply, req)
	g.learn(e, reply)
	return reply
}

// goldenAccounts are the recording's ids of those who call.
var goldenAccounts = map[string]int64{
	"root": 1, "iknl_admin": 2, "admin": 2, "frank": 3, "small_admin": 5, "big_admin": 7,
	"viewer": 15, "researcher": 16, "orgadmin": 17, "colladmin": 18, "noperm": 19, "researcher_small": 20, "viewer_big": 21,
	"node_iknl_z": 8, "node_small_z": 9, "node_big_z": 10, "node_iknl_p": 11, "node_big_s": 14,
}

func (g *replay) tokenFor(e exchange) string {
	who, refresh := strings.CutPrefix(e.As, "refresh:")
	switch {
	case e.As == "forged" || e.Override != nil && e.As == "":
		return g.forged(e)
	case e.As == "":
		return ""
	case who == "container":
		sub, _ := json.Marshal(containerSubject{
			ClientType: "container", NodeID: 8, OrganizationID: 2, CollaborationID: 1, TaskID: 1, Image: "hello-world",
		})
		return g.sign(claims{Subject: sub, ClientType: "container", Type: accessToken}, 0)
	}
	id, ok := goldenAccounts[who]
	if !ok {
		g.Fatalf("%s: nobody is called %q", e.ID, who)
	}
	c := claims{Subject: fmt.Appendf(nil, "%d", g.ids.ours("account", id)), ClientType: "user", Type: accessToken}
	if strings.HasPrefix(who, "node_") {
		c.ClientType = "node"
	}
	ours := g.ids.ours("account", id)
	found, err := g.db.FindAccounts(g.Context(), &ours)
	if err != nil {
		g.Fatal(err)
	}
	if len(found) > 0 {
		c.Generation, c.Era = found[0].RefreshGeneration, found[0].AccessEra
	}
	if refresh {
		c.Type = refreshToken
	}
	return g.sign(c, time.Hour)
}

// withToken puts a fresh token in place of a recorded one that was to let somebody in again;
// its subject says whom.
func (g *replay) withToken(e exchange) json.RawMessage {
	if !strings.HasSuffix(e.Note, "reset token (volatile)") && !strings.HasPrefix(e.Note, "valid reset token") {
		return e.Body
	}
	var fields map[string]string
	if err := json.Unmarshal(e.Body, &fields); err != nil {
		g.Fatal(e.ID, err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(fields["reset_token"], ".")[1])
	if err != nil {
		g.Fatal(e.ID, err)
	}
	var recorded struct{ Sub any }
	if err := json.Unmarshal(payload, &recorded); err != nil {
		g.Fatal(e.ID, err)
	}
	whose, ok := recorded.Sub.(map[string]any)
	if !ok {
		return e.Body // the token of a log-in
	}
	var id int64
	if _, err := fmt.Sscan(fmt.Sprint(whose["id"]), &id); err != nil {
		g.Fatal(e.ID, err)
	}
	u, err := g.db.CredentialsOfUser(g.Context(), g.ids.ours("account", id))
	if err != nil {
		g.Fatal(e.ID, err)
	}
	purpose := core.ForPassword
	if strings.Contains(e.Path, "2fa") {
		purpose = core.ForSecondFactor
	}
	if fields["reset_token"], _, err = g.s.core.IssueToken(g.Context(), *u.Username, purpose); err != nil {
		g.Fatal(e.ID, err)
	}
	if strings.HasPrefix(e.Note, "expired") {
		g.ages(g.T, time.Second)
	}
	body, _ := json.Marshal(fields)
	return body
}

// forged makes the token that a record's note describes.
func (g *replay) forged(e exchange) string {
	if e.Override != nil && *e.Override == "garbage" {
		return "garbage"
	}
	now := time.Now().Unix()
	c := map[string]any{
		"fresh": false, "iat": now, "nbf": now, "jti": "x", "type": "access", "sub": 1, "exp": now + 3600,
		"client_type": "user", "roles": []string{},
	}
	alg, key := "HS256", testSecret
	switch e.Note {
	case "expired access token":
		c["exp"] = now - 10
	case "wrong signature":
		key = "another key"
	case "nbf in the future":
		c["nbf"] = now + 1000
	case "no sub claim":
		delete(c, "sub")
	case "sub of a user that does not exist":
		c["sub"] = 99999
	case `sub is the string "1"`:
		c["sub"] = "1"
	case "no client_type claim":
		delete(c, "client_type")
	case "client_type node, sub a user":
		c["client_type"] = "node"
	case "no exp claim (never expires)":
		delete(c, "exp")
	case "no jti":
		delete(c, "jti")
	case "no type":
		delete(c, "type")
	case "HS512":
		alg = "HS512"
	default:
		return "AAAA" + forge(g.T, "HS256", c, testSecret)[4:] // auth.034: a broken header
	}
	return forge(g.T, alg, c, key)
}

// compare lists how an answer differs from the recorded one.
func (g *replay) compare(e exchange, reply *httptest.ResponseRecorder) []string {
	if e.Outcome != "" || e.Fault {
		return outcomes[e.ID].unlike(reply)
	}
	if e.Status != reply.Code {
		return []string{fmt.Sprintf("status %d instead of %d", reply.Code, e.Status)}
	}
	found := g.compareHeaders(e, reply)
	if e.Kind == "json" && e.Method != http.MethodHead {
		var got any
		if err := json.Unmarshal(reply.Body.Bytes(), &got); err != nil {
			return append(found, "the reply is no JSON")
		}
		got = g.ids.response(e.Path, got)
		found = append(found, sameShape(e.Response, got, "")...)
	}
	return found
}

var relations = regexp.MustCompile(`[?&]page=(\d+)[^>]*>; rel=(\w+)`)

func (g *replay) compareHeaders(e exchange, reply *httptest.ResponseRecorder) []string {
	var found []string
	get := func(name string) string {
		for k, v := range reply.Header() {
			if strings.EqualFold(k, name) {
				return strings.Join(v, ", ")
			}
		}
		return ""
	}
	for name, want := range e.Headers {
		got := get(name)
		same := got == want
		switch name {
		case "Allow", "Access-Control-Allow-Methods":
			same = slices.Equal(methodNames(got), methodNames(want))
		case "Link":
			same = fmt.Sprint(relations.FindAllStringSubmatch(got, -1)) != "" && fmt.Sprint(pagesOf(got)) == fmt.Sprint(pagesOf(want))
		case "jwt-token":
			same = strings.Count(got, ".") == 2
		case "Content-Type":
			same = got == want || e.Status >= 400 && got == "application/json"
		}
		if !same {
			found = append(found, fmt.Sprintf("header %s is %q, not %q", name, got, want))
		}
	}
	return found
}

func pagesOf(link string) []string {
	var all []string
	for _, m := range relations.FindAllStringSubmatch(link, -1) {
		all = append(all, m[2]+"="+m[1])
	}
	return all
}

func methodNames(list string) []string {
	w := strings.Split(strings.ReplaceAll(list, " ", ""), ",")
	slices.Sort(w)
	return w
}

// volatile values differ in every recording.
var volatile = map[string]bool{
	"access_token": true, "refresh_token": true, "container_token": true, "api_key": true, "last_seen": true,
	"assigned_at": true, "otp_secret": true, "qr_uri": true, "version": true,
}

// laterKeys are keys that releases after the recorded one added.
var laterKeys = map[string]bool{
	"config": true, "created_at": true, "finished_at": true, "refresh_token": true, "refresh_url": true,
	"user_url": true, "node_url": true, "msg": true,
}

// sameShape compares a recorded value with ours, ids being translated already.
func sameShape(want, got any, at string) []string {
	switch w := want.(type) {
	case map[string]any:
		return sameObject(w, got, at)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return []string{fmt.Sprintf("%s: %d entries instead of %d", at, len(g), len(w))}
		}
		// Only tasks, results and ports have an order in the recording, and only as
		// the rows of a list.
		if at != "" && at != ".data" || !ordered(w) {
			sortAny(w)
			sortAny(g)
		}
		var found []string
		for i := range w {
			found = append(found, sameShape(w[i], g[i], fmt.Sprintf("%s[%d]", at, i))...)
		}
		return found
	case string:
		if s, ok := got.(string); ok && (w == "<text>" || w == "<token>" || s == w) {
			return nil
		}
	default:
		if want == got {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: %v instead of %v", at, got, want)}
}

func sameObject(w map[string]any, got any, at string) []string {
	g, ok := got.(map[string]any)
	if !ok {
		return []string{at + ": no object"}
	}
	var found []string
	for _, k := range slices.Sorted(maps.Keys(w)) {
		v, there := g[k]
		switch {
		case !there:
			found = append(found, at+"."+k+": missing")
		case volatile[k] || k == "finished_at" && w["status"] == "killed by user":
			if (v == nil) != (w[k] == nil) && k != "last_seen" && k != "otp_secret" {
				found = append(found, fmt.Sprintf("%s.%s: %v instead of %v", at, k, v, w[k]))
			}
		default:
			found = append(found, sameShape(w[k], v, at+"."+k)...)
		}
	}
	for k := range g {
		if _, there := w[k]; !there && !laterKeys[k] {
			found = append(found, at+"."+k+": not recorded")
		}
	}
	return found
}

// ordered reports whether the rows of a list are tasks, results or ports.
func ordered(rows []any) bool {
	for _, r := range rows {
		m, _ := r.(map[string]any)
		_, task := m["image"]
		_, result := m["input"]
		_, port := m["port"]
		if !task && !result && !port {
			return false
		}
	}
	return true
}

// sortAny puts rows into the order of their ids, and anything else into that of its
// text.
func sortAny(list []any) {
	slices.SortFunc(list, func(a, b any) int {
		x, isRow := a.(map[string]any)
		y, _ := b.(map[string]any)
		if i, ok := x["id"].(float64); isRow && ok {
			j, _ := y["id"].(float64)
			return int(i - j)
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
}

// queryOf returns a recorded query as pairs, in order.
func queryOf(raw json.RawMessage) [][2]string {
	var list [][2]any
	if json.Unmarshal(raw, &list) == nil {
		var pairs [][2]string
		for _, p := range list {
			pairs = append(pairs, [2]string{fmt.Sprint(p[0]), fmt.Sprint(p[1])})
		}
		return pairs
	}
	var pairs [][2]string
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		k, _ := d.Token()
		var v any
		if d.Decode(&v) != nil {
			return pairs
		}
		values, ok := v.([]any)
		if !ok {
			values = []any{v}
		}
		for _, v := range values {
			pairs = append(pairs, [2]string{fmt.Sprint(k), fmt.Sprint(v)})
		}
	}
	return pairs
}

func encode(pairs [][2]string) string {
	var parts []string
	for _, p := range pairs {
		parts = append(parts, url.QueryEscape(p[0])+"="+url.QueryEscape(p[1]))
	}
	return strings.Join(parts, "&")
}

// newReplay makes a server on an empty database with the recorded fixture imported.
func newReplay(t *testing.T, set core.Settings) *replay {
	t.Helper()
	set.PasswordCost, set.Key = leastCost, withFactor().Key
	src := (&dbtest.Template{}).Copy(t)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	news := bus.New(zerolog.Nop())
	c, err := core.New(t.Context(), db, news, zerolog.Nop(), set)
	if err != nil {
		t.Fatal(err)
	}
	file, err := batch.Read("testdata/golden/fixtures.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Apply(t.Context(), c, batch.Options{}); err != nil {
		t.Fatal(err)
	}
	b := &bed{T: t, db: db, src: src, news: news}
	b.s = New(c, zerolog.Nop(), Options{
		APIPath: "/api", Secret: []byte(testSecret), AccessFor: 6 * time.Hour, RefreshFor: 48 * time.Hour,
	})
	b.watched(t)
	return &replay{bed: b, ids: ids{}, seen: map[string]bool{}}
}
