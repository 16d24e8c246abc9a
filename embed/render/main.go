// Command render writes the pages of the documentation in HTML beside their Markdown, so that the
// server carries no parser of Markdown. It may import nothing of ours; `go generate ./embed` runs it.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

// Where the Markdown is and where the HTML goes, as seen from package embed.
const sources, target = "docs", "pages"

func main() {
	if err := render(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// render writes all pages, and no others.
func render() error {
	files, err := filepath.Glob(filepath.Join(sources, "*.md"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no page of the documentation is in %s: %w", sources, err)
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := os.Mkdir(target, 0o755); err != nil { //nolint:gosec // as everything in the repository
		return err
	}
	for _, file := range files {
		text, err := rendered(file)
		if err != nil {
			return fmt.Errorf("rendering %s: %w", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".md") + ".html"
		if err := os.WriteFile(filepath.Join(target, name), text, 0o644); err != nil { //nolint:gosec // the same
			return err
		}
	}
	return nil
}

// rendered is a page: its title on the first line, then its text in HTML, where <!--NAME--> stands for a table that
// the server knows.
func rendered(file string) ([]byte, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	title, text, _ := strings.Cut(string(source), "\n")
	if text, err = withFiles(text); err != nil {
		return nil, err
	}
	markdown := goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithHeadingAttribute()),
	)
	var out bytes.Buffer
	fmt.Fprintln(&out, strings.TrimPrefix(title, "# "))
	if err := markdown.Convert([]byte(text), &out); err != nil {
		return nil, err
	}
	return table.ReplaceAll(out.Bytes(), []byte("<!--$1-->")), nil
}

var (
	included = regexp.MustCompile(`(?m)^\{\{(\S+\.conf)\}\}$`)
	table    = regexp.MustCompile(`<p>\{\{(\w+)\}\}</p>`)
)

// withFiles puts the file NAME.conf in the place of a line {{NAME.conf}}, as a block of code.
func withFiles(text string) (string, error) {
	var missing error
	text = included.ReplaceAllStringFunc(text, func(line string) string {
		file, err := os.ReadFile(filepath.Join(sources, strings.Trim(line, "{}")))
		if err != nil {
			missing = err
		}
		return "```\n" + string(file) + "```"
	})
	return text, missing
}
