package config

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
)

// derived are fields that no row fills: they follow from others.
var derived = []string{"Config.File", "Config.Environment", "Config.JWTSecretGenerated", "Config.SMTP.Configured"}

// A field without a row can be set by nobody.
func TestEveryFieldHasARow(t *testing.T) {
	c := whole(Settings())
	filled := map[uintptr]bool{}
	for _, s := range Settings() {
		if field := reflect.ValueOf(s.field(c)); field.Kind() == reflect.Pointer {
			filled[field.Pointer()] = true
		}
	}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch {
		case filled[v.Addr().Pointer()] || slices.Contains(derived, path):
			if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[Origins]() {
				return
			}
			fallthrough
		case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[netip.Prefix]():
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case v.Kind() == reflect.Pointer && !v.IsNil():
			walk(path, v.Elem())
		default:
			t.Errorf("%s has no row", path)
		}
	}
	walk("Config", reflect.ValueOf(c).Elem())
}

// What a row says about itself is enough for the example, the documentation and the
// questions of a new file.
func TestRowsAreWhole(t *testing.T) {
	seen, options := map[string]bool{}, map[string]bool{}
	for _, s := range Settings() {
		block, _ := s.Block()
		_, isBlock := s.field(whole(Settings())).(part)
		switch {
		case seen[s.Key]:
			t.Errorf("%s is there twice", s.Key)
		case block != "" && !seen[block]:
			t.Errorf("%s stands before its block", s.Key)
		case s.Key == "" && s.Variable == "":
			t.Error("a row has neither key nor variable")
		case s.at != nil && !isBlock && s.shown(whole(Settings())) == nil:
			t.Errorf("config show does not know the kind of %s", s.Key)
		case !isBlock && s.Key != "" && !s.Hidden && s.sample("") == "":
			t.Errorf("%s has neither a default nor a sample for the example", s.Key)
		}
		seen[s.Key] = true
		for q := s.Question; q != nil; q = q.First {
			if q.Option == "" || q.Title == "" || options[q.Option] {
				t.Errorf("question of %s: its option %q or its title %q cannot be used", s.Key, q.Option, q.Title)
			}
			options[q.Option] = true
		}
	}
}
