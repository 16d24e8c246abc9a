package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/promise"
)

// objectsAndTexts are objects with the texts that the reference stores.
func objectsAndTexts() map[string]string {
	return map[string]string{
		`{}`:                           `{}`,
		`{"b":1,"a":[1,2,{}],"c":[]}`:  `{"b": 1, "a": [1, 2, {}], "c": []}`,
		` { "x" : { "y" : null } } `:   `{"x": {"y": null}}`,
		`{"t":true,"f":false}`:         `{"t": true, "f": false}`,
		`{"a":1,"b":2,"a":3}`:          `{"a": 3, "b": 2}`,
		`{"a":1,"\u0061":2}`:           `{"a": 2}`,
		`{"é":"ü𝒳"}`:                   `{"\u00e9": "\u00fc\ud835\udcb3"}`,
		`{"s":"\u00E9\uD83D\uDE00\/"}`: `{"s": "\u00e9\ud83d\ude00/"}`,
		`{"s":"\ud800"}`:               `{"s": "\ud800"}`,
		`{"s":"\u0041\u0022\u005c\u007f\u0000\u000a\u0009"}`:         `{"s": "A\"\\\u007f\u0000\n\t"}`,
		`{"s":"<&>\"\\\b\f\n\r\t"}`:                                  `{"s": "<&>\"\\\b\f\n\r\t"}`,
		`{"n":[0,-0,1,-12,123456789012345678901234567890]}`:          `{"n": [0, 0, 1, -12, 123456789012345678901234567890]}`,
		`{"n":[1.0,-0.0,1.50,1e2,1E+2,0.1,1e15,1e16,123456789.125]}`: `{"n": [1.0, -0.0, 1.5, 100.0, 100.0, 0.1, 1000000000000000.0, 1e+16, 123456789.125]}`,
		`{"n":[1e-4,1e-5,0.00001234,1e100,5e-324,1e400,-1e400]}`:     `{"n": [0.0001, 1e-05, 1.234e-05, 1e+100, 5e-324, Infinity, -Infinity]}`,
	}
}

// TestObjectsAsInput compares with the texts that the reference stores.
func TestObjectsAsInput(t *testing.T) {
	for object, want := range objectsAndTexts() {
		if text := inputText(json.RawMessage(object)); text != want {
			t.Errorf("%s\ngot  %s\nwant %s", object, text, want)
		}
	}
	b := newBed(t)
	b.run(
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":2,"input":{"method":"x","args":[]}}]}`, 201, "", created(2, 2, 1, 2)...),
		row{as: "root", method: "GET", path: "/result/4", want: 200, has: `{"input":"{\"method\": \"x\", \"args\": []}"}`},
	)
}

// converted has the input of a body converted; an object of more than short bytes while it
// arrives. Without a text the body is no JSON.
func converted(t *testing.T, c *core.Core, body io.Reader, short int) (text *core.Text, err error) {
	t.Helper()
	narrow := func(int) (int, error) { return 0, errRestTooLong }
	room := func(int64) error { return nil }
	s := &splitter{ctx: t.Context(), src: body, most: usualBody, wider: narrow, room: room, short: short, takes: func(place []string, object bool) *core.Arriving {
		if what := textsOfTask(place, object); what != "" {
			return c.ReceiveText(what, time.Time{})
		}
		return nil
	}}
	err = s.split()
	if err != nil || len(s.texts) == 0 || !json.Valid(s.rest) {
		return nil, err
	}
	return s.texts[0], nil
}

// bodyWith puts an input into the body of a task.
func bodyWith(input string) io.Reader {
	return io.MultiReader(strings.NewReader(`{"organizations":[{"input":`), strings.NewReader(input), strings.NewReader(`}]}`))
}

// TestObjectsAreConvertedAsTheyArrive compares with what becomes of a whole object.
func TestObjectsAreConvertedAsTheyArrive(t *testing.T) {
	dbtest.Once(t)
	b := newBed(t)
	objects := objectsAndTexts()
	for _, object := range []string{
		`{"a":{"a":{"a":1},"b":{"a":2}},"b":[{"a":1},{"a":2}]}`, // not the same keys
		`{"` + strings.Repeat("é€𝄞\\u0000x", 20_000) + `":[` + strings.Repeat("1.50,", 20_000) + `-0]}`,
		`{"a":` + strings.Repeat("[", 96) + strings.Repeat("]", 96) + `}`,
	} {
		objects[object] = inputText(json.RawMessage(object))
	}
	for object, want := range objects {
		twice := want != `{}` && strings.Contains(object, `,"a":3`) || strings.Contains(object, `\u0061`)
		for name, read := range map[string]io.Reader{"at once": bodyWith(object), "byte by byte": iotest.OneByteReader(bodyWith(object))} {
			text, err := converted(t, b.s.core, read, 0)
			switch {
			case twice && !errors.Is(err, textFault(`has the key "a" twice in an object of more than 0 bytes`)):
				t.Errorf("%.80s %s: %v", object, name, err)
			case twice:
			case err != nil || text == nil:
				t.Errorf("%.80s %s: %v", object, name, err)
			case wholeText(t, b.s.core, text) != want:
				t.Errorf("%.80s %s:\ngot  %.300s\nwant %.300s", object, name, wholeText(t, b.s.core, text), want)
			case text.IsWhole():
			case text.Encoded != int64(len(quotedPart(core.Opaque(want)))):
				t.Errorf("%.80s %s: is sent with %d bytes, not %d", object, name, text.Encoded, len(quotedPart(core.Opaque(want))))
			}
		}
	}
}

// TestFaultyObjects: what is wrong with an object is said alike whether it is converted as a
// whole or while it arrives.
func TestFaultyObjects(t *testing.T) {
	dbtest.Once(t)
	b := newBed(t)
	for input, want := range map[string]string{
		`{`: "", `{"a`: "", `{"a"`: "", `{"a":`: "", `{"a":1`: "", `{"a":1,`: "", `{"a":1,}`: "", `{,}`: "", `{"a" 1}`: "", `{a:1}`: "", `{5:1}`: "",
		`{"a":tru}`: "", `{"a":01}`: "", `{"a":1.}`: "", `{"a":+1}`: "", `{"a":1 2}`: "", `{"a":[1 2]}`: "", `{"a":[}`: "", `{"a":1]`: "", `{"a":"\x"}`: "", `{"a":"\u12"}`: "",
		"{\"a\":\"\t\"}": "", `{"a":nan}`: "", `{"a":NaN}`: "", `{"a":}`: "", `{"a":"b}`: "", `{"a":[1,]}`: "",
		"{\"a\":\"\xff\"}": string(errNoUTF8), "{\"\xe2\x82\":1}": string(errNoUTF8),
	} {
		for _, short := range []int{0, shortObject} {
			text, err := converted(t, b.s.core, bodyWith(input), short)
			if text != nil || err != nil && err.Error() != want || err == nil && want != "" {
				t.Errorf("%q with %d bytes as a whole: %v, %v, want %q", input, short, text, err, want)
			}
		}
	}
	deep := `{"a":` + strings.Repeat("[", 97) + strings.Repeat("]", 97) + `}`
	if _, err := converted(t, b.s.core, bodyWith(deep), 0); err == nil || err.Error() != tooDeep().Error() {
		t.Errorf("an object that nests too deeply: %v", err)
	}
	b.run(post("researcher", taskOf(deep), 400, `{"msg":"The JSON body is nested too deeply"}`))
}

func taskOf(inputs ...string) string {
	var list []string
	for i, input := range inputs {
		list = append(list, fmt.Sprintf(`{"id":%d,"input":%s}`, i+2, input))
	}
	return `{"name":"t","collaboration_id":1,"organizations":[` + strings.Join(list, ",") + `]}`
}

// TestLongObjectsHaveLimits tries the limits of what is held of an object from both sides.
func TestLongObjectsHaveLimits(t *testing.T) {
	dbtest.Once(t)
	b := newBed(t)
	keys := func(n int) string {
		var object strings.Builder
		for i := range n {
			fmt.Fprintf(&object, `%c"%x":0`, "{,"[min(i, 1)], i)
		}
		return object.String() + "}"
	}
	spaced := strings.NewReplacer(",", ", ", ":", ": ")
	number := func(n int) string { return `{"a":` + strings.Repeat("1", n) + `}` }
	type limit struct{ input, fault string }
	limits := []limit{
		{`{"x":[` + keys(mostKeys-1) + `,` + keys(1) + `]}`, ""},
		{keys(mostKeys + 1), "has an object with more than 1000000 keys"},
		{number(longestNumber), ""},
		{number(longestNumber + 1), "has a number of more than 65536 characters in an object of more than 1 bytes"},
	}
	if !promise.Long() {
		limits = limits[1:] // a million keys take long while races are looked for
	}
	for _, c := range limits {
		text, err := converted(t, b.s.core, bodyWith(c.input), 1)
		if c.fault == "" && (err != nil || wholeText(t, b.s.core, text) != spaced.Replace(c.input)) || c.fault != "" && (err == nil || err.Error() != c.fault) {
			t.Errorf("%.20s of %d bytes: %v, want %q", c.input, len(c.input), err, c.fault)
		}
	}
}

// TestObjectsOfAnyLength sends objects around the length from which they are converted while
// they arrive, several that are longer than the rest of a body may be, and keys that come twice.
func TestObjectsOfAnyLength(t *testing.T) {
	dbtest.Once(t)
	b := newBed(t)
	object := func(n int, more string) string {
		unit := `"é\"<\ud800",1.50,{"k": null},`
		begin, end := `{"list":[`, `0]`+more+`}`
		fill := strings.Repeat(unit, (n-len(begin)-len(end))/len(unit))
		pad := n - len(begin) - len(end) - len(fill)
		return begin + fill + strings.Repeat(" ", pad) + end // white space does not count
	}
	next := int64(4)
	for _, n := range []int{1000, shortObject - 1, shortObject, shortObject + 1, shortObject + 70_000, 1 << 20} {
		inputs := []string{object(n, ""), object(n, `,"b":1`)}
		b.succeed(row{as: "researcher", method: "POST", path: "/task", body: taskOf(inputs...)})
		for _, input := range inputs {
			b.run(row{as: "root", method: "GET", path: "/result/" + itoa(next), want: 200, has: `{"input":"` + string(quotedPart(core.Opaque(inputText(json.RawMessage(input))))) + `"}`})
			next++
		}
	}
	large := object(4<<20, "")
	b.succeed(row{as: "researcher", method: "POST", path: "/task", body: taskOf(large, large, large)})
	before := b.number(t, "SELECT COUNT(*) FROM result")
	b.run(
		post("researcher", taskOf(`{"a":1,"b":2,"\u0061":3}`), 201, "", created(9, 9, 1, 2)...),
		row{as: "root", method: "GET", path: "/result/" + itoa(before+1), want: 200, has: `{"input":"{\"a\": 3, \"b\": 2}"}`},
		post("researcher", taskOf(`"x"`, object(600_000, `,"b":1,"list":0`)), 400, `{"msg":"organizations: has the key \"list\" twice in an object of more than 262144 bytes"}`),
	)
	if n := b.loose(); n != 0 {
		t.Errorf("%d texts that nobody took over are left", n)
	}
}

// TestObjectsHaveTheLimitOfTheirText tries the limit from both sides.
func TestObjectsHaveTheLimitOfTheirText(t *testing.T) {
	const limit = 1 << 20
	b := newBedWith(t, core.Settings{TextLimit: limit})
	object := func(n int) string { return `{"a":"` + strings.Repeat("x", n-len(`{"a": ""}`)) + `"}` }
	b.succeed(row{as: "admin", method: "POST", path: "/task", body: taskOf(object(limit-1), object(limit))})
	b.run(row{as: "admin", method: "POST", path: "/task", body: taskOf(object(limit + 1)), want: 413, has: `{"msg":"The input is longer than 1048576 bytes (limits: payload)"}`})
}

func FuzzObjects(f *testing.F) {
	for object := range objectsAndTexts() {
		f.Add([]byte(object), uint8(3))
	}
	db, err := queries.Open(f.Context(), fixture.Copy(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	c, err := core.New(f.Context(), db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: leastCost})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, object []byte, step uint8) {
		if !strings.HasPrefix(string(object), "{") {
			return
		}
		whole, fault := converted(t, c, bodyWith(string(object)), shortObject)
		text, err := converted(t, c, &parts{bodyWith(string(object)), int(step) + 1}, 0)
		switch {
		case err != nil && strings.Contains(err.Error(), " twice in "):
		case (whole == nil) != (text == nil): // of two faults either may be told
			t.Errorf("as a whole %v, while it arrives %v", fault, err)
		case text != nil && wholeText(t, c, whole) != wholeText(t, c, text):
			t.Errorf("got %q, want %q", wholeText(t, c, text), wholeText(t, c, whole))
		}
	})
}
