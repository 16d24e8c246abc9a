package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/access"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/promise"
)

// bed is a server on a database of its own with the people of the fixture:
//
//	organizations  1 root, 2 IKNL, 3 Small, 4 Big
//	collaborations 1 ZEPPELIN (2, 3, 4), 2 PIPELINE (2, 4), 3 SLIPPERS (3, 4), encrypted: none
//	users          1 root (Root), 2 admin (super of 2), 3 small_admin, 4 big_admin (supers of 3, 4),
//	               5 viewer, 6 researcher, 7 orgadmin, 8 colladmin, 9 noperm (all of 2),
//	               10 researcher_small (3), 11 viewer_big (4)
//	nodes          12 node_iknl_z, 13 node_small_z, 14 node_big_z, 15 node_iknl_p, 16 node_big_p,
//	               17 node_small_s, 18 node_big_s; API keys are "key-12" to "key-18"
//	roles          1-7 default, 8 super of 2, 9 super of 3, 10 super of 4
//	tasks          1 by 2 in ZEPPELIN (user 2) with results 1, 2, 3 for 2, 3, 4, image hello-world
//
// Everybody's password is "Passw0rd!", root's is "root".
type bed struct {
	*testing.T
	s    *Server
	db   *queries.DB
	src  queries.Source
	news *bus.Bus
	log  *journal
	mu   sync.Mutex
	// sent are the events since the last row, as "room event data".
	sent   []string
	period int64 // of the codes of authenticators; 0: of the next one that is asked for
	// closed are the accounts whose connections were ended since the last row.
	closed []int64
}

const testSecret = "a secret that is long enough for tests"

var fixture = dbtest.Template{Build: buildFixture}

func newBed(t *testing.T) *bed { return newBedWith(t, core.Settings{}) }

func newBedWith(t *testing.T, set core.Settings, change ...func(*Options)) *bed {
	t.Helper()
	return newBedOn(t, fixture.Copy(t), set, change...)
}

// newBedOn is a bed on a copy of the fixture.
func newBedOn(t *testing.T, src queries.Source, set core.Settings, change ...func(*Options)) *bed {
	t.Helper()
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	log := &journal{}
	b := &bed{T: t, db: db, src: src, news: bus.New(zerolog.New(log)), log: log}
	if set.MaxFailedAttempts == 0 {
		set.MaxFailedAttempts, set.LockFor = 5, 15*time.Minute
	}
	if set.PasswordCost == 0 {
		set.PasswordCost = leastCost
	}
	c, err := core.New(t.Context(), b.db, b.news, zerolog.New(b.log), set)
	if err != nil {
		t.Fatal(err)
	}
	b.news.Subscribe(func(m bus.Message) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch m.Topic {
		case core.TopicEmit:
			b.sent = append(b.sent, m.Key+" "+m.Name+" "+string(m.Data))
		case core.TopicClose:
			var ids []int64
			if err := json.Unmarshal(m.Data, &ids); err != nil {
				t.Errorf("accounts to close: %v", err)
			}
			b.closed = append(b.closed, ids...)
		}
	})
	opt := Options{APIPath: "/api", Secret: []byte(testSecret), AccessFor: 6 * time.Hour, RefreshFor: 48 * time.Hour}
	for _, f := range change {
		f(&opt)
	}
	b.s = New(c, zerolog.New(b.log), opt)
	b.watched(t)
	t.Cleanup(b.close)
	return b
}

// newBedOnDisk is a bed whose disk can be filled.
func newBedOnDisk(t *testing.T, set core.Settings, change ...func(*Options)) (*bed, *dbtest.Disk) {
	t.Helper()
	src := fixture.Copy(t)
	if src.Engine != queries.SQLite {
		t.Skip("skipped: the disk is that of SQLite")
	}
	disk := dbtest.NewDisk(t)
	src.VFS = disk.Name
	return newBedOn(t, src, set, change...), disk
}

// journal keeps the log of a server.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(line)
}

// take returns what was logged since the last time.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.lines.Reset()
	return j.lines.String()
}

// close ends what runs beside the requests.
func (b *bed) close() {
	ctx, cancel := context.WithTimeout(context.Background(), promise.Patience)
	defer cancel()
	if err := b.s.Close(ctx); err != nil {
		b.Error(err)
	}
}

// fixtureUsers are the users in the order of their ids from 2 on, with their
// organization and role.
var fixtureUsers = []struct {
	name         string
	organization int
	role         int
}{
	{"admin", 2, 8},
	{"small_admin", 3, 9},
	{"big_admin", 4, 10},
	{"viewer", 2, 4},
	{"researcher", 2, 5},
	{"orgadmin", 2, 6},
	{"colladmin", 2, 7},
	{"noperm", 2, 0},
	{"researcher_small", 3, 5},
	{"viewer_big", 4, 4},
}

// fixtureNodes are the nodes in the order of their ids from 12 on.
var fixtureNodes = []struct {
	name                        string
	organization, collaboration int
}{
	{"node_iknl_z", 2, 1},
	{"node_small_z", 3, 1},
	{"node_big_z", 4, 1},
	{"node_iknl_p", 2, 2},
	{"node_big_p", 4, 2},
	{"node_small_s", 3, 3},
	{"node_big_s", 4, 3},
}

// leastCost is bcrypt's least, so that tests do not spend their time on it.
const leastCost = 4

// passwordHash is bcrypt of "Passw0rd!" at that cost.
const passwordHash = "$2a$04$FXNmzv1F9trCNamScg3fV.YlkgIDzsudIiBG.PcH7JB68g.rPUy3."

// buildFixture fills the template: what a first start makes, then the rows above.
func buildFixture(ctx context.Context, src queries.Source) error {
	db, err := queries.Open(ctx, src)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	c, err := core.New(ctx, db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: leastCost})
	if err != nil {
		return err
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	for _, s := range fixtureStatements(src, c) {
		if _, err := raw.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func fixtureStatements(src queries.Source, c *core.Core) []string {
	list := []string{
		`INSERT INTO organization (name, domain, country) VALUES ('IKNL', 'iknl.nl', 'Netherlands')`,
		`INSERT INTO organization (name, domain, country) VALUES ('Small', 'small.example', 'Nowhereland')`,
		`INSERT INTO organization (name, domain, country) VALUES ('Big', 'big.example', 'Nowhereland')`,
		`INSERT INTO collaboration (name, encrypted) VALUES ('ZEPPELIN', FALSE), ('PIPELINE', FALSE), ('SLIPPERS', FALSE)`,
		`INSERT INTO member (collaboration_id, organization_id) VALUES (1, 2), (1, 3), (1, 4), (2, 2), (2, 4), (3, 3), (3, 4)`,
		`INSERT INTO role (name, description, organization_id) VALUES ('super', 's', 2), ('super', 's', 3), ('super', 's', 4)`,
		`INSERT INTO role_rule (role_id, rule_id) SELECT o.id, r.id FROM role o CROSS JOIN rule r WHERE o.name = 'super'`,
	}
	for i, u := range fixtureUsers {
		list = append(list, `INSERT INTO authenticatable (type) VALUES ('user')`,
			fmt.Sprintf(`INSERT INTO "user" (id, username, password, firstname, lastname, email, organization_id)
				VALUES (%d, '%s', '%s', 'First', 'Last', '%s@example.org', %d)`, i+2, u.name, passwordHash, u.name, u.organization))
		if u.role > 0 {
			list = append(list, fmt.Sprintf(`INSERT INTO user_role (user_id, role_id) VALUES (%d, %d)`, i+2, u.role))
		}
	}
	for i, n := range fixtureNodes {
		id := i + 12
		list = append(list, `INSERT INTO authenticatable (type) VALUES ('node')`,
			fmt.Sprintf(`INSERT INTO node (id, name, api_key, organization_id, collaboration_id) VALUES (%d, '%s', '%s', %d, %d)`,
				id, n.name, c.DigestAPIKey(fmt.Sprintf("key-%d", id)), n.organization, n.collaboration))
	}
	return append(list,
		`INSERT INTO task (name, description, image, database, collaboration_id, run_id, initiator_id, init_user_id)
			VALUES ('first', '', 'hello-world', 'default', 1, 1, 2, 2)`,
		`UPDATE counter SET value = 1 WHERE name = 'run'`,
		`INSERT INTO result (task_id, organization_id, status, assigned_at) VALUES
			(1, 2, 'pending', '2026-01-02T03:04:05.000000Z'), (1, 3, 'pending', '2026-01-02T03:04:05.000000Z'),
			(1, 4, 'pending', '2026-01-02T03:04:05.000000Z')`,
		`INSERT INTO payload (result_id, input) SELECT id, `+dbtest.Octets(src, "aW4=")+` FROM result`)
}

// accountOf finds a user or node of the fixture by name.
func accountOf(name string) (access.Kind, int64) {
	if name == "root" {
		return access.User, 1
	}
	for i, u := range fixtureUsers {
		if u.name == name {
			return access.User, int64(i + 2)
		}
	}
	for i, n := range fixtureNodes {
		if n.name == name {
			return access.Node, int64(i + 12)
		}
	}
	return 0, 0
}

// token makes an access token for somebody of the fixture; "container" is a
// container of node 12 for task 1, "container:13" one of node 13.
func (b *bed) token(as string) string {
	b.Helper()
	if rest, ok := strings.CutPrefix(as, "container"); ok {
		node := int64(12)
		if rest != "" {
			_, _ = fmt.Sscanf(rest, ":%d", &node)
		}
		n := fixtureNodes[node-12]
		sub, _ := json.Marshal(containerSubject{
			ClientType: "container", NodeID: node, OrganizationID: int64(n.organization),
			CollaborationID: int64(n.collaboration), TaskID: 1, Image: "hello-world",
		})
		return b.sign(claims{Subject: sub, ClientType: "container", Type: accessToken}, 0)
	}
	kind, id := accountOf(as)
	if kind == 0 {
		b.Fatalf("nobody in the fixture is called %q", as)
	}
	return b.sign(claims{Subject: fmt.Appendf(nil, "%d", id), ClientType: kind.String(), Type: accessToken}, time.Hour)
}

func (b *bed) sign(c claims, life time.Duration) string {
	b.Helper()
	t, err := b.s.tokens.sign(c, life)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// row is one request and what has to come of it.
type row struct {
	name   string
	as     string // who calls; "" sends no token
	method string
	path   string // with the query, below /api
	body   any    // encoded as JSON; a string is sent as it is
	header map[string]string
	want   int
	// has is JSON that the reply has to contain: objects may have more keys, lists
	// have to be equal in length, "*" matches anything.
	has string
	// events are all events that are sent, as "room event data".
	events []string
}

// run sends the rows one after the other.
func (b *bed) run(rows ...row) {
	b.Helper()
	for _, r := range rows {
		b.Run(strings.TrimSpace(r.name+" "+r.as+" "+r.method+" "+r.path), func(t *testing.T) {
			reply := b.send(t, r)
			if reply.Code != r.want {
				t.Fatalf("got %d %s, want %d", reply.Code, reply.Body, r.want)
			}
			b.check(t, r, reply)
		})
	}
}

func (b *bed) send(t *testing.T, r row) *httptest.ResponseRecorder {
	t.Helper()
	return b.sendFrom(t, r, "192.0.2.1:4711")
}

// sendFrom sends a row's request from an address.
func (b *bed) sendFrom(t *testing.T, r row, from string) *httptest.ResponseRecorder {
	t.Helper()
	return b.sendWithin(t.Context(), t, r, from)
}

// sendWithin sends a row's request, whose caller goes away when a context ends.
func (b *bed) sendWithin(ctx context.Context, t *testing.T, r row, from string) *httptest.ResponseRecorder {
	t.Helper()
	var body []byte
	switch v := r.body.(type) {
	case nil:
	case string:
		body = []byte(v)
	default:
		var err error
		if body, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	req := httptest.NewRequestWithContext(ctx, r.method, "http://server.example/api"+r.path, bytes.NewReader(body))
	req.RemoteAddr = from
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.as != "" {
		req.Header.Set("Authorization", "Bearer "+b.token(r.as))
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	b.mu.Lock()
	b.sent, b.closed = nil, nil
	b.mu.Unlock()
	reply := httptest.NewRecorder()
	b.s.ServeHTTP(reply, req)
	return reply
}

func (b *bed) check(t *testing.T, r row, reply *httptest.ResponseRecorder) {
	t.Helper()
	if r.method != http.MethodHead && reply.Code != http.StatusPermanentRedirect {
		if ct := reply.Header().Get("Content-Type"); ct != "application/json" && r.method != http.MethodOptions {
			t.Errorf("content type %q", ct)
		}
	}
	if r.has != "" {
		contains(t, reply.Body.Bytes(), r.has)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.sent, r.events) {
		t.Errorf("events: %s", cmp.Diff(r.events, b.sent))
	}
}

// octets is a literal of a statement for what is stored as bytes.
func (b *bed) octets(text string) string { return dbtest.Octets(b.src, text) }

// change runs statements that no request can.
func (b *bed) change(t *testing.T, statements ...string) {
	t.Helper()
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, s := range statements {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	b.forget(t)
}

// grant gives a user of the fixture rules beside those of its role, by their ids.
func (b *bed) grant(user string, rules ...int64) {
	b.Helper()
	_, id := accountOf(user)
	for _, r := range rules {
		b.change(b.T, fmt.Sprintf(`INSERT INTO user_rule (user_id, rule_id) VALUES (%d, %d)`, id, r))
	}
}

// number reads one number that no request gives.
func (b *bed) number(t *testing.T, query string) int64 {
	t.Helper()
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var n int64
	if err := raw.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// forget makes the server drop what it remembers of rights, as a change through it
// would.
func (b *bed) forget(t *testing.T) {
	t.Helper()
	b.news.Publish(bus.Message{Topic: core.TopicRights})
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// contains checks that a reply holds what a row says it has.
func contains(t *testing.T, body []byte, has string) {
	t.Helper()
	var got, want any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("the reply is no JSON: %v: %s", err, body)
	}
	if err := json.Unmarshal([]byte(has), &want); err != nil {
		t.Fatalf("the row's `has` is no JSON: %v: %s", err, has)
	}
	if at := differs(want, got, ""); at != "" {
		t.Errorf("%s\ngot  %s\nwant %s", at, body, has)
	}
}

// differs returns where got lacks something of want, "" when it lacks nothing.
func differs(want, got any, at string) string {
	if want == "*" {
		return ""
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for k, v := range w {
			if _, there := g[k]; !there {
				return at + "." + k + " is not there"
			}
			if d := differs(v, g[k], at+"."+k); d != "" {
				return d
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return at + " is no list of that length"
		}
		for i := range w {
			if d := differs(w[i], g[i], fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
	default:
		if want != got {
			return fmt.Sprintf("%s is %v, not %v", at, got, want)
		}
	}
	return ""
}
