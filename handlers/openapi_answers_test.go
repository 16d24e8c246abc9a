package handlers

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// tried are the statuses that each operation of the document answered with.
var tried = &trials{statuses: map[string]map[int]bool{}, right: map[[sha256.Size]byte]bool{}}

type trials struct {
	mu       sync.Mutex
	statuses map[string]map[int]bool // by "METHOD /path"
	right    map[[sha256.Size]byte]bool
}

// fits compares a body with the description of an answer, unless the same one was right before.
func (tr *trials) fits(answer *openapi3.Response, operation string, status int, body []byte) string {
	key := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", operation, status, body))
	tr.mu.Lock()
	known := tr.right[key]
	tr.mu.Unlock()
	if known {
		return ""
	}
	wrong := wrongBody(answer, body)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.right[key] = wrong == ""
	return wrong
}

func (tr *trials) note(operation string, status int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.statuses[operation] == nil {
		tr.statuses[operation] = map[int]bool{}
	}
	tr.statuses[operation][status] = true
}

// untried names the operations that never did what they are for.
func (tr *trials) untried(doc *openapi3.T) []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var names []string
	for name, operation := range operations(doc) {
		for status := range operation.Responses.Map() {
			code, _ := strconv.Atoi(status)
			if code < 300 && !tr.statuses[name][code] {
				names = append(names, name+" → "+status)
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestMain fails a run of all tests in which an operation of the document was never done.
func TestMain(m *testing.M) {
	code := m.Run()
	doc, err := theDocument()
	if code == 0 && err == nil && wholeRun() {
		if names := tried.untried(doc); len(names) > 0 {
			fmt.Fprintf(os.Stderr, "embed/openapi.yaml describes what no test does:\n  %s\n", strings.Join(names, "\n  "))
			code = 1
		}
	}
	os.Exit(code) //nolint:forbidigo // the main of the tests
}

// wholeRun reports whether every test was asked for, and nothing else.
func wholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	worker := flag.Lookup("test.fuzzworker")
	return worker == nil || worker.Value.String() != "true"
}

// watched has every answer of the bed's server compared with the document, whoever asks and
// by whatever way.
func (b *bed) watched(t *testing.T) {
	doc := description(t)
	var mu sync.Mutex
	over := false
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
	})
	b.s.echo.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			kept := &keptAnswer{ResponseWriter: c.Response().Writer}
			c.Response().Writer = kept
			if err := next(c); err != nil {
				c.Error(err) // answers
			}
			if !c.Response().Committed {
				return nil // the caller went away
			}
			wrong := b.s.undescribed(doc, c, kept)
			mu.Lock()
			defer mu.Unlock()
			if wrong != "" && !over {
				t.Errorf("embed/openapi.yaml: %s %s answered %d: %s\n%.1000s",
					c.Request().Method, c.Request().URL, c.Response().Status, wrong, kept.body.String())
			}
			return nil
		}
	})
}

// mostKept is how long an answer may be to be compared as a whole.
const mostKept = 256 << 10

// keptAnswer keeps an answer while it is sent.
type keptAnswer struct {
	http.ResponseWriter
	body bytes.Buffer
	long bool
}

func (k *keptAnswer) Write(p []byte) (int, error) {
	if k.long = k.long || k.body.Len()+len(p) > mostKept; !k.long {
		k.body.Write(p)
	}
	return k.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (k *keptAnswer) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// undescribed tells in what an answer differs from the document, "" for nothing.
func (s *Server) undescribed(doc *openapi3.T, c echo.Context, kept *keptAnswer) string {
	path, ours := strings.CutPrefix(c.Path(), s.opt.APIPath)
	item := doc.Paths.Value(templated(path))
	if !ours || item == nil {
		return "" // a page, or no address of the API
	}
	method := c.Request().Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	operation := item.GetOperation(method)
	status := c.Response().Status
	if operation == nil {
		return wrongWithoutOperation(method, status)
	}
	tried.note(method+" "+templated(path), status)
	answer := operation.Responses.Status(status)
	if answer == nil {
		return "the status is not described"
	}
	if wrong := wrongHeaders(answer.Value, c.Response().Header()); wrong != "" || c.Request().Method == http.MethodHead || kept.long {
		return wrong
	}
	if c.Response().Header().Get("Content-Type") != "application/json" {
		return "" // a file, whose form is not that of the API
	}
	body := kept.body.Bytes()
	if c.Response().Header().Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = unzipped(body); err != nil {
			return err.Error()
		}
	}
	return tried.fits(answer.Value, method+" "+templated(path), status, body)
}

// wrongWithoutOperation judges answers to methods that a path does not have.
func wrongWithoutOperation(method string, status int) string {
	switch {
	case method == http.MethodOptions && status == http.StatusOK,
		status == http.StatusMethodNotAllowed, status == http.StatusNotFound, status == http.StatusForbidden:
		return ""
	}
	return "there is no such operation"
}

// told are the headers that mean something to clients of the API.
var told = []string{"total-count", "Link", "jwt-token", "X-Incident", "Retry-After"}

func wrongHeaders(answer *openapi3.Response, got http.Header) string {
	present := map[string]string{}
	for name, values := range got {
		present[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if kind := present["content-type"]; answer.Content.Get(kind) == nil && (kind != "" || answer.Content != nil) {
		return "the content type " + kind + " is not described"
	}
	for _, name := range told {
		_, there := present[strings.ToLower(name)]
		if there && answer.Headers[name] == nil {
			return "the header " + name + " is not described"
		}
	}
	for name, header := range answer.Headers {
		value, there := present[strings.ToLower(name)]
		if !there && header.Value.Required {
			return "the header " + name + " is missing"
		}
		if n, err := strconv.Atoi(value); there && header.Value.Schema.Value.Type.Is("integer") && (err != nil || n < 0) {
			return "the header " + name + " is " + value
		}
	}
	return ""
}

func wrongBody(answer *openapi3.Response, body []byte) string {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err.Error()
	}
	schema := answer.Content.Get("application/json").Schema.Value
	if err := schema.VisitJSON(value, openapi3.VisitAsResponse(), openapi3.EnableFormatValidation()); err != nil {
		return err.Error()
	}
	return surplus([]*openapi3.Schema{schema}, value, "the answer")
}

// surplus names a field that none of the schemas knows which a value has to fit, "" for none.
func surplus(schemas []*openapi3.Schema, value any, at string) string {
	schemas = flattened(schemas, value)
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if wrong := surplus(each(schemas, itemsOf), item, fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
				return wrong
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			known := each(schemas, func(s *openapi3.Schema) *openapi3.Schema { return propertyOf(s, name) })
			known = slices.DeleteFunc(known, func(s *openapi3.Schema) bool { return s == nil })
			if len(known) == 0 {
				return at + " has " + name + ", which is not described"
			}
			if wrong := surplus(known, v[name], at+"."+name); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

// flattened returns schemas with those that they are made of, of alternatives the ones that
// fit the value.
func flattened(schemas []*openapi3.Schema, value any) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, s := range schemas {
		if s == nil {
			continue
		}
		all = append(all, s)
		for _, part := range s.AllOf {
			all = append(all, flattened([]*openapi3.Schema{part.Value}, value)...)
		}
		for _, part := range slices.Concat(s.OneOf, s.AnyOf) {
			if part.Value.VisitJSON(value) == nil {
				all = append(all, flattened([]*openapi3.Schema{part.Value}, value)...)
			}
		}
	}
	return all
}

func itemsOf(s *openapi3.Schema) *openapi3.Schema {
	if s.Items == nil {
		return nil
	}
	return s.Items.Value
}

func propertyOf(s *openapi3.Schema, name string) *openapi3.Schema {
	switch {
	case s.Properties[name] != nil:
		return s.Properties[name].Value
	case s.AdditionalProperties.Schema != nil:
		return s.AdditionalProperties.Schema.Value
	}
	return nil
}

// TestAnswersAreCompared shows that what is not described is noticed.
func TestAnswersAreCompared(t *testing.T) {
	answer := description(t).Paths.Value("/organization/{id}").Get.Responses.Status(200).Value
	const good = `{"id":1,"name":null,"domain":"","address1":"","address2":null,"zipcode":"","country":"","public_key":"",` +
		`"collaborations":null,"nodes":[{"id":1,"link":"/api/node/1","methods":["GET"]}],"users":null,"results":null,"roles":[]}`
	for body, want := range map[string]string{
		good: "",
		strings.Replace(good, `"roles"`, `"more":1,"roles"`, 1):        "more",
		strings.Replace(good, `"id":1,"link"`, `"x":1,"link"`, 1):      `"id"`,
		strings.Replace(good, `"link"`, `"and":1,"link"`, 1):           "and",
		strings.Replace(good, `"roles":[]`, `"roles":null`, 1):         "null",
		strings.Replace(good, `,"roles":[]`, ``, 1):                    "roles",
		strings.Replace(good, `"public_key":""`, `"public_key":7`, 1):  "string",
		strings.Replace(good, `"methods":["GET"]`, `"methods":[1]`, 1): "enum",
		`[]`: "object",
		`{`:  "JSON",
	} {
		if got := wrongBody(answer, []byte(body)); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", body, got, want)
		}
	}
	list := description(t).Paths.Value("/organization").Get.Responses.Status(200).Value
	for header, want := range map[string]string{
		"":                                       "total-count is missing",
		"total-count: 3":                         "",
		"total-count: x":                         "total-count is x",
		"total-count: 3,x-a: 1":                  "",
		"total-count: 3,link: <x>":               "",
		"total-count: 3,jwt-token: x":            "jwt-token is not described",
		"total-count: 3,content-type: text/html": "content type",
	} {
		h := http.Header{"Content-Type": {"application/json"}}
		for _, pair := range strings.Split(header, ",") {
			if name, value, ok := strings.Cut(pair, ": "); ok {
				h[http.CanonicalHeaderKey(name)] = []string{value}
			}
		}
		if got := wrongHeaders(list, h); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	empty := &trials{statuses: map[string]map[int]bool{"GET /health": {400: true}}}
	if left := empty.untried(description(t)); !slices.Contains(left, "GET /health → 200") || len(left) < 40 {
		t.Errorf("untried: %v", left)
	}
}
