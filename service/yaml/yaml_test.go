package yaml_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
	"vserver/service/yaml"
)

var form = yaml.Form{Name: "a configuration", Bytes: 1 << 20, Values: 100_000}

// block opens the top block of a text.
func block(t *testing.T, f yaml.Form, text string) *yaml.Block {
	t.Helper()
	r, err := f.FromText("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b := r.Block("", r.Root)
	if b == nil {
		t.Fatalf("no block: %q, %v", text, r.Faults)
	}
	return b
}

func TestKindsOfValues(t *testing.T) {
	for text, want := range map[string]string{
		"true":        "a single value, flag true true, whole 0 false, decimal 0 false",
		"'T'":         "a single value, flag true true, whole 0 false, decimal 0 false",
		"oN":          "a single value, flag true true, whole 0 false, decimal 0 false",
		"1":           "a single value, flag true true, whole 1 true, decimal 1 true",
		"'no'":        "a single value, flag false true, whole 0 false, decimal 0 false",
		"''":          "a single value, flag false true, whole 0 false, decimal 0 false",
		"perhaps":     "a single value, flag false false, whole 0 false, decimal 0 false",
		"":            "nothing, flag true true, whole 0 false, decimal 0 false",
		"[a]":         "a list, flag false false, whole 0 false, decimal 0 false",
		"{a: 1}":      "a block of keys, flag false false, whole 0 false, decimal 0 false",
		"0x10":        "a single value, flag false false, whole 16 true, decimal 0 false",
		"' 12 '":      "a single value, flag false false, whole 12 true, decimal 12 true",
		"3.0":         "a single value, flag false false, whole 3 true, decimal 3 true",
		"3.5":         "a single value, flag false false, whole 0 false, decimal 3.5 true",
		".inf":        "a single value, flag false false, whole 0 false, decimal 0 false",
		"99999999999": "a single value, flag false false, whole 99999999999 true, decimal 9.9999999999e+10 true",
	} {
		v, _ := block(t, form, "k: "+text).Ask("k")
		flag, isFlag := v.Boolean(true)
		whole, isWhole := v.Whole()
		decimal, isDecimal := v.Decimal()
		if !isDecimal {
			decimal = 0
		}
		if !isWhole {
			whole = 0
		}
		got := fmt.Sprintf("%s, flag %t %t, whole %d %t, decimal %v %t", v.Kind(), flag, isFlag, whole, isWhole, decimal, isDecimal)
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestKeysGivenTwice(t *testing.T) {
	const text = "a: 1\nb: &b {c: 1, c: 2}\nd: {c: 3, <<: *b}\na: 2\n"
	b := block(t, form, text)
	if v, _ := b.Ask("a"); v.Text() != "2" || len(b.Warnings) != 1 || b.Warnings[0].String() != "x.yaml:4: a: is given twice, the first time on line 1; this one counts" {
		t.Errorf("%q %v", v.Text(), b.Warnings)
	}
	v, _ := b.Ask("d")
	if c, _ := b.Block("d", v).Ask("c"); c.Text() != "3" {
		t.Errorf("a merged key that is there twice counts before the own one: %s", c.Text())
	}
	strict := form
	strict.Once = true
	if b := block(t, strict, text); len(b.Faults) != 1 || b.Faults.Error() != "x.yaml:4: a: is there twice, first on line 1" {
		t.Errorf("%v", b.Faults)
	}
}

func TestUnknownKeys(t *testing.T) {
	b := block(t, form, "port: 1\nprot: 2\nzzzzzzz: 3\n")
	b.Ask("port")
	b.Unknown()
	if len(b.Warnings) != 2 || b.Warnings[0].Text != "unknown key, ignored; did you mean port?" || b.Warnings[0].Nearest != "port" ||
		b.Warnings[1].String() != "x.yaml:3: zzzzzzz: unknown key, ignored; known here: port" {
		t.Errorf("%v", b.Warnings)
	}
}

// Aliases let a small file stand for an endless one; reading it ends soon.
func TestHostileAliasesEnd(t *testing.T) {
	bomb := "a0: &a0 {k: v}\n"
	for i := range 30 {
		bomb += fmt.Sprintf("a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 20))
	}
	for _, text := range []string{bomb + "top: *a30\n", "top: &a {<<: *a, k: *a}\n", "top: &a {<<: [*a, *a, *a]}\n"} {
		began := time.Now()
		b := block(t, form, text)
		v, _ := b.Ask("top")
		if inner := b.Block("top", v); inner == nil && !strings.Contains(b.Faults.Error(), "holds more than 100000 keys and values") {
			t.Errorf("%.30q: %v", text, b.Faults)
		}
		if took := time.Since(began); took > promise.Patience {
			t.Errorf("%.30q took %s", text, took)
		}
		if _, ok := v.Tidy(); ok {
			t.Errorf("%.30q can be written out", text)
		}
	}
}

func TestManyNotesAreCut(t *testing.T) {
	r := form.NewReader("x.yaml")
	for range 2000 {
		r.Fault(1, "k", "is wrong")
		r.Warn(1, "k", "is odd")
	}
	lines := strings.Split(r.Faults.Error(), "\n")
	if len(r.Faults) != 1000 || len(lines) != 51 || lines[50] != "and 950 faults more" || len(r.Warnings) != 1001 {
		t.Errorf("%d faults, %d warnings, %d lines", len(r.Faults), len(r.Warnings), len(lines))
	}
}

func TestPairsKeepTheirOrder(t *testing.T) {
	pairs := yaml.Pairs{{"z", 1}, {"a", yaml.Pairs{{"k", "v: #"}}}, {"n", nil}, {"e", yaml.Pairs{}}}
	text, err := yaml.Encode(pairs)
	if want := "z: 1\na:\n  k: 'v: #'\nn: null\ne: {}\n"; err != nil || string(text) != want {
		t.Errorf("%v\n%s", err, text)
	}
	text, err = json.Marshal(pairs)
	if want := `{"z":1,"a":{"k":"v: #"},"n":null,"e":{}}`; err != nil || string(text) != want {
		t.Errorf("%v\n%s", err, text)
	}
}

// FuzzRead looks for texts that bring the reader down.
func FuzzRead(f *testing.F) {
	f.Add([]byte("a: &a {<<: *a, b: [1, *a]}\n"))
	f.Add([]byte("a: b\n---\nc: d\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := form.FromText("x.yaml", text)
		if (r == nil) == (err == nil) {
			t.Fatalf("both or none: %v, %v", r, err)
		}
		if r == nil {
			return
		}
		if b := r.Block("", r.Root); b != nil {
			for _, name := range b.Names {
				v, _ := b.Ask(name)
				_, _ = v.Boolean(true)
				_, _ = v.Whole()
				_, _ = v.Decimal()
			}
		}
		if tidy, ok := r.Root.Tidy(); ok {
			if _, err := yaml.Encode(tidy); err != nil {
				t.Errorf("%q cannot be written: %v", text, err)
			}
		}
	})
}
