package handlers

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"vserver/service/access"
	"vserver/service/promise"
)

// TestRequestsMadeOfTheDescription makes requests at random of what the document says, with good
// tokens of every kind and without: none is answered with a server error but one that the
// document names for a state of the operation. The bed compares every answer with the document.
// VSERVER_SEED repeats a run that failed.
func TestRequestsMadeOfTheDescription(t *testing.T) {
	seed, worlds, end := uint64(6), 8, time.Time{}
	if promise.Long() {
		seed, end = rand.Uint64(), time.Now().Add(10*time.Minute)
	}
	if s := os.Getenv("VSERVER_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	f := &forger{doc: description(t), rnd: rand.New(rand.NewPCG(seed, 0)), answers: map[string]map[int]int{}}
	names := slices.Sorted(maps.Keys(operations(f.doc)))
	for world := 0; world < worlds || time.Now().Before(end); world++ {
		ok := t.Run("", func(t *testing.T) { // a world gets empty by what is deleted
			b := newBed(t)
			if world%4 == 3 {
				b, _ = newVPNBed(t)
			}
			for i := range 500 {
				if wrong := f.ask(t, b, names[f.rnd.IntN(len(names))]); wrong != "" {
					t.Fatalf("request %d of world %d of VSERVER_SEED=%d: %s", i, world, seed, wrong)
				}
			}
		})
		if !ok {
			return
		}
	}
	f.report(t, names)
}

// forger makes requests.
type forger struct {
	doc     *openapi3.T
	rnd     *rand.Rand
	answers map[string]map[int]int // how often each status came, by operation
}

// often is true in so many of a hundred cases.
func (f *forger) often(percent int) bool { return f.rnd.IntN(100) < percent }

func anyOf[T any](f *forger, list ...T) T { return list[f.rnd.IntN(len(list))] }

// ask makes a request of an operation, and tells what is wrong about the answer.
func (f *forger) ask(t *testing.T, b *bed, name string) string {
	method, path, _ := strings.Cut(name, " ")
	operation := f.doc.Paths.Value(path).GetOperation(method)
	r := row{as: f.caller(operation), method: method, path: f.address(name)}
	if r.body = f.body(name, operation); f.often(5) {
		r.header = map[string]string{"Content-Type": anyOf(f, "text/plain", "", "application/x-www-form-urlencoded")}
	}
	reply := b.send(t, r)
	if f.answers[name] == nil {
		f.answers[name] = map[int]int{}
	}
	f.answers[name][reply.Code]++
	if reply.Code >= 500 && (!ofState(operation, reply.Code) || reply.Header().Get(incidentHeader) != "") {
		return fmt.Sprintf("%s as %q: %s %.2000v\n%d %s\n%s", name, r.as, r.path, r.body, reply.Code, reply.Body, b.log.take())
	}
	return wrongJSON(reply)
}

// ofState reports whether an operation names a status for a state that a healthy server may be in:
// one that other operations have not.
func ofState(operation *openapi3.Operation, status int) bool {
	answer := operation.Responses.Status(status)
	return answer != nil && !slices.Contains([]string{"Fault", "Away", "Full"}, answer.Ref[strings.LastIndex(answer.Ref, "/")+1:])
}

func wrongJSON(reply *httptest.ResponseRecorder) string {
	if !json.Valid(reply.Body.Bytes()) {
		return "no JSON: " + reply.Body.String()
	}
	return ""
}

// caller is mostly somebody whom the operation is for.
func (f *forger) caller(operation *openapi3.Operation) string {
	callers := map[string][]string{
		access.User.String():      {"root", "admin", "admin", "small_admin", "viewer", "researcher", "orgadmin", "colladmin", "noperm"},
		access.Node.String():      {"node_iknl_z", "node_iknl_z", "node_small_z", "node_big_p"},
		access.Container.String(): {"container", "container:13"},
	}
	kinds := securityOf(operation)
	if len(kinds) == 0 || f.often(10) {
		kinds = []string{access.User.String(), access.Node.String(), access.Container.String(), ""}
	}
	list := callers[anyOf(f, kinds...)]
	if len(list) == 0 {
		return ""
	}
	return anyOf(f, list...)
}

// address fills the path of an operation and adds a query.
func (f *forger) address(name string) string {
	_, path, _ := strings.Cut(name, " ")
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = fmt.Sprint(f.number())
		}
	}
	query := url.Values{}
	params := parametersOf(f.doc, name, "query")
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if f.often(25) || params[name].Required && f.often(90) {
			query[name] = f.words(params[name].Schema.Value)
		}
	}
	path = strings.Join(parts, "/")
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// number is mostly an id of the fixture.
func (f *forger) number() int64 {
	if f.often(85) {
		return 1 + f.rnd.Int64N(20)
	}
	return anyOf[int64](f, 0, -1, 53, 99999, 1<<31, 1<<53+1, 1<<62)
}

// words are the values of a parameter.
func (f *forger) words(s *openapi3.Schema) []string {
	if s.Type.Is("array") {
		var list []string
		for range f.rnd.IntN(3) {
			list = append(list, f.words(s.Items.Value)...)
		}
		return list
	}
	if f.often(10) {
		return []string{anyOf(f, hostileValues...)}
	}
	return []string{fmt.Sprint(f.value(s))}
}

// body is mostly one that works, with a field or two of other values.
func (f *forger) body(name string, operation *openapi3.Operation) any {
	if operation.RequestBody == nil {
		return nil
	}
	if f.often(3) {
		return anyOf(f, hostile()...)
	}
	schema := operation.RequestBody.Value.Content.Get("application/json").Schema.Value
	if f.often(30) {
		return f.object(schema)
	}
	method, path, _ := strings.Cut(name, " ")
	fields := map[string]any{}
	_ = json.Unmarshal([]byte(sane[method+" "+strings.NewReplacer("{", ":", "}", "").Replace(path)]), &fields)
	names := slices.Sorted(maps.Keys(schema.Properties))
	for range f.rnd.IntN(3) {
		field := anyOf(f, names...)
		if delete(fields, field); f.often(80) {
			fields[field] = f.value(schema.Properties[field].Value)
		}
	}
	return fields
}

// texts are strings that mean something, and some that are odd.
var texts = []string{
	"", "x", "IKNL", "ZEPPELIN", "root", "viewer", "hello-world", "default", "aW4=", "aW4=$aW4=$aW4=", "Passw0rd!", "key-12", "online",
	"completed", "open", "VIEW", "task", "GET", "/task/1", "/user/5", "10.0.0.1", "::1", "12", "123456", "2026-01-31", "2026-01-31T12:00:00.5",
	"%", "_", `\`, "a\tb", "é中😀", "\u202e", "\u0000", "x@example.org", strings.Repeat("a", 1001), strings.Repeat("%", 100),
}

// value is of a schema, mostly.
func (f *forger) value(s *openapi3.Schema) any {
	switch {
	case f.often(4):
		if raw := json.RawMessage(anyOf(f, hostile()...)); json.Valid(raw) {
			return raw
		}
	case s.Nullable && f.often(10):
		return nil
	}
	if parts := slices.Concat(s.OneOf, s.AnyOf); len(parts) > 0 {
		return f.value(anyOf(f, parts...).Value)
	}
	switch {
	case len(s.Enum) > 0:
		return anyOf(f, s.Enum...)
	case s.Type.Is("integer"):
		return f.number()
	case s.Type.Is("boolean"):
		return f.often(50)
	case s.Type.Is("array"):
		list := []any{}
		for range f.rnd.IntN(4) {
			list = append(list, f.value(s.Items.Value))
		}
		return list
	case s.Type.Is("object"):
		return f.object(s)
	}
	return anyOf(f, texts...)
}

// object has the fields of a schema, mostly all that are required.
func (f *forger) object(s *openapi3.Schema) map[string]any {
	fields := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if f.often(50) || slices.Contains(s.Required, name) && f.often(90) {
			fields[name] = f.value(s.Properties[name].Value)
		}
	}
	return fields
}

// notByChance are the operations that nobody gets to do what they ask for with what a forger has.
var notByChance = map[string]string{
	"POST /kill/node/tasks":              "the node has to be online",
	"POST /recover/reset":                "takes a token that was mailed",
	"POST /recover/2fa/reset":            "takes a token that was mailed",
	"POST /second-factor/recovery-codes": "takes a code of an authenticator",
	"POST /token/refresh":                "takes a refresh token",
}

// report fails a run that was refused too often to mean anything.
func (f *forger) report(t *testing.T, names []string) {
	var all, good int
	var never []string
	for _, name := range names {
		did := 0
		for status, n := range f.answers[name] {
			if all += n; status < 300 {
				did += n
			}
		}
		if good += did; did == 0 && notByChance[name] == "" {
			never = append(never, name)
		}
	}
	t.Logf("%d requests, %d of them did what they ask for", all, good)
	if good < all/10 || promise.Long() && len(never) > 0 {
		t.Errorf("%d of %d requests did what they ask for; never: %s", good, all, strings.Join(never, ", "))
	}
	t.Logf("never: %s", strings.Join(never, ", "))
}
