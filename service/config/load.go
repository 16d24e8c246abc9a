package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"vserver/service/yaml"
)

// Load checks one environment of the file and returns its settings, with those of
// the process's environment over them (getenv is os.Getenv in the running program).
// All faults come at once, as Faults. A wrong port or logging block in *another*
// environment also stops the file, as in the reference
// (/docs/configuration#environments); other mistakes there do not, so that no file
// which used to start is refused.
func (f *File) Load(environment string, getenv func(string) string) (Config, []Warning, error) {
	r := form.NewReader(f.Path)
	r.Warnings = slices.Clone(f.notes)
	if usable := f.Environments(); !slices.Contains(usable, environment) {
		return Config{}, r.Warnings, NoEnvironment{environment, f.why(environment, usable)}
	}
	var c Config
	for _, name := range f.Environments() {
		if name == environment {
			c = f.configOf(r, name, getenv)
		} else {
			r.Faults = append(r.Faults, f.grave(name)...)
		}
	}
	r.Sort()
	if len(r.Faults) > 0 {
		return Config{}, r.Warnings, r.Faults
	}
	return c, r.Warnings, nil
}

func bare(string) string { return "" }

// locateRefusal says of a refusal where its setting stands.
func (f *File) locateRefusal(environment string, r Refusal, getenv func(string) string) Fault {
	if s, _ := setting(r.Key); s.Variable != "" && (getenv(s.Variable) != "" || getenv(s.Variable+"_FILE") != "") {
		return Fault{File: "environment", Key: s.Variable, Text: r.Err.Error()}
	}
	b := form.NewReader(f.Path).Block(blockPath(environment), f.blocks[environment])
	fault := Fault{File: f.Path, Key: blockPath(environment) + "." + r.Key, Text: r.Err.Error()}
	for name := range strings.SplitSeq(r.Key, ".") {
		if b == nil {
			break
		}
		fault.Line = b.LineOf(name)
		v, _ := b.Ask(name)
		b = b.Block(b.Key(name), v)
	}
	return fault
}

// grave lists the faults of a block that the reference checks too: port and logging.
func (f *File) grave(environment string) Faults {
	r := form.NewReader(f.Path)
	f.configOf(r, environment, bare)
	base := blockPath(environment) + "."
	return slices.DeleteFunc(r.Faults, func(fault Fault) bool {
		key, _, _ := strings.Cut(strings.TrimPrefix(fault.Key, base), ".")
		return key != "port" && key != "logging"
	})
}

// refused returns the faults that stop every environment of the file, or nil.
func (f *File) refused() error {
	var all Faults
	for _, name := range f.Environments() {
		all = append(all, f.grave(name)...)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// configOf reads one block row by row; faults and warnings gather in r.
func (f *File) configOf(r *yaml.Reader, environment string, getenv func(string) string) Config {
	c := Config{File: f.Path, Environment: environment}
	blocks := map[string]*yaml.Block{"": r.Block(blockPath(environment), f.blocks[environment])}
	if blocks[""] == nil {
		return c // it holds too much, which is a fault
	}
	for _, s := range Settings() {
		block, name := s.Block()
		b := blocks[block]
		if b == nil {
			continue
		}
		if p, ok := s.field(&c).(part); ok {
			blocks[s.Key] = s.enter(b, name, p)
			if s.then != nil {
				s.then(b, name, &c)
			}
			continue
		}
		s.load(b, name, &c, getenv)
	}
	for _, b := range blocks {
		if b != nil {
			b.Unknown()
		}
	}
	return c
}

// enter opens a block of the file; nil when its settings must not be read.
func (s Setting) enter(b *yaml.Block, name string, p part) *yaml.Block {
	const must = "must be a block of keys"
	v, there := b.Ask(name)
	sub := b.Block(b.Key(name), v)
	switch {
	case sub != nil:
		if p.begin != nil {
			p.begin()
		}
		return sub
	case !v.Null() || there && s.Required:
		b.Bad(name, v, must)
	case p.filled && !s.Required:
		return b.NewBlock(b.Key(name), b.Line)
	}
	return nil
}

// load fills the field from the process's environment, or else from the file.
func (s Setting) load(b *yaml.Block, name string, c *Config, getenv func(string) string) {
	if s.Variable != "" {
		value, err := variable(getenv, s.Variable)
		if err != nil {
			b.Faults = append(b.Faults, Fault{File: "environment", Key: s.Variable, Text: err.Error()})
		}
		if value != "" {
			b.Ask(name)
			r := form.NewReader("environment")
			own := r.NewBlock("", 0)
			own.Set(s.Variable, yaml.Of(value))
			s.set(own, s.Variable, c)
			b.Faults, b.Warnings = append(b.Faults, r.Faults...), append(b.Warnings, r.Warnings...)
			return
		}
	}
	if name != "" {
		s.set(b, name, c)
	}
}

// set fills the field from a key.
func (s Setting) set(b *yaml.Block, name string, c *Config) {
	if s.read != nil {
		s.read(b, name, c)
	} else {
		s.setByKind(b, name, c)
	}
	if s.then != nil {
		s.then(b, name, c)
	}
}

func (s Setting) setByKind(b *yaml.Block, name string, c *Config) {
	v, there := b.Ask(name)
	field := s.field(c)
	if !there && s.Required {
		b.Refuse(name, "is missing%s", s.must())
	}
	switch field := field.(type) {
	case *string:
		*field = s.readText(b, name, v)
	case *Secret:
		*field = Secret(s.readText(b, name, v))
	case *bool:
		byDefault, _ := s.Default.(bool)
		flag, ok := v.Boolean(byDefault)
		if *field = flag; !ok {
			b.Bad(name, v, "must be true or false")
		}
	case *int:
		*field = s.number(b, name, v)
	case *time.Duration:
		*field = time.Duration(s.number(b, name, v)) * s.Unit
	}
}

// must says behind the fault of a missing key what has to be there.
func (s Setting) must() string {
	if limits := s.Limits(); limits != "" {
		return ": must be " + limits
	}
	return ""
}

// readText reads any single value as written; a missing or empty key means the default.
func (s Setting) readText(b *yaml.Block, name string, v yaml.Value) string {
	byDefault, _ := s.Default.(string)
	text := byDefault
	if len(s.Choices) > 0 {
		return s.choice(b, name, v)
	}
	if !v.Null() {
		if text = v.Text(); !v.Single() {
			b.Bad(name, v, "must be text")
			return byDefault
		}
	}
	if s.check == nil {
		return text
	}
	taken, must := s.check(b.File, text)
	switch {
	case must == "" || !b.Has(name):
	case s.Secret():
		b.Refuse(name, "%s", must)
	default:
		b.Bad(name, v, must)
	}
	return taken
}

func (s Setting) choice(b *yaml.Block, name string, v yaml.Value) string {
	word := v.Text()
	if slices.Contains(s.Choices, word) || !b.Has(name) {
		return word
	}
	must := "must be " + s.Limits()
	if slices.Contains(s.Choices, strings.ToUpper(word)) {
		must += " in upper case"
	}
	b.Bad(name, v, must)
	return s.Choices[0]
}

// number reads a whole number within the limits, also one in quotes.
func (s Setting) number(b *yaml.Block, name string, v yaml.Value) int {
	byDefault, has := s.Default.(int)
	if !b.Has(name) || v.Null() && has {
		return byDefault
	}
	n, ok := v.Whole()
	if ok && n == 0 && s.OrZero {
		return 0
	}
	if !ok || n < s.Least || s.Most > 0 && n > s.Most {
		b.Bad(name, v, "must be "+s.Limits())
		return s.Least
	}
	return n
}

// variable reads an environment variable, or the file that NAME_FILE points to.
func variable(getenv func(string) string, name string) (string, error) {
	value, path := getenv(name), getenv(name+"_FILE")
	if path == "" {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("is set together with %s_FILE; set one of them", name)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the file of %s_FILE: %w", name, err)
	}
	value = strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return "", fmt.Errorf("the file of %s_FILE is empty: %s", name, path)
	}
	return value, nil
}

// CheckAnswer judges one value before a file is written, so that a wizard can ask
// again. The key is that of a Setting; the error is the text of the fault.
func CheckAnswer(key string, value any) error {
	s, ok := setting(key)
	if !ok {
		return fmt.Errorf("there is no setting %s", key)
	}
	_, name := s.Block()
	b := form.NewReader("answer").NewBlock("", 0)
	b.Set(name, yaml.Of(value))
	if s.set(b, name, whole(Settings())); len(b.Faults) > 0 {
		return errors.New(b.Faults[0].Text)
	}
	return nil
}
