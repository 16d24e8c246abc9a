package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vserver/service/yaml"
)

// Setting is one row of the table that loading, checking, showing, the example, the
// questions of a new file and the documentation are made from. What kind of value it
// holds follows from the field of Config that it fills.
type Setting struct {
	Key      string // dotted below an environment, such as logging.level; empty when only a variable sets it
	Help     string // what it is for; empty: as the setting above it
	Default  any    // of a key without value; nil for none
	Required bool
	Least    int           // of numbers, in Unit for durations
	Most     int           // 0: no limit
	OrZero   bool          // a number may also be 0, which turns something off
	Unit     time.Duration // of durations
	Choices  []string      // the only values of a text
	Variable string        // of the process's environment that comes before the key; also with _FILE appended
	Sample   string        // value for the example, in YAML; the default when empty
	Active   bool          // stands in a new file even where it is not required
	Hidden   bool          // an older place of another key
	URI      bool          // of a secret: only the passwords in it are hidden
	Question *Question     // of `vserver new`; nil: it is not asked

	at    func(*Config) any                             // pointer to the field, a part for a block, nil when the value has no effect
	check func(file, value string) (taken, must string) // judges a text
	read  func(b *yaml.Block, name string, c *Config)   // in place of the reading by kind
	then  func(b *yaml.Block, name string, c *Config)   // looks at what was read, together with what stands above
	show  func(c *Config) any                           // in place of the showing by kind

	kind string
}

// Question is what `vserver new` asks for a setting.
type Question struct {
	Option   string // that answers it beforehand; one that ends in -file names a file with a secret
	Title    string
	Note     string
	Standard string    // the usual answer; yes or no make it a question of that kind
	Unasked  string    // the answer where nobody is asked; the usual one when empty
	First    *Question // for yes or no: without a yes this one is not asked
	Own      bool      // the reference does not ask it: it comes after those that it asks
}

func ask(option, title, standard string) *Question {
	return &Question{Option: option, Title: title, Standard: standard}
}

// part is a block of keys that a file may leave out.
type part struct {
	there  bool   // the configuration has it
	begin  func() // makes it; nil when it is always there
	filled bool   // its defaults count without it
}

func always(*Config) any { return part{there: true, filled: true} }

// optional is a block that stands for nothing when the file leaves it out.
func optional[T any](p **T) any {
	return part{there: *p != nil, begin: func() { *p = new(T) }}
}

// Settings returns the table, in the order of the example.
func Settings() []Setting {
	all := slices.Concat(serverSettings(), loggingSettings(), accountSettings(), sealingSettings(), postgresSettings(), networkSettings(), limitSettings(), mailSettings(), vpnSettings(), otherSettings())
	c := whole(all)
	for i := range all {
		all[i].kind = kindOf(all[i].field(c))
	}
	return all
}

// setting finds a row by its key.
func setting(key string) (Setting, bool) {
	all := Settings()
	i := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return all[i], true
}

// Block returns the key of the block that the setting stands in, empty for the
// environment itself, and its name there.
func (s Setting) Block() (block, name string) {
	if i := strings.LastIndexByte(s.Key, '.'); i >= 0 {
		return s.Key[:i], s.Key[i+1:]
	}
	return "", s.Key
}

// InNewFile reports whether a new file holds the setting even when nobody asks for it.
func (s Setting) InNewFile() bool {
	if block, _ := s.Block(); block != "" {
		if outer, _ := setting(block); !outer.Required && !outer.Active {
			return false
		}
	}
	return s.Required || s.Active
}

// requiredKeys make a block an environment: one that lacks any counts as absent.
func requiredKeys() []string {
	var keys []string
	for _, s := range Settings() {
		if block, name := s.Block(); s.Required && block == "" {
			keys = append(keys, name)
		}
	}
	return keys
}

// whole returns a configuration that has every block of a table.
func whole(all []Setting) *Config {
	var c Config
	for _, s := range all {
		if p, ok := s.field(&c).(part); ok && p.begin != nil {
			p.begin()
		}
	}
	return &c
}

// field returns the pointer to the setting's field, nil when there is none.
func (s Setting) field(c *Config) any {
	if s.at == nil {
		return nil
	}
	return s.at(c)
}

// The kinds of values, in words.
const (
	Text   = "text"
	Hidden = "secret text"
	Flag   = "true or false"
	Number = "number"
	List   = "list"
	Blocks = "block of keys"
	Unused = "anything, without effect"
)

// Kind returns the kind of value that the setting has.
func (s Setting) Kind() string { return cmp.Or(s.kind, Unused) }

// kindOf returns the kind of value that a pointer to a field leads to.
func kindOf(field any) string {
	switch field.(type) {
	case *string:
		return Text
	case *Secret:
		return Hidden
	case *bool:
		return Flag
	case *int, *time.Duration:
		return Number
	case part:
		return Blocks
	case nil:
		return Unused
	}
	return List
}

// Secret reports whether the value is hidden wherever settings are shown.
func (s Setting) Secret() bool {
	return s.Kind() == Hidden
}

// Limits says in words what a value must be, empty when anything of its kind will do.
func (s Setting) Limits() string {
	switch {
	case len(s.Choices) > 0:
		return "one of " + strings.Join(s.Choices, ", ")
	case s.Kind() != Number || s.read != nil:
		return ""
	case s.Most == 0:
		return fmt.Sprintf("a whole number of at least %d", s.Least)
	}
	return fmt.Sprintf("a whole number from %d to %d", s.Least, s.Most)
}
