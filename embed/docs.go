package embed

import (
	"embed"
	"fmt"
	"html/template"
)

//go:embed docs
var docs embed.FS

// Example is a configuration of another program, ready to be copied.
type Example struct {
	Name string // of the program
	File string // below "/docs/"
	Text string
}

// Docs gives the page for "/docs/", to be executed with the examples, and the
// examples, which are also served alone.
func Docs() (*template.Template, []Example, error) {
	page, err := template.ParseFS(docs, "docs/index.html")
	if err != nil {
		return nil, nil, fmt.Errorf("reading the documentation: %w", err)
	}
	examples := []Example{
		{Name: "nginx", File: "nginx.conf"}, {Name: "Caddy", File: "caddy.conf"}, {Name: "Apache", File: "apache.conf"},
	}
	for i := range examples {
		text, err := docs.ReadFile("docs/" + examples[i].File)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the documentation: %w", err)
		}
		examples[i].Text = string(text)
	}
	return page, examples, nil
}
