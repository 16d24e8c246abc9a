// Package manual writes the commands of a command line as manual pages, in the macros
// of man(7). It imports nothing of the house.
package manual

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Options are what the pages have beside the commands.
type Options struct {
	Release  string // the program with its version
	UseLine  func(*cobra.Command) string
	Sections []Section // of the first page
}

// Section explains names.
type Section struct {
	Title   string
	Paths   bool // the names are paths
	Entries []Entry
	Note    string // below the entries; may be empty
}

// Entry is a name with its explanation.
type Entry struct{ Name, Text string }

// Write writes the pages of a command and of all below it to a folder, which is made
// when missing, and returns their number.
func Write(folder string, root *cobra.Command, o Options) (written int, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // pages are for everybody
		return 0, fmt.Errorf("making the folder of the manual pages: %w", err)
	}
	err = walk(root, func(c *cobra.Command) error {
		written++
		path := filepath.Join(folder, pageName(c)+".1")
		return os.WriteFile(path, []byte(page(c, o)), 0o644) //nolint:gosec // likewise
	})
	if err != nil {
		return written, fmt.Errorf("writing the manual pages: %w", err)
	}
	return written, nil
}

// walk does something with every command that has a page; the library's own hidden ones
// have none.
func walk(c *cobra.Command, do func(*cobra.Command) error) error {
	if c.Name() == "help" || strings.HasPrefix(c.Name(), "__") {
		return nil
	}
	if err := do(c); err != nil {
		return err
	}
	for _, child := range c.Commands() {
		if err := walk(child, do); err != nil {
			return err
		}
	}
	return nil
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// page is the page of a command, in the macros of man(7).
func page(c *cobra.Command, o Options) string {
	m := &manual{}
	m.macro("TH", strings.ToUpper(pageName(c)), "1", "", o.Release, c.Root().Name())
	m.macro("SH", "NAME")
	m.text(pageName(c) + " - " + c.Short)
	m.macro("SH", "SYNOPSIS")
	m.line(`\fB` + escaped(c.CommandPath()) + `\fR` + escaped(strings.TrimPrefix(o.UseLine(c), c.CommandPath())))
	if c.Long != "" {
		m.macro("SH", "DESCRIPTION")
		m.text(c.Long)
	}
	m.options(c)
	m.commands(c)
	m.macro("SH", "EXIT STATUS")
	m.text("0 for success, 1 for a failure, 2 for a mistake in the command line.")
	if !c.HasParent() {
		for _, s := range o.Sections {
			m.section(s)
		}
	}
	if c.HasParent() {
		m.macro("SH", "SEE ALSO")
		m.line(`\fB` + escaped(pageName(c.Parent())) + `\fR(1)`)
	}
	return m.String()
}

// manual gathers the lines of a page.
type manual struct{ strings.Builder }

func (m *manual) line(text string) { m.WriteString(text + "\n") }

// macro writes a request with its arguments.
func (m *manual) macro(name string, arguments ...string) {
	m.WriteString("." + name)
	for _, a := range arguments {
		m.WriteString(` "` + strings.ReplaceAll(escaped(a), `"`, `\(dq`) + `"`)
	}
	m.WriteString("\n")
}

// text writes paragraphs; blank lines are between them.
func (m *manual) text(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			m.macro("PP")
			continue
		}
		m.line(escaped(strings.TrimSpace(line)))
	}
}

// options describes those of a command, with those that every command has.
func (m *manual) options(c *cobra.Command) {
	m.macro("SH", "OPTIONS")
	describe := func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := `\fB` + escaped("--"+f.Name) + `\fR`
		if f.Shorthand != "" {
			name = `\fB` + escaped("-"+f.Shorthand) + `\fR, ` + name
		}
		if value != "" {
			name += ` \fI` + escaped(value) + `\fR`
		}
		m.macro("TP")
		m.line(name)
		m.text(usage)
	}
	c.LocalFlags().VisitAll(describe)
	c.InheritedFlags().VisitAll(describe)
}

// commands lists those below a command.
func (m *manual) commands(c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	m.macro("SH", "COMMANDS")
	for _, child := range c.Commands() {
		if !child.IsAvailableCommand() {
			continue
		}
		m.macro("TP")
		m.line(`\fB` + escaped(pageName(child)) + `\fR(1)`)
		m.text(child.Short)
	}
}

// section describes the entries of a section.
func (m *manual) section(s Section) {
	m.macro("SH", s.Title)
	for _, e := range s.Entries {
		m.macro("TP")
		m.line(s.font() + escaped(e.Name) + `\fR`)
		m.text(e.Text)
	}
	if s.Note != "" {
		m.text("\n" + s.Note)
	}
}

func (s Section) font() string {
	if s.Paths {
		return `\fI`
	}
	return `\fB`
}

// escaped keeps a text from being taken for requests.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
