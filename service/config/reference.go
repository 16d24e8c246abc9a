package config

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// exampleHead is what stands above the settings.
const exampleHead = `# Configuration of a vserver instance.
#
# The name of the file without .yaml is the name of the instance. It holds up to four
# environments, dev, test, acc and prod, of which one is chosen at start:
#
#   vserver start --name NAME --environment test
#
# Each environment stands alone: nothing is inherited from another one. A file with
# only one setting puts its block under the top-level key ` + "`application`" + ` instead.
#
# ` + "`vserver config check`" + ` reads a file and lists everything that is wrong with it.

environments:
  prod:
`

// Example returns a configuration file that explains every key. Keys that can be left
// out stand there as comments without a blank behind the #.
func Example() string {
	var out strings.Builder
	out.WriteString(exampleHead)
	first := true
	for _, s := range Settings() {
		if s.Key == "" || s.Hidden {
			continue
		}
		_, name := s.Block()
		indent := strings.Repeat("  ", 2+strings.Count(s.Key, "."))
		if s.Help != "" && !first {
			out.WriteString("\n")
		}
		for line := range strings.Lines(s.Help) {
			_, _ = fmt.Fprintf(&out, "%s# %s\n", indent, strings.TrimRight(line, "\n"))
		}
		if !s.InNewFile() {
			indent += "#"
		}
		_, _ = fmt.Fprintf(&out, "%s%s:%s\n", indent, name, s.sample(indent))
		first = s.Kind() == Blocks
	}
	return out.String()
}

// sample is what stands behind the key in the example, a list on lines of its own.
func (s Setting) sample(indent string) string {
	text := s.Sample
	if text == "" && s.Default != nil {
		text = fmt.Sprint(s.Default)
	}
	if !strings.HasPrefix(text, "- ") {
		return strings.TrimRight(" "+text, " ")
	}
	blanks, hash := strings.CutSuffix(indent, "#")
	inner := "\n" + blanks + "  "
	if hash {
		inner += "#"
	}
	return inner + strings.ReplaceAll(text, "\n", inner)
}

// Reference returns the table of settings, its head in the first row; code stands between backquotes. Required
// ones bear a star.
func Reference() [][]string {
	rows := [][]string{{"Key", "Value", "Default", "Meaning"}}
	for _, s := range Settings() {
		if s.Key == "" || s.Hidden {
			continue
		}
		key, byDefault := "`"+s.Key+"`", ""
		switch {
		case s.Required:
			key += " *"
		case s.Default != nil:
			byDefault = fmt.Sprintf("`%v`", s.Default)
		}
		kind := s.Kind()
		if limits := s.Limits(); limits != "" {
			kind = limits
		}
		rows = append(rows, []string{key, kind, byDefault, s.meaning()})
	}
	return rows
}

// Lines of a help text that show what to write, and the last of them.
var (
	indented = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^  (\S+(?: \S+)*)(?:  +(.*))?$`) })
	lastLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(` ?,\n([A-Z])`) })
)

// meaning is the help of a setting in one line.
func (s Setting) meaning() string {
	text := lastLine().ReplaceAllString(indented().ReplaceAllString(s.Help, "`$1` $2,"), ". $1")
	return strings.ReplaceAll(text, "\n", " ")
}
