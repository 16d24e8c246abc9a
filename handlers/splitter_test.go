package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/bus"
	"vserver/service/core"
)

// splitFor has a server take the texts of results out of a body.
func splitFor(ctx context.Context, c *core.Core, body io.Reader) (*splitter, error) {
	narrow := func(int) (int, error) { return 0, errRestTooLong }
	s := &splitter{ctx: ctx, src: body, most: usualBody, wider: narrow, takes: func(place []string, object bool) *core.Arriving {
		if what := textsOfResult(place, object); what != "" {
			return c.ReceiveText(what, time.Time{})
		}
		return nil
	}}
	return s, s.split()
}

// TestSplitterReadsAsTheDecoder compares what a body says with what encoding/json reads:
// both find the same documents faulty, and the same texts in the others.
func TestSplitterReadsAsTheDecoder(t *testing.T) {
	b := newBed(t)
	long := strings.Repeat("aé\\n\u0000𝄞", 40_000)
	for _, text := range []string{
		`{"result":"a","log":"b"}`, `{"log":null,"result":""}`, `{"r\u0065sult":"x"}`, `{"result":"a","result":"b"}`,
		`{"status":"a\"b","result":"\"\\\/\b\f\n\r\t\u00e9\u20ac\ud834\udd1e<>&"}`, ` { "result" : "a" , "x" : [1, {"result":"kept"}, "y"] } `,
		`{"result":"` + long + `","log":"z"}`, `{"x":{"log":"kept"},"log":5,"result":{"a":1}}`, `[{"result":"kept"}]`, `"result"`, `5`, `null`, `[]`, `{}`,
		"", " ", `{`, `{"result`, `{"result"`, `{"result":`, `{"result":"a`, `{"result":"a\`, `{"result":"\u12`, `{"result":"\u12x4"}`, `{"result":"\x"}`,
		"{\"result\":\"a\tb\"}", `{"result" "a"}`, `{"result":"a"]`, `{"result":"a"} x`, `{"result":"a",}`, `{,}`, `[1 2]`, `{"a":tru}`, `{"a":01}`, `{5:1}`, `{"result":"a"}{"result":"b"}`,
	} {
		for name, read := range map[string]io.Reader{
			"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)), "with the end": iotest.DataErrReader(strings.NewReader(text)),
		} {
			s, err := splitFor(t.Context(), b.s.core, read)
			if err != nil {
				t.Errorf("%.80s %s: %v", text, name, err)
			}
			if why := sameDocument(t, b.s.core, s, []byte(text)); why != "" {
				t.Errorf("%.80s %s: %s", text, name, why)
			}
		}
	}
}

// sameDocument returns how what the splitter left differs from the whole.
func sameDocument(t *testing.T, c *core.Core, s *splitter, whole []byte) string {
	t.Helper()
	if valid := json.Valid(whole); json.Valid(s.rest) != valid {
		return fmt.Sprintf("valid is %t, the rest %.80q", valid, s.rest)
	} else if !valid {
		return ""
	}
	var want, got any
	if err := json.Unmarshal(whole, &want); err != nil {
		return err.Error()
	}
	if err := json.Unmarshal(s.rest, &got); err != nil {
		return err.Error()
	}
	if members, ok := got.(map[string]any); ok {
		for _, field := range []string{"result", "log"} {
			if number, ok := members[field].(string); ok {
				n, _ := strconv.Atoi(number)
				members[field] = wholeText(t, c, s.texts[n])
			}
		}
	}
	if a, b := fmt.Sprint(want), fmt.Sprint(got); a != b {
		return fmt.Sprintf("got %.100s, want %.100s", b, a)
	}
	return ""
}

// wholeText reads a text, however it is kept.
func wholeText(t *testing.T, c *core.Core, x *core.Text) string {
	t.Helper()
	if x.IsWhole() {
		return string(x.Whole)
	}
	var all []byte
	for piece, err := range c.Pieces(t.Context(), x) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, piece...)
	}
	return string(all)
}

// TestLongTextsComeBackAsTheyWere sends texts of every kind of character around the length
// of a chunk, in which cuts fall everywhere, and reads what comes back byte by byte.
func TestLongTextsComeBackAsTheyWere(t *testing.T) {
	b := newBed(t)
	for i, unit := range []string{"x", "é", "€", "𝄞", `\ud800`, "<", `\u0000`, `\n`, "a\u2028", "€é𝄞x"} {
		lengths := []int{600_001}
		if unit == "x" {
			lengths = []int{256<<10 - 2, 256<<10 - 1, 256 << 10, 600_001} // and one byte before
		}
		for _, length := range lengths {
			n := length / len(unit)
			sent := "z" + strings.Repeat(unit, n)
			b.change(t, "UPDATE result SET finished_at = NULL WHERE id = 1")
			if r := b.send(t, patch("node_iknl_z", "1", `{"log":"`+sent+`","result":"r"}`, 200, "")); r.Code != 200 {
				t.Fatalf("%d: %d %.200s", i, r.Code, r.Body)
			}
			reply := b.send(t, row{as: "root", method: "GET", path: "/result/1"})
			var asked, want struct{ Log json.RawMessage }
			got(t, reply, &asked)
			if err := json.Unmarshal([]byte(`{"log":"`+sent+`"}`), &want); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(units(asked.Log), units(want.Log)) {
				t.Errorf("%s of %d bytes: came back changed (%d bytes)", unit, length, len(asked.Log))
			}
			if said := reply.Header().Get("Content-Length"); said != strconv.Itoa(reply.Body.Len()) {
				t.Errorf("%s of %d bytes: said %s bytes, sent %d", unit, length, said, reply.Body.Len())
			}
		}
	}
}

// units returns the UTF-16 of a JSON string, in which halves of pairs are what they are.
func units(raw json.RawMessage) []uint16 {
	var list []uint16
	for s := string(raw[1 : len(raw)-1]); s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r != '\\':
			list = utf16.AppendRune(list, r)
		case s[1] == 'u':
			n, _ := strconv.ParseUint(s[2:6], 16, 16)
			list, size = append(list, uint16(n)), 6
		default:
			list, size = append(list, uint16(unquoted(s[:2])[0])), 2
		}
		s = s[size:]
	}
	return list
}

func FuzzSplitter(f *testing.F) {
	for _, text := range []string{`{"result":"a","log":"\ud834\udd1e"}`, `{"a":[{"result":"x"}],"log":"\\"}`, `{"result"`, "{\"log\":\"\xff\"}", `[[[]]]`} {
		f.Add([]byte(text), uint8(1))
	}
	db, err := queries.Open(context.Background(), fixture.Copy(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	c, err := core.New(context.Background(), db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: leastCost})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, step uint8) {
		s, err := splitFor(t.Context(), c, &parts{bytes.NewReader(body), int(step) + 1})
		if err != nil {
			return // bytes that are no UTF-8 in a text
		}
		if bytes.ContainsRune(body, '\ufffd') || bytes.Contains(body, []byte(`\u`)) {
			return // halves of pairs are read in another way on purpose
		}
		if why := sameDocument(t, c, s, body); why != "" {
			t.Error(why)
		}
	})
}

// parts is a body that comes in parts of one size.
type parts struct {
	from io.Reader
	size int
}

func (p *parts) Read(to []byte) (int, error) { return p.from.Read(to[:min(p.size, len(to))]) }
