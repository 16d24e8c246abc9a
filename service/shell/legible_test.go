package shell_test

import (
	"strings"
	"testing"

	"vserver/queries/dbtest"
)

// TestStoredTextsDoNotSteerTheTerminal: what print, lines of objects, values and faults write has
// escapes for control characters and overrides of direction, as repr has.
func TestStoredTextsDoNotSteerTheTerminal(t *testing.T) {
	b := newFixture(t)
	const (
		evil   = "a\u0085b\u009b2Jc\x1b[2Jd\u202ee\u2066f\rg\x7f"
		source = `a\u0085b\u009b2Jc\x1b[2Jd\u202ee\u2066f\rg\x7f`
		shown  = `a\u0085b\u009b2Jc\x1b[2Jd\u202ee\u2066f\x0dg\x7f`
	)
	b.does(world)
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := raw.ExecContext(t.Context(), `UPDATE organization SET name = '`+evil+`'`); err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]string{
		"print('" + source + "')":               shown,
		"print('" + source + "', 'x', sep='|')": shown + "|x",
		"print('x', end='" + source + "')":      "x" + shown,
		"x = '" + source + "'\nprint(f'{x}')":   shown,
		"fail('" + source + "')":                shown,
		`print('tab\tline\r\n', end='')`:        "tab\tline\r\n",
		"print('ç € 😀 é')":                      "ç € 😀 é",
		"org":                                   shown,
		"print(org)":                            shown,
		"db.Organization.get()":                 shown,
		"print(db.Organization.get())":          shown,
		"db.Organization.get(org.id).name":      `\rg`,
	} {
		out, faults := b.run("org = db.Organization.get()[0]\n" + code)
		if said := out + faults; !strings.Contains(said, want) || strings.ContainsAny(said, "\u0085\u009b\x1b\u202e\u2066\x7f") {
			t.Errorf("%s: %q, not %q", code, said, want)
		}
	}
	b.does("result.log = b'a\\xed\\xa0\\x80z'\nresult.save()")
	b.says("print(db.Result.get(1).log)", `a\ud800z`)
}
