package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"vserver/service/private"
	"vserver/service/yaml"
)

// form is that of a configuration file.
var form = yaml.Form{Name: "a configuration", Bytes: 1 << 20, Values: 500_000}

// application is the name of the block beside `environments`, which is chosen like
// a fifth environment and is no default for the others (/docs/configuration#environments).
const application = "application"

// EnvironmentNames in the order of `vserver list` (/docs/commands#list).
var EnvironmentNames = []string{"prod", "acc", "test", "dev", application}

// CheckEnvironment refuses a word that names no environment.
func CheckEnvironment(name string) error {
	if !slices.Contains(EnvironmentNames, name) {
		return fmt.Errorf("unknown environment %s: must be one of %s", yaml.Shown(name), strings.Join(EnvironmentNames, ", "))
	}
	return nil
}

// File is a parsed configuration file: up to five blocks, not yet checked.
type File struct {
	Path   string
	blocks map[string]yaml.Value // those that are mappings
	notes  []Warning             // warnings about the top level
	misfit Faults                // what stands in the place of blocks and is ignored by a start
	needed []string              // the keys that make a block an environment
}

// ReadFile parses the file at path. Syntax faults are Faults with a line. A file that this
// account may not read is an fs.ErrPermission that says whose it is.
func ReadFile(path string) (*File, error) {
	r, err := form.FromFile(path)
	if errors.Is(err, fs.ErrPermission) {
		if why := private.Unreadable(path); why != nil {
			err = fmt.Errorf("%w: %w", err, why)
		}
	}
	return newFile(r, err)
}

// Parse reads the text of a configuration file; path is only used in messages. An
// empty file is a file without environments.
func Parse(path string, data []byte) (*File, error) {
	return newFile(form.FromText(path, data))
}

func emptyFile(path string) *File {
	return &File{Path: path, blocks: map[string]yaml.Value{}, needed: requiredKeys()}
}

func newFile(r *yaml.Reader, err error) (*File, error) {
	if err != nil {
		return nil, err
	}
	f := emptyFile(r.File)
	if r.Root.Null() {
		return f, nil
	}
	top := r.Block("", r.Root)
	if top == nil {
		r.Fault(r.Root.Line, "", "must hold the key environments or application, not %s", r.Root.Kind())
		return nil, r.Faults
	}
	f.collect(top)
	return f, nil
}

// collect finds the five blocks. Anything but a mapping in their place is ignored,
// as the three dots of the documentation's example must be (/docs/configuration#environments).
func (f *File) collect(top *yaml.Block) {
	f.take(top, application, application)
	v, _ := top.Ask("environments")
	if all := top.Block("environments", v); all != nil {
		for _, name := range EnvironmentNames[:4] {
			f.take(all, name, name)
		}
		all.Unknown()
	} else {
		f.take(top, "environments", "")
	}
	top.Unknown()
	f.notes = top.Warnings
}

// take keeps the block of an environment. Anything else in its place is noted, but for
// the three dots and a key without value.
func (f *File) take(b *yaml.Block, key, environment string) {
	v, there := b.Ask(key)
	switch {
	case v.IsBlock():
		f.blocks[environment] = v
	case there && !v.Null() && v.Text() != "...":
		f.misfit = append(f.misfit, Fault{File: f.Path, Line: v.Line, Key: b.Key(key), Text: "must be a block of keys, not " + v.Kind()})
	}
}

func blockPath(environment string) string {
	if environment == application {
		return application
	}
	return "environments." + environment
}

// Environments lists the blocks that have all required keys, in the order prod,
// acc, test, dev, application.
func (f *File) Environments() []string {
	var names []string
	for _, name := range EnvironmentNames {
		if _, there := f.blocks[name]; there && len(f.lacking(name)) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// lacking names the required keys a block does not have.
func (f *File) lacking(environment string) []string {
	b := form.NewReader(f.Path).Block("", f.blocks[environment])
	return slices.DeleteFunc(slices.Clone(f.needed), func(key string) bool { return b != nil && b.Has(key) })
}

// NoEnvironment is the error of a file that has no usable block of that name.
type NoEnvironment struct {
	Environment string
	Why         string
}

// Error is the sentence of /docs/commands#choose with the reason behind it.
func (e NoEnvironment) Error() string {
	return fmt.Sprintf("Requested environment %s is not found in the configuration: %s", e.Environment, e.Why)
}

// Choose decides which environment to run. An empty wish means that none was given:
// then prod, else application, else the only usable block
// (/docs/configuration#environments). The error is a NoEnvironment, or says that the
// word is none of the five.
func (f *File) Choose(wish string) (string, error) {
	usable := f.Environments()
	if wish == "" {
		switch {
		case slices.Contains(usable, "prod"):
			return "prod", nil
		case slices.Contains(usable, application):
			return application, nil
		case len(usable) == 1:
			return usable[0], nil
		}
		wish = "prod"
	}
	if err := CheckEnvironment(wish); err != nil {
		return "", err
	}
	if slices.Contains(usable, wish) {
		return wish, nil
	}
	return "", NoEnvironment{wish, f.why(wish, usable)}
}

// why explains to an operator what stands in the way of an environment.
func (f *File) why(environment string, usable []string) string {
	if v, there := f.blocks[environment]; there && v.Empty() {
		return fmt.Sprintf("%s:%d: %s is empty; the file has %s", f.Path, v.Line, blockPath(environment), cmp.Or(strings.Join(usable, ", "), "no usable environment"))
	} else if there {
		return fmt.Sprintf("%s:%d: %s lacks %s", f.Path, v.Line, blockPath(environment), strings.Join(f.lacking(environment), ", "))
	}
	if len(usable) == 0 && len(f.misfit) > 0 {
		return f.misfit.Error()
	}
	if len(usable) == 0 {
		return f.Path + " has no usable environment"
	}
	return f.Path + " has " + strings.Join(usable, ", ")
}
