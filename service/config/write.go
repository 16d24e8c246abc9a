package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrExists is returned when the file already has a usable block of that name.
var ErrExists = errors.New("this environment exists already")

// Modes of a new file, which holds secrets, and of the directories above it.
const (
	fileMode = 0o600
	dirMode  = 0o755
)

// WriteFile adds an environment to the file at path, which is made when missing, with
// its directories. The file then has application and all four environments, empty
// ones as {}, with sorted keys in block style (contract 40 §4.1). Comments and other
// top-level keys of an existing file are lost; every block stays, also one that lacks
// keys. Nothing is written when the block or the existing file has faults.
//
// The new text replaces the old in one step, so that a crash leaves one or the other.
func WriteFile(path, environment string, block map[string]any) error {
	if !slices.Contains(environmentNames, environment) {
		return fmt.Errorf("unknown environment %s: must be one of %s", shown(environment), strings.Join(environmentNames, ", "))
	}
	file, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = &File{Path: path, blocks: map[string]entry{}}, nil
	}
	if err != nil {
		return err
	}
	if err := file.refused(); err != nil {
		return err
	}
	if slices.Contains(file.Environments(), environment) {
		return fmt.Errorf("writing %s: %s: %w", path, environment, ErrExists)
	}
	var node yaml.Node
	if err := node.Encode(block); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	file.blocks[environment] = entry{node: &node}
	text, err := file.text()
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := loadable(path, environment, text); err != nil {
		return err
	}
	return replace(path, text)
}

// loadable reads the text as a later start will.
func loadable(path, environment string, text []byte) error {
	file, err := Parse(path, text)
	if err != nil {
		return err
	}
	_, _, err = file.Load(environment, bare)
	return err
}

// text renders the whole file.
func (f *File) text() ([]byte, error) {
	environments := &yaml.Node{Kind: yaml.MappingNode}
	for _, name := range slices.Sorted(slices.Values(environmentNames[:4])) {
		environments.Content = append(environments.Content, word(name), f.blockOrEmpty(name))
	}
	top := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		word(application), f.blockOrEmpty(application), word("environments"), environments,
	}}
	t := tidier{r: newReader(f.Path), left: maxNodes}
	tidied := t.tidy(top)
	if t.left < 0 {
		return nil, errors.New("the aliases of this file unfold to more than a configuration can hold")
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(tidied); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

func word(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func (f *File) blockOrEmpty(environment string) *yaml.Node {
	if e, ok := f.blocks[environment]; ok {
		return e.node
	}
	return &yaml.Node{Kind: yaml.MappingNode}
}

// maxNodes bounds what a file may unfold to when its aliases are written out.
const maxNodes = 20_000

// tidier copies nodes into the form of a written file: aliases and merge keys
// written out, keys sorted, block style, no comments.
type tidier struct {
	r    *reader
	left int // nodes that may still be made; below zero when there were too many
}

func (t *tidier) tidy(n *yaml.Node) *yaml.Node {
	if t.left--; t.left < 0 {
		return word("")
	}
	n = behind(n)
	if n.Kind == yaml.MappingNode {
		return t.tidyMapping(n)
	}
	if n.Kind == yaml.SequenceNode {
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: n.Tag}
		for _, item := range n.Content {
			list.Content = append(list.Content, t.tidy(item))
		}
		return list
	}
	scalar := &yaml.Node{Kind: yaml.ScalarNode, Tag: n.Tag, Value: n.Value, Style: n.Style}
	if n.Style == yaml.DoubleQuotedStyle && !strings.ContainsFunc(n.Value, func(c rune) bool { return c < ' ' || c > '~' }) {
		scalar.Style = yaml.SingleQuotedStyle
	}
	return scalar
}

func (t *tidier) tidyMapping(n *yaml.Node) *yaml.Node {
	entries := t.r.flat(n)
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	mapping := &yaml.Node{Kind: yaml.MappingNode}
	for _, name := range names {
		mapping.Content = append(mapping.Content, word(name), t.tidy(entries[name].node))
	}
	return mapping
}

// replace writes text beside path and renames it over, keeping mode and owner of a
// file that is there.
func replace(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("making the directory of the configuration: %w", err)
	}
	temporary, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing configuration: %w", err)
	}
	err = fill(temporary, text, path)
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the first error is the one to tell
		return fmt.Errorf("writing configuration: %w", err)
	}
	return nil
}

// fill writes, syncs and closes the temporary file.
func fill(f *os.File, text []byte, like string) error {
	mode := fs.FileMode(fileMode)
	if old, err := os.Stat(like); err == nil {
		mode = old.Mode().Perm()
		keepOwner(f, old)
	}
	_, err := f.Write(text)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}
