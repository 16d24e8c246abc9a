package embed

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:generate go run ./render

// docs has what is served beside the pages, and pages what package render makes of the Markdown in docs.
//
//go:embed docs/*.conf docs/*.css docs/*.js docs/page.html
var docs embed.FS

//go:embed pages
var rendered embed.FS

// A chapter is a part of the documentation's navigation: a title and the names of its
// pages. Each page is a Markdown file whose first line is its title.
type chapter struct {
	title string
	pages []string
}

// chapters lists all pages in the order of reading. The page "index" is at "/docs/".
var chapters = []chapter{
	{"Start", []string{"index"}},
	{"Run a server", []string{"operating", "ui", "configuration", "mail", "logging", "commands", "proxy", "import", "shell", "evening", "takeover"}},
	{"REST", []string{
		"wire", "tokens", "permissions", "organizations", "collaborations", "nodes", "users", "roles",
		"tasks", "results", "ports", "events", "vpn", "health", "server", "routes",
	}},
	{"Live channel", []string{"live"}},
	{"Promises", []string{"security", "reliability", "bench"}},
	{"Develop", []string{"developing", "licences"}},
}

// otherFiles are served below "/docs/" beside the pages, with their content types.
var otherFiles = map[string]string{
	"docs.css":    "text/css; charset=utf-8",
	"docs.js":     "text/javascript; charset=utf-8",
	"nginx.conf":  "text/plain; charset=utf-8",
	"caddy.conf":  "text/plain; charset=utf-8",
	"apache.conf": "text/plain; charset=utf-8",
}

// Document is a file of the documentation as it is served.
type Document struct {
	Type string // its content type
	Text []byte
}

// Docs returns everything below "/docs/" by its name there. The page at "/docs/" itself has the name "". A
// line {{NAME}} of the Markdown becomes the table of that name, whose first row is its head.
func Docs(tables map[string][][]string) (map[string]Document, error) {
	all := map[string]Document{}
	for name, kind := range otherFiles {
		text, err := docs.ReadFile("docs/" + name)
		if err != nil {
			return nil, fmt.Errorf("reading the documentation: %w", err)
		}
		all[name] = Document{kind, text}
	}
	frame, err := docs.ReadFile("docs/page.html")
	if err != nil {
		return nil, fmt.Errorf("reading the frame of the documentation: %w", err)
	}
	pages, err := readPages(tables)
	if err != nil {
		return nil, err
	}
	for name, page := range pages {
		text := fill(string(frame), map[string]markup{
			"Title": escaped(page.title), "Sections": page.sections(), "Body": page.body, "Chapters": navigation(pages, name),
		})
		all[strings.TrimPrefix(name, "index")] = Document{"text/html; charset=utf-8", text}
	}
	return all, nil
}

// page is a page of the documentation.
type page struct {
	title string
	body  markup
}

// readPages reads every page and puts its tables in.
func readPages(tables map[string][][]string) (map[string]page, error) {
	text, err := licences()
	if err != nil {
		return nil, err
	}
	inserts := []string{"<!--licences-->", "<pre><code>" + string(escaped(text)) + "</code></pre>"}
	for name, rows := range tables {
		inserts = append(inserts, "<!--"+name+"-->", string(tableOf(rows)))
	}
	insert := strings.NewReplacer(inserts...)
	pages := map[string]page{}
	for _, c := range chapters {
		for _, name := range c.pages {
			source, err := rendered.ReadFile("pages/" + name + ".html")
			if err != nil {
				return nil, fmt.Errorf("reading the documentation: %w", err)
			}
			title, body, _ := strings.Cut(string(source), "\n")
			pages[name] = page{title, markup(insert.Replace(body))} // our own text, without raw HTML
		}
	}
	return pages, nil
}

// tableOf returns a table whose first row is its head. What stands between backquotes is code.
func tableOf(rows [][]string) markup {
	var b strings.Builder
	b.WriteString("<table>\n")
	for i, row := range rows {
		kind := "td"
		if i == 0 {
			kind = "th"
			b.WriteString("<thead>\n")
		}
		b.WriteString("<tr>\n")
		for _, cell := range row {
			fmt.Fprintf(&b, "<%s>%s</%s>\n", kind, code.ReplaceAllString(string(escaped(cell)), "<code>$1</code>"), kind)
		}
		b.WriteString("</tr>\n")
		if i == 0 {
			b.WriteString("</thead>\n<tbody>\n")
		}
	}
	b.WriteString("</tbody>\n</table>")
	return markup(b.String())
}

var code = regexp.MustCompile("`([^`]+)`")

var section = regexp.MustCompile(`<h2 id="([^"]+)">(.*)</h2>`)

// sections lists the headings of the second level, where there are many.
func (p page) sections() markup {
	list := section.FindAllStringSubmatch(string(p.body), -1)
	if len(list) <= 3 {
		return ""
	}
	var b strings.Builder
	b.WriteString("      <nav class=\"sections\" aria-label=\"On this page\">\n        <ul>\n")
	for _, m := range list {
		fmt.Fprintf(&b, "          <li><a href=\"#%s\">%s</a></li>\n", m[1], m[2])
	}
	b.WriteString("        </ul>\n      </nav>\n")
	return markup(b.String())
}

// navigation lists all pages, the current one marked.
func navigation(pages map[string]page, current string) markup {
	var b strings.Builder
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n      <h2>%s</h2>\n      <ul>\n", escaped(c.title))
		for _, name := range c.pages {
			to, mark := name, ""
			if name == "index" {
				to = "./"
			}
			if name == current {
				mark = ` aria-current="page"`
			}
			fmt.Fprintf(&b, "        <li><a href=\"%s\"%s>%s</a></li>\n", to, mark, escaped(pages[name].title))
		}
		b.WriteString("      </ul>")
	}
	return markup(b.String())
}
