package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTextsComeBackAsTheyWereSent(t *testing.T) {
	for _, size := range []int64{0, 1, 12, textBlock, textBlock + 1, 3*textBlock + 17} {
		body, length := finished(size)
		raw, err := io.ReadAll(body)
		if err != nil || int64(len(raw)) != length {
			t.Errorf("size %d: the body has %d bytes, not %d: %v", size, len(raw), length, err)
		}
		for _, form := range []string{string(raw), `{"id":1,"task":{"id":2,"link":"result"},"log":null, ` + string(raw[1:]), strings.Replace(string(raw), `":"`, `": "`, 1)} {
			c := newChecker(size)
			if err := errors.Join(copyField(strings.NewReader(form), "result", c), c.complete()); err != nil {
				t.Errorf("size %d: %v in %.80s", size, err, form)
			}
		}
	}
}

func TestWrongTextsAreNoticed(t *testing.T) {
	const size = 2*textBlock + 5
	right, err := io.ReadAll(newText(size))
	if err != nil {
		t.Fatal(err)
	}
	swapped := slices.Concat(right[textBlock:2*textBlock], right[:textBlock], right[2*textBlock:])
	changed := slices.Clone(right)
	changed[size-1] ^= 1
	for name, text := range map[string][]byte{
		"short": right[:size-1], "long": append(slices.Clone(right), 'A'), "swapped": swapped, "changed": changed, "none": nil,
	} {
		c := newChecker(size)
		if err := errors.Join(copyField(bytes.NewReader(fmt.Appendf(nil, `{"result":"%s"}`, text)), "result", c), c.complete()); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	for _, form := range []string{``, `{}`, `{"result":null}`, `{"result":"`, `{"log":"result"}`} {
		if err := copyField(strings.NewReader(form), "result", io.Discard); err == nil {
			t.Errorf("%s: has no result", form)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var hundred []int
	for i := range 100 {
		hundred = append(hundred, 100-i)
	}
	for _, c := range []struct {
		of    []int
		share float64
		want  int
	}{
		{hundred, .5, 50}, {hundred, .99, 99}, {hundred, 1, 100}, {hundred, 0, 1}, {[]int{7}, .99, 7}, {[]int{3, 1, 2}, .5, 2}, {nil, .5, 0}, {[]int{1, 2}, .5, 1},
	} {
		if got := quantile(c.of, c.share); got != c.want {
			t.Errorf("%v of %d values: %d, want %d", c.share, len(c.of), got, c.want)
		}
	}
}

func TestScenariosAreFound(t *testing.T) {
	all, err := choose(nil)
	if err != nil || len(all) != len(Scenarios()) {
		t.Errorf("no name: %d scenarios, %v", len(all), err)
	}
	some, err := choose([]string{"node", "upload"})
	if err != nil || len(some) != 2 || some[0].Name != "upload" {
		t.Errorf("two names: %d scenarios, %v", len(some), err)
	}
	if _, err := choose([]string{"node", "uplod"}); err == nil {
		t.Error("an unknown name is taken")
	}
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.Name] || s.run == nil || len(s.measures) == 0 {
			t.Errorf("%s: twice, or without work or measures", s.Name)
		}
		seen[s.Name] = true
		for _, o := range []Options{{}, {Quick: true}} {
			if text := s.Description(o); strings.ContainsAny(text, "{}") || strings.Contains(text, " 0 ") {
				t.Errorf("%s: a size is missing: %s", s.Name, text)
			}
		}
		for _, m := range s.measures {
			if text := s.Full.fill(m.text); strings.ContainsAny(text, "{}") {
				t.Errorf("%s: a size is missing: %s", s.Name, text)
			}
		}
	}
	if got := (Sizes{Size: 5, Clients: 2}).with(Sizes{Clients: 7}); got != (Sizes{Size: 5, Clients: 7}) {
		t.Errorf("given sizes: %+v", got)
	}
}

func TestAims(t *testing.T) {
	v := func(f float64) *float64 { return &f }
	for _, c := range []struct {
		aim          aim
		value, ratio *float64
		ok, known    bool
	}{
		{atMost(64, ""), v(64), nil, true, true},
		{atMost(64, ""), v(64.1), nil, false, true},
		{atMost(0, ""), v(0), nil, true, true},
		{atLeast(100, ""), v(99), v(5), false, true},
		{atLeast(100, ""), nil, nil, false, false},
		{ratioAtLeast(.95), v(1), nil, false, false},
		{ratioAtLeast(.95), v(1), v(.96), true, true},
		{ratioAtMost(1.05), v(1), v(1.06), false, true},
		{aim{}, v(1), v(1), false, false},
	} {
		if ok, known := c.aim.met(c.value, c.ratio); ok != c.ok || known != c.known {
			t.Errorf("%s: %v, %v", c.aim.words, ok, known)
		}
	}
}

func TestReportComparesTheMiddles(t *testing.T) {
	s := Scenario{Name: "s", measures: []measure{
		{"a", "a of {clients}", "/s", ratioAtLeast(.95)}, {"b", "b", "MiB", atMost(1, "")}, {"c", "c", "ms", aim{}},
	}}
	var r Report
	r.Against = "vserver 1"
	r.add(s, Sizes{Clients: 3}, []outcome{
		{values: map[string][]float64{"a": {9, 30, 10}, "b": {2}}},
		{values: map[string][]float64{"a": {5}}, err: errors.New("cut")},
	}, "")
	a, b, c := r.Rows[0], r.Rows[1], r.Rows[2]
	if a.Measured != "a of 3" || *a.Value != 10 || *a.Against != 5 || *a.Ratio != 2 || !*a.Met {
		t.Errorf("%+v", a)
	}
	if *b.Value != 2 || b.Against != nil || b.Failed != "cut" || *b.Met || b.Error != "" {
		t.Errorf("%+v", b)
	}
	if c.Value != nil || c.Missing == "" || c.Met != nil {
		t.Errorf("%+v", c)
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"scenario  measured  value         older   ratio  aim            met\n",
		"s         a of 3    10/s          5/s     2x     ratio >= 0.95  yes\n",
		"s         b         2 MiB         failed  -      <= 1           no\n",
		"s         c         not measured  failed  -      -              -\n",
		"s, older: failed: cut\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// A server that stands still is seen as long as it does, also by requests that would have been sent
// meanwhile.
func TestProbeSeesAServerThatStandsStill(t *testing.T) {
	const still, every = 400 * time.Millisecond, 5 * time.Millisecond
	begun := make(chan struct{}, 1000)
	until := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-until
	}))
	defer s.Close()
	c := newClient(s.URL, "")
	p := newProbe(t.Context(), every, func(ctx context.Context) error { return c.get(ctx, "/") })
	<-begun
	pause(t.Context(), still)
	close(until)
	found := p.end()
	if n := len(found.samples); n < 10 {
		t.Fatalf("only %d requests", n)
	}
	if most, half := found.within(1), found.within(.5); most < milliseconds(still) || half < milliseconds(still)/10 {
		t.Errorf("the slowest took %.0f ms, half of all %.0f ms", most, half)
	}
	if n, err := found.failed(); n > 0 {
		t.Errorf("%d failed: %v", n, err)
	}
}

func TestAddressesOfOthersAreRefused(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://127.0.0.1:5000/api": true, "http://localhost:5000": true, "http://[::1]:80/api": true, "http://127.1.2.3:5000/api/": true,
		"http://192.0.2.1:5000/api": false, "http://example.org:80/api": false, "https://127.0.0.1:5000/api": false, "127.0.0.1:5000": false,
		"http://127.0.0.1/api": false, "http://root:root@127.0.0.1:5000": false, "": false, "http://localhost.example.org:80": false, "http://0.0.0.0:5000": false,
	} {
		if err := CheckAddress(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}
