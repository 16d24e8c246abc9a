package shell

import (
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

func TestRewrite(t *testing.T) {
	for from, want := range map[string]string{
		// What needs no other form stays byte by byte.
		"": "", "x = 1\n": "x = 1\n", "a['b'].c(d)  # import x": "a['b'].c(d)  # import x",
		"x = r'\\d' # f'{x}'\n'''import\nx'''":  "x = r'\\d' # f'{x}'\n'''import\nx'''",
		"island = isnt\nx.imports = 0x1f + 1e5": "island = isnt\nx.imports = 0x1f + 1e5",
		"x = b'\\x00' + rb'\\d'":                "x = b'\\x00' + rb'\\d'",

		"import datetime":                              `datetime = __import__("datetime")`,
		"import datetime as dt, uuid # why":            `dt = __import__("datetime"); uuid = __import__("uuid")# why`,
		"import a.b.c":                                 `a = __import__("a")`,
		"import a.b as c":                              `c = __import__("a.b")`,
		"from uuid import uuid1":                       `uuid1 = __import__("uuid", "uuid1")`,
		"from a.b import (c,  # first\n d as e,\n)\nx": "c = __import__(\"a.b\", \"c\"); e = __import__(\"a.b\", \"d\")\n\n\nx",
		"from a import b, \\\n c\nx":                   "b = __import__(\"a\", \"b\"); c = __import__(\"a\", \"c\")\n\nx",
		"if x: import y; z":                            `if x: y = __import__("y"); z`,
		"def f():\n    import y\n":                     "def f():\n    y = __import__(\"y\")\n",
		"f(import_=1, x=important)":                    "f(import_=1, x=important)",

		"x is None":            "x == None",
		"x is not None":        "x != None",
		"x is  notable":        "x ==  notable",
		"not x is\tnot\ty":     "not x !=\ty",
		`x = 'is' if is_ else`: `x = 'is' if is_ else`,

		`f"a"`:                `__format__("a")`,
		`f""`:                 `__format__()`,
		`F'{x}'`:              `__format__(((x), "", ""))`,
		`f"a {x.y} b"`:        `__format__("a ", ((x.y), "", ""), " b")`,
		`f"{x!r:>{w}}"`:       `__format__(((x), "r", __format__(">", ((w), "", ""))))`,
		`f"{x:03d}{{}}"`:      `__format__(((x), "", __format__("03d")), "{}")`,
		`f"{x=}"`:             `__format__("x=", ((x), "r", ""))`,
		`f"{x = :>3}"`:        `__format__("x = ", ((x ), "", __format__(">3")))`,
		`f"{x != y}"`:         `__format__(((x != y), "", ""))`,
		`f"{x is None}"`:      `__format__(((x == None), "", ""))`,
		`f"{d['a']}{d[1:2]}"`: `__format__(((d['a']), "", ""), ((d[1:2]), "", ""))`,
		`f"{f'{x}'}"`:         `__format__(((__format__(((x), "", ""))), "", ""))`,
		"f'''a\n{x\n}'''":     "__format__('''a\n''', ((x ), \"\", \"\")\n)",
		`rf"\d{x}\"`:          "",
		`fr'\d{x}\w'`:         `__format__("\\d", ((x), "", ""), "\\w")`,
		`u"a"`:                `"a"`,
		`br"a"`:               `rb"a"`,

		`("a" "b")`:             `(("a" + "b"))`,
		`"a" f"{x}" % y`:        `("a" + __format__(((x), "", ""))) % y`,
		"(\"a\" # one\n \"b\")": "((\"a\" + # one\n \"b\"))",
		"\"a\"\n\"b\"":          "\"a\"\n\"b\"",
		`["a", "b"]`:            `["a", "b"]`,

		"any(x for x in y)":                            "any([x for x in y])",
		"f(g(x) for x in y if z).a(b)":                 "f([g(x) for x in y if z]).a(b)",
		"[x for x in y]":                               "[x for x in y]",
		"f([x for x in y])":                            "f([x for x in y])",
		"any(any(x for x in y) for y in z for w in v)": "any([any([x for x in y]) for y in z for w in v])",
	} {
		got, err := rewrite(from)
		if want == "" && from != "" {
			if err == nil {
				t.Errorf("%q gives %q, want a fault", from, got)
			}
		} else if got != want || err != nil {
			t.Errorf("%q\ngives %q, %v\nwant  %q", from, got, err, want)
		}
	}
}

func TestRewriteFaults(t *testing.T) {
	for from, want := range map[string]string{
		"x = 'a\ny":                  "the line ends within a string",
		`x = "a`:                     "the line ends within a string",
		`x = """a`:                   "the text ends within a string",
		`f"{x"`:                      "f-string: a } is missing",
		`f"{x:{y}"`:                  "f-string: a } is missing",
		`f"{x!r"`:                    "f-string: a } is missing",
		`f"{}"`:                      "f-string: there is nothing between { and }",
		`f"}"`:                       "f-string: a single } stands in it",
		strings.Repeat("[", 100_000): "too many nested parentheses",
		"from x import *":            "name what to import",
		"from x":                     "an import reads: from MODULE import NAME",
		"import":                     "an import reads",
		"import x y":                 `"x y" is no name that could be imported`,
		"from x import y, 2z":        `" 2z" is no name that could be imported`,
		strings.Repeat("f'''{", 40) + strings.Repeat("}'''", 40): "",
	} {
		got, err := rewrite(from)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %q, %v; want %s", from, got, err, want)
		}
	}
	nested := "x"
	for range deepest {
		nested = "f'{" + nested + "}'"
	}
	if _, err := rewriteWithin(nested, 1); err == nil {
		t.Error("there is no end to f-strings within f-strings")
	}
}

// Whatever is typed, the rewriter ends without a panic, and a text that it takes
// keeps its number of lines.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{
		"import datetime\nfrom uuid import (uuid1,\n uuid4)", `f"{x!r:>{w}} {{ {y['a']} }}" "b"`, "any(x for x in y) is not None",
		"x = '''a\n'''; import y", "rf'\\{x}' F\"{a=:3}\"", "for x in y:\n    f'{x is not None}'\n", "(\"a\" # c\n\"b\")", "f'''{'''",
		"if x: import a.b as c", "\\\n#", "b'\\x00' u'' br''", "\xff\x00f'\xff{\xff}'", "import (", "f'{lambda: 1}'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := rewrite(text)
		if err == nil && strings.Count(got, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q has other lines than %q", got, text)
		}
	})
}

// Statements are cut out of a text so that nothing is lost and nothing comes twice.
func FuzzChunks(f *testing.F) {
	for _, seed := range []string{
		"a\nb\n", "for x in y:\n    z\n\n    w\nv", "if a:\n  b\nelse:\n  c\nd", "f(\n\n)\n", "'''\n\n'''\n#\nx\\\ny", "def f():\n'", ")\n(\n",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, typed bool) {
		from := &chunks{from: newFile(strings.NewReader(text)), typed: typed}
		var all []string
		for range strings.Count(text, "\n") + 2 {
			c, err := from.next()
			if err != nil {
				break
			}
			all = append(all, c.text)
		}
		if got, want := squeezed(strings.Join(all, "\n")), squeezed(text); got != want {
			t.Errorf("%q became %q", text, all)
		}
	})
}

// squeezed leaves out lines without a statement, and line ends.
func squeezed(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r"); !blank(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestChunks(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		typed bool
		want  []chunk
	}{
		"lines":           {"a\n\n# c\n  b  \nc", false, []chunk{{"a", 1}, {"  b  ", 4}, {"c", 5}}},
		"brackets":        {"f(\n\n# c\n)\ng", false, []chunk{{"f(\n\n# c\n)", 1}, {"g", 5}}},
		"string":          {"x = '''\n(\n'''\ny", false, []chunk{{"x = '''\n(\n'''", 1}, {"y", 4}}},
		"brackets within": {"x = '(' # (\ny = \"'(\"\nz", false, []chunk{{"x = '(' # (", 1}, {"y = \"'(\"", 2}, {"z", 3}}},
		"joined":          {"x = 1 + \\\n 2\ny", false, []chunk{{"x = 1 + \\\n 2", 1}, {"y", 3}}},
		"block":           {"for x in y:\n    a\n\n    b\n# c\nd", false, []chunk{{"for x in y:\n    a\n\n    b\n# c", 1}, {"d", 6}}},
		"alternative":     {"if x:\n    a\n\nelse:\n    b\nc", false, []chunk{{"if x:\n    a\n\nelse:\n    b", 1}, {"c", 6}}},
		"two blocks":      {"for a in b:\n    c\nfor d in e:\n    f", false, []chunk{{"for a in b:\n    c", 1}, {"for d in e:\n    f", 3}}},
		"fault":           {"x = 'a\ny", false, []chunk{{"x = 'a", 1}, {"y", 2}}},
		"unfinished":      {"f(\na", false, []chunk{{"f(\na", 1}}},
		"bom and CRLF":    {"\ufeffa\r\nb\r\n", false, []chunk{{"a", 1}, {"b", 2}}},
		"typed":           {"a\nfor x in y:\n    b\n\nc", true, []chunk{{"a", 1}, {"for x in y:\n    b", 1}, {"c", 1}}},
		"typed brackets":  {"f(\n\n)\nc", true, []chunk{{"f(\n\n)", 1}, {"c", 1}}},
	} {
		from := &chunks{from: newFile(strings.NewReader(c.text)), typed: c.typed}
		for i, want := range append(c.want, chunk{}) {
			got, err := from.next()
			if got != want || (err == nil) != (i < len(c.want)) {
				t.Errorf("%s: statement %d is %q in line %d, %v; want %q in line %d", name, i, got.text, got.line, err, want.text, want.line)
			}
		}
	}
}

func TestRepr(t *testing.T) {
	cyclic := starlark.NewList(nil)
	_ = cyclic.Append(cyclic)
	for want, v := range map[string]starlark.Value{
		`'a'`: starlark.String("a"), `"it's"`: starlark.String("it's"), `'it\'s "x"'`: starlark.String(`it's "x"`),
		`'\\ \n\t\r \x00 \x7f é 😀 \u200b \U000e0001'`: starlark.String("\\ \n\t\r \x00 \x7f é 😀 \u200b \U000e0001"),
		`b'a\'\\\n\xff'`:       starlark.Bytes("a'\\\n\xff"),
		`[1, 'a', None, True]`: starlark.NewList([]starlark.Value{starlark.MakeInt(1), starlark.String("a"), starlark.None, starlark.True}),
		`('a',)`:               starlark.Tuple{starlark.String("a")}, `()`: starlark.Tuple{}, `1.0`: starlark.Float(1),
		`('a', ['b'])`: starlark.Tuple{starlark.String("a"), starlark.NewList([]starlark.Value{starlark.String("b")})},
	} {
		if got := repr(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := repr(cyclic); !strings.HasSuffix(got, strings.Repeat("]", deep)) || !strings.Contains(got, "...") {
		t.Errorf("a list within itself is %s", got)
	}
	d := starlark.NewDict(1)
	_ = d.SetKey(starlark.String("k"), starlark.String("v"))
	if got := repr(d); got != "{'k': 'v'}" {
		t.Errorf("got %s", got)
	}
}
