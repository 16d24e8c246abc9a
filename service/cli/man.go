package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vserver/service"
)

// manCommand writes the manual pages.
func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands to a folder",
		Long: "Write the manual pages of all commands to a folder, which is made when missing: one for vserver and\n" +
			"one for each command, such as vserver-start.1.",
		Args: oneArgument("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // pages are for everybody
				return fmt.Errorf("making the folder of the manual pages: %w", err)
			}
			written := 0
			err := pages(cmd.Root(), func(c *cobra.Command) error {
				written++
				path := filepath.Join(args[0], pageName(c)+".1")
				return os.WriteFile(path, []byte(manualPage(c)), 0o644) //nolint:gosec // likewise
			})
			if err != nil {
				return fmt.Errorf("writing the manual pages: %w", err)
			}
			p.info("Wrote %d manual pages to %s", written, args[0])
			return nil
		},
	}
}

// pages does something with every command that has a page.
func pages(c *cobra.Command, do func(*cobra.Command) error) error {
	if c.Hidden || c.Name() == "help" {
		return nil
	}
	if err := do(c); err != nil {
		return err
	}
	for _, child := range c.Commands() {
		if err := pages(child, do); err != nil {
			return err
		}
	}
	return nil
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manualPage is the page of a command, in the macros of man(7).
func manualPage(c *cobra.Command) string {
	version, _ := service.Version()
	m := &manual{}
	m.macro("TH", strings.ToUpper(pageName(c)), "1", "", "vserver "+version, "vserver")
	m.macro("SH", "NAME")
	m.text(pageName(c) + " - " + c.Short)
	m.macro("SH", "SYNOPSIS")
	m.line(`\fB` + escaped(c.CommandPath()) + `\fR` + escaped(strings.TrimPrefix(useLine(c), c.CommandPath())))
	if c.Long != "" {
		m.macro("SH", "DESCRIPTION")
		m.text(c.Long)
	}
	m.options(c)
	m.commands(c)
	m.macro("SH", "EXIT STATUS")
	m.text("0 for success, 1 for a failure, 2 for a mistake in the command line.")
	if !c.HasParent() {
		m.files()
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

// files tells where things are on a system with the usual folders.
func (m *manual) files() {
	m.macro("SH", "FILES")
	for _, f := range []struct{ path, what string }{
		{"/etc/xdg/vantage6/server/NAME.yaml", "configuration of an instance of the system"},
		{"~/.config/vantage6/server/NAME.yaml", "configuration of an instance of a user"},
		{"/usr/local/share/vantage6/server/NAME/", "data of an instance of the system; the logs are beside it"},
		{"~/.local/share/vantage6/server/NAME/", "data of an instance of a user"},
		{"~/.cache/vantage6/log/server/", "logs of the instances of a user"},
	} {
		m.macro("TP")
		m.line(`\fI` + escaped(f.path) + `\fR`)
		m.text(f.what)
	}
	m.macro("SH", "ENVIRONMENT")
	for _, v := range []struct{ name, what string }{
		{"VANTAGE6_DB_URI", "comes before uri of the configuration"},
		{"VSERVER_JWT_SECRET_KEY", "comes before jwt_secret_key of the configuration"},
		{"VSERVER_ROOT_PASSWORD", "password of the first user, when there is none yet"},
		{"NO_COLOR", "when set, nothing is coloured"},
	} {
		m.macro("TP")
		m.line(`\fB` + escaped(v.name) + `\fR`)
		m.text(v.what)
	}
	m.text("\nThe second and third also with _FILE behind, as the path of a file that holds the value.")
}

// escaped keeps a text from being taken for requests.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
