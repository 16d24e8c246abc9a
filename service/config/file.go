package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is the size in bytes beyond which a file is not taken for a configuration.
const maxFile = 1 << 20

// application is the name of the block beside `environments`, which is chosen like
// a fifth environment and is no default for the others (contract 40 §6.1).
const application = "application"

// environmentNames in the order of `vserver list` (contract 40 §4.6).
var environmentNames = []string{"prod", "acc", "test", "dev", application}

// requiredKeys make a block an environment: one that lacks any counts as absent.
var requiredKeys = []string{"description", "ip", "port", "api_path", "uri", "allow_drop_all", "logging"}

// File is a parsed configuration file: up to five blocks, not yet checked.
type File struct {
	Path   string
	blocks map[string]entry // those that are mappings
	notes  []Warning        // warnings about the top level
}

// ReadFile parses the file at path. Syntax faults are Faults with a line.
func ReadFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse reads the text of a configuration file; path is only used in messages. An
// empty file is a file without environments.
func Parse(path string, data []byte) (*File, error) {
	if len(data) > maxFile {
		return nil, Faults{{File: path, Text: fmt.Sprintf("is larger than %d bytes", maxFile)}}
	}
	root, err := document(path, data)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, blocks: map[string]entry{}}
	if root == nil {
		return f, nil
	}
	r := newReader(path)
	top := r.mapping("", root.Line, root)
	if top == nil {
		return nil, Faults{{File: path, Line: root.Line, Text: "must hold the key environments or application, not a " + topWord(root)}}
	}
	f.collect(r, top)
	return f, nil
}

func topWord(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return "list"
	}
	return "single value"
}

// document returns the root node, or nil for an empty text.
func document(path string, data []byte) (root *yaml.Node, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxFault(path, data, err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Faults{{File: path, Line: second.Line, Text: "holds a second YAML document; a configuration is one"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxFault(path, data, err)
	}
	if len(doc.Content) == 0 || (entry{node: doc.Content[0]}).null() {
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntaxFault gives the parser's message the form of every other fault.
func syntaxFault(path string, data []byte, err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	line := 0
	if found := yamlLine.FindStringSubmatch(text); found != nil {
		line, _ = strconv.Atoi(found[1])
		text = found[2]
	}
	if lines := bytes.SplitAfter(data, []byte("\n")); len(lines) < 10_000 {
		line = badLine(lines, err)
	}
	return Faults{{File: path, Line: line, Text: "is not YAML: " + text}}
}

// badLine is the line with which the text stops being YAML; the parser's own number
// is where an enclosing structure began, or one off. The parser gave up somewhere
// with a certain error: that place is where shorter texts begin to fail the same
// way, and the culprit is the line after the longest good text before it.
func badLine(lines [][]byte, full error) int {
	failure := func(n int) error {
		decoder := yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:n], nil)))
		for {
			var doc yaml.Node
			if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	n := sort.Search(len(lines), func(n int) bool {
		err := failure(n)
		return err != nil && err.Error() == full.Error()
	})
	for tries := 0; n > 0 && tries < 50 && failure(n) != nil; tries++ {
		n--
	}
	return n + 1
}

// collect finds the five blocks. Anything but a mapping in their place is ignored,
// as the three dots of the documentation's example must be (contract 40 §6.1).
func (f *File) collect(r *reader, top *block) {
	if e, ok := top.given(application); ok && e.node.Kind == yaml.MappingNode {
		f.blocks[application] = e
	}
	if e, ok := top.given("environments"); ok {
		if all := r.mapping("environments", e.line, e.node); all != nil {
			for _, name := range environmentNames[:4] {
				if e, ok := all.ask(name); ok && e.node.Kind == yaml.MappingNode {
					f.blocks[name] = e
				}
			}
			all.unknown()
		}
	}
	top.unknown()
	f.notes = r.warnings
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
	for _, name := range environmentNames {
		if _, there := f.blocks[name]; there && len(f.lacking(name)) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// lacking names the required keys a block does not have.
func (f *File) lacking(environment string) []string {
	e := f.blocks[environment]
	b := newReader(f.Path).mapping(blockPath(environment), e.line, e.node)
	var keys []string
	for _, key := range requiredKeys {
		if _, ok := b.entries[key]; !ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// NoEnvironment is the error of a file that has no usable block of that name.
type NoEnvironment struct {
	Environment string
	Why         string
}

// Error is the sentence of contract 40 §3 with the reason behind it.
func (e NoEnvironment) Error() string {
	return fmt.Sprintf("Requested environment %s is not found in the configuration: %s", e.Environment, e.Why)
}

// Choose decides which environment to run. An empty wish means that none was given:
// then prod, else application, else the only usable block (contract 40 §6.1). The
// error is a NoEnvironment, or says that the word is none of the five.
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
	if !slices.Contains(environmentNames, wish) {
		return "", fmt.Errorf("unknown environment %s: must be one of %s", shown(wish), strings.Join(environmentNames, ", "))
	}
	if slices.Contains(usable, wish) {
		return wish, nil
	}
	return "", NoEnvironment{wish, f.why(wish, usable)}
}

// why explains to an operator what stands in the way of an environment.
func (f *File) why(environment string, usable []string) string {
	if e, there := f.blocks[environment]; there && len(e.node.Content) == 0 {
		return fmt.Sprintf("%s:%d: %s is empty; the file has %s", f.Path, e.line, blockPath(environment), cmp.Or(strings.Join(usable, ", "), "no usable environment"))
	} else if there {
		return fmt.Sprintf("%s:%d: %s lacks %s", f.Path, e.line, blockPath(environment), strings.Join(f.lacking(environment), ", "))
	}
	if len(usable) == 0 {
		return f.Path + " has no usable environment"
	}
	return f.Path + " has " + strings.Join(usable, ", ")
}
