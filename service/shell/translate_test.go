package shell

import (
	"errors"
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// translated translates a text line by line.
func translated(text string) (string, error) {
	var t translator
	for line := range strings.SplitSeq(text, "\n") {
		t.add(line)
	}
	if t.err == nil && len(t.unclosed) > 0 {
		return "", errors.New("unclosed")
	}
	return t.out.String(), t.err
}

func TestTranslate(t *testing.T) {
	for from, want := range map[string]string{
		// What needs no other form stays byte by byte.
		"": "", "x = 1\n": "x = 1\n", "a['b'].c(d)  # import x": "a['b'].c(d)  # import x",
		"x = r'\\d' # f'{x}'\n'''import\nx'''":    "x = r'\\d' # f'{x}'\n'''import\nx'''",
		"island = isnt\nx.imports = 0x1f + 1e5":   "island = isnt\nx.imports = 0x1f + 1e5",
		"x = b'\\x00' + rb'\\d'":                  "x = b'\\x00' + rb'\\d'",
		"x = \"\"\"a\n'\"\"\\\"\"\"\nb\"\"\" + y": "x = \"\"\"a\n'\"\"\\\"\"\"\nb\"\"\" + y",

		"import datetime":                   `datetime = __import__("datetime", "")`,
		"import datetime as dt, uuid # why": `dt = __import__("datetime", ""); uuid = __import__("uuid", "")# why`,
		"from uuid import uuid1":            `uuid1 = __import__("uuid", "uuid1")`,
		"from a.b import c, d as e\nx":      "c = __import__(\"a.b\", \"c\"); e = __import__(\"a.b\", \"d\")\nx",
		"if x: import y; z":                 `if x: y = __import__("y", ""); z`,
		"def f():\n    import y\n":          "def f():\n    y = __import__(\"y\", \"\")\n",
		"f(import_=1, x=important)":         "f(import_=1, x=important)",

		"x is None":            "x == None",
		"x is not None":        "x != None",
		"x is  notable":        "x ==  notable",
		"not x is\tnot\ty":     "not x !=\ty",
		`x = 'is' if is_ else`: `x = 'is' if is_ else`,

		`f"a"`:                `__format__("a", )`,
		`f""`:                 `__format__()`,
		`F'{x}'`:              `__format__((x), )`,
		`f"a {x.y} b"`:        `__format__("a ", (x.y), " b", )`,
		`f"{x}{{}}"`:          `__format__((x), "{", "}", )`,
		`f"{x != y}"`:         `__format__((x != y), )`,
		`f"{x is None}"`:      `__format__((x == None), )`,
		`f"{d['a']}{d[1:2]}"`: `__format__((d['a']), (d[1:2]), )`,
		`f"{f(a=1)}"`:         `__format__((f(a=1)), )`,
		`f"\"{x}"`:            `__format__("\"", (x), )`,
		"f'''a\n{x}\n'''":     "__format__('''a\n''', (x), '''\n''', )",
		`f"{x}" % y`:          `__format__((x), ) % y`,
		"\"a\"\n\"b\"":        "\"a\"\n\"b\"",
		`["a", "b"]`:          `["a", "b"]`,
		"[x for x in y]":      "[x for x in y]",
		"f([x for x in y])":   "f([x for x in y])",
	} {
		if got, err := translated(from); got != want || err != nil {
			t.Errorf("%q\ngives %q, %v\nwant  %q", from, got, err, want)
		}
	}
}

// What is not taken is refused in words that say what to write instead.
func TestRefusedSyntax(t *testing.T) {
	for from, want := range map[string]string{
		"x = 'a\ny":                  "a text is not closed in its line; a text over several lines stands in \"\"\"",
		`x = "a`:                     "a text is not closed in its line",
		"f('a\n')":                   "a text is not closed in its line",
		`x = """a`:                   "unclosed",
		`f"{x"`:                      "an f-string needs { and } around a simple expression",
		`f"}"`:                       "an f-string needs { and } around a simple expression",
		`f"{{'a': 1}['a']}"`:         "an f-string needs { and } around a simple expression",
		`f"{}"`:                      "an f-string needs an expression between { and }",
		`f"{(x}"`:                    "a bracket is not closed in an f-string",
		`f"{x:.2f}"`:                 "an f-string takes no format after : here; write str(…) or repr(…), and strftime(…) of a date",
		`f"{x!r}"`:                   "an f-string takes no format after ! here",
		`f"{x=}"`:                    "an f-string takes no format after = here",
		`f"{f'{x}'}"`:                "an f-string needs { and } around a simple expression (give a name to what has braces itself)",
		`f"{('a' 'b')}"`:             "texts side by side are not joined here",
		`rf"{x}"`:                    "the letters rf before a text are not taken here",
		"x = 'a\xff'":                "a line is no text in UTF-8; save the file in this encoding",
		`u"a"`:                       "the letters u before a text are not taken here; write it without them",
		`("a" "b")`:                  "texts side by side are not joined here; write + between them",
		"(\"a\" # one\n f\"b\")":     "texts side by side are not joined here",
		"any(x for x in y)":          "a generator is not taken here; write a list, as in any([x for x in y])",
		strings.Repeat("[", 100_000): "too many nested brackets",
		"from x import *":            "an import stands in one line and reads: import MODULE, or from MODULE import NAME, NAME",
		"from x import (y)":          "an import stands in one line and reads",
		"from x":                     "an import stands in one line and reads",
		"import":                     "an import stands in one line and reads",
		"import x.y":                 "an import stands in one line and reads",
		"import x y":                 "an import stands in one line and reads",
		"from x import y, 2z":        "an import stands in one line and reads",
	} {
		if got, err := translated(from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %q, %v; want %s", from, got, err, want)
		}
	}
}

// Whatever is typed, the translator ends without a panic, and a text that it takes
// keeps its number of lines.
func FuzzTranslate(f *testing.F) {
	for _, seed := range []string{
		"import datetime\nfrom uuid import uuid1", `f"{x} {{ {y['a']} }}" + "b"`, "any(x for x in y) is not None",
		"x = '''a\n'''; import y", "rf'\\{x}' F\"{a=:3}\"", "for x in y:\n    f'{x is not None}'\n", "(\"a\" # c\n\"b\")", "f'''{'''",
		"if x: import a.b as c", "\\\n#", "b'\\x00' u'' br''", "\xff\x00f'\xff{\xff}'", "import (", "f'{lambda: 1}'", "\"\"\"\"", "'''\n\\'''\n'''",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := translated(text)
		if err == nil && strings.Count(got, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q has other lines than %q", got, text)
		}
	})
}

// Statements are cut out of a text so that nothing is lost and nothing comes twice.
func FuzzStatements(f *testing.F) {
	for _, seed := range []string{
		"a\nb\n", "for x in y:\n    z\n\n    w\nv", "if a:\n  b\nelse:\n  c\nd", "f(\n\n)\n", "'''\n\n'''\n#\nx\\\ny", "def f():\n'", ")\n(\n",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, typed bool) {
		from := &statements{from: newFileReader(strings.NewReader(text)), typed: typed}
		var all []string
		for range strings.Count(text, "\n") + 2 {
			next, err := from.next()
			if err != nil {
				break
			}
			all = append(all, next.source...)
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

// cut is a statement as it was written, with the number of its first line.
type cut struct {
	text string
	line int
}

func TestStatements(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		typed bool
		want  []cut
	}{
		"lines":           {"a\n\n# c\n  b  \nc", false, []cut{{"a", 1}, {"  b  ", 4}, {"c", 5}}},
		"brackets":        {"f(\n\n# c\n)\ng", false, []cut{{"f(\n\n# c\n)", 1}, {"g", 5}}},
		"string":          {"x = '''\n(\n'''\ny", false, []cut{{"x = '''\n(\n'''", 1}, {"y", 4}}},
		"brackets within": {"x = '(' # (\ny = \"'(\"\nz", false, []cut{{"x = '(' # (", 1}, {"y = \"'(\"", 2}, {"z", 3}}},
		"joined":          {"x = 1 + \\\n 2\ny", false, []cut{{"x = 1 + \\\n 2", 1}, {"y", 3}}},
		"block":           {"for x in y:\n    a\n\n    b\n# c\nd", false, []cut{{"for x in y:\n    a\n\n    b\n# c", 1}, {"d", 6}}},
		"alternative":     {"if x:\n    a\n\nelse:\n    b\nc", false, []cut{{"if x:\n    a\n\nelse:\n    b", 1}, {"c", 6}}},
		"two blocks":      {"for a in b:\n    c\nfor d in e:\n    f", false, []cut{{"for a in b:\n    c", 1}, {"for d in e:\n    f", 3}}},
		"fault":           {"x = 'a\ny", false, []cut{{"x = 'a", 1}, {"y", 2}}},
		"unfinished":      {"f(\na", false, []cut{{"f(\na", 1}}},
		"bom and CRLF":    {"\ufeffa\r\nb\r\n", false, []cut{{"a", 1}, {"b", 2}}},
		"typed":           {"a\nfor x in y:\n    b\n\nc", true, []cut{{"a", 1}, {"for x in y:\n    b", 1}, {"c", 1}}},
		"typed brackets":  {"f(\n\n)\nc", true, []cut{{"f(\n\n)", 1}, {"c", 1}}},
	} {
		from := &statements{from: newFileReader(strings.NewReader(c.text)), typed: c.typed}
		for i, want := range append(c.want, cut{}) {
			next, err := from.next()
			got := cut{strings.Join(next.source, "\n"), next.line}
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
		`b"a'\\\n\xff"`:        starlark.Bytes("a'\\\n\xff"),
		`[1, 'a', None, True]`: starlark.NewList([]starlark.Value{starlark.MakeInt(1), starlark.String("a"), starlark.None, starlark.True}),
		`('a',)`:               starlark.Tuple{starlark.String("a")}, `()`: starlark.Tuple{}, `1.0`: starlark.Float(1),
		`('a', ['b'])`: starlark.Tuple{starlark.String("a"), starlark.NewList([]starlark.Value{starlark.String("b")})},
	} {
		if got := repr(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := repr(cyclic); !strings.HasSuffix(got, strings.Repeat("]", mostNested)) || !strings.Contains(got, "...") {
		t.Errorf("a list within itself is %s", got)
	}
	d := starlark.NewDict(1)
	_ = d.SetKey(starlark.String("k"), starlark.String("v"))
	if got := repr(d); got != "{'k': 'v'}" {
		t.Errorf("got %s", got)
	}
}
