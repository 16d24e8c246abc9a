package shell_test

import (
	"strings"
	"testing"
)

// A text is counted by its characters wherever a statement can count it.
func TestTextIsCountedByCharacter(t *testing.T) {
	b := newFixture(t)
	for code, want := range map[string]string{
		"'Curaçao'[:5], len('Curaçao'), 'Curaçao'[4], 'Curaçao'[-3]":                  "('Curaç', 7, 'ç', 'ç')",
		"x[::-1], x[1::2], x[-3:], x[5:2:-1], x[9:], x[:-20:-1]":                      "('oaçaruC', 'uaa', 'çao', 'aça', '', 'oaçaruC')",
		"x.find('a', 4), x.find('ao'), x.rfind('a'), x.rfind('a', 0, 5), x.find('z')": "(5, 5, 5, 3, -1)",
		"x.index('ç'), x.rindex('a'), x.index('C'), x.count('a', 4), x.count('', 5)":  "(4, 5, 0, 1, 3)",
		"x.startswith('ç', 4), x.startswith(('ao', 'b'), 5), x.endswith('aç', 0, 5)":  "(True, True, True)",
		"x.startswith('a', -2), x.find('o', -1), x.find('C', -99, 99)":                "(True, 6, 0)",
		"x.index('z')":               "ValueError: index: substring not found (line 1)",
		"x[7]":                       "IndexError: string index 7 out of range [-7:6] (line 1)",
		"x.elems()":                  "TypeError: elems() would cut characters into bytes; write codepoints() (line 1)",
		"getattr(x, 'elem_ords')":    "getattr: TypeError: elem_ords() would cut characters into bytes; write codepoints() (line 1)",
		"getattr(x, 'find')('a', 4)": "5",
		"[c for c in x]":             "TypeError: string value is not iterable; write codepoints() (line 1)",
		"list(x)":                    "TypeError: list: for parameter 1: got string, want iterable; write codepoints() (line 1)",
		"list(x.codepoints())[4], [c for c in 'aé'.codepoints()]":                                   "('ç', ['a', 'é'])",
		"[s[0] for s in ['é', 'b']], (lambda s: s[1:])('éa')":                                       "(['é', 'b'], 'a')",
		"d = {'é': [1, 2]}\nd['é'][1:], d['é'].index(2)":                                            "([2], 1)",
		"l = ['é']\nl[0] += 'a'\nl[0] = l[0][::-1]\nl, len(l), len({'é': 1}), len('abc'), 'abc'[1]": "(['aé'], 1, 1, 3, 'b')",
		"'😀é'[0], '😀é'[1], len('😀é'), f\"{'😀é'[1:]}\"":                                              "('😀', 'é', 2, 'é')",
		"len(b'\\u00e7'), b'\\u00e7'[0]":                                                            "(2, b'\\xc3')",
		"len()":                                                                                     "TypeError: len: got 0 arguments, want 1 (line 1)",
		"len(5)":                                                                                    "len: value of type int has no len (line 1)",
	} {
		if strings.Contains(code, "x") && !strings.Contains(code, "x =") {
			code = "x = 'Curaçao'\n" + code
			want = strings.Replace(want, "(line 1)", "(line 2)", 1)
		}
		b.says(code, want)
	}
}

// What is cut is stored as it is shown, and no bytes that are not text are stored.
func TestCutTextIsStored(t *testing.T) {
	b := newFixture(t)
	b.does("o = db.Organization(name='Curaçao'[:5], domain='zürich'[1:2])\no.save()")
	b.says("db.Organization.get(o.id).name, len(o.name), o.domain", "('Curaç', 5, 'ü')")
	if got := b.stored("SELECT name, domain FROM organization WHERE id = 2"); got != "Curaç ü" {
		t.Errorf("stored is %q", got)
	}
	b.says("o.name = b'Cura\\xc3'", "TypeError: name of an Organization: b'Cura\\xc3' is no text: it holds bytes that are no characters (line 1)")
	b.says("db.Result(input={'é': 'Curaçao'[4]}).input", `'{"é":"ç"}'`)
}
