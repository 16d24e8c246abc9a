package embed

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openAPI []byte

//go:embed apidocs
var viewer embed.FS

// ViewerPolicy is the Content-Security-Policy of the page at "/apidocs/": StartPolicy, and
// the icons that stand within the viewer's own style (/docs/security#t15).
const ViewerPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Description is the OpenAPI document in its two forms.
type Description struct {
	YAML, JSON []byte
}

// usualServer is where the document says that the API is, as its file has it.
const usualServer = "\nservers:\n  - url: /api\n"

// OpenAPI returns the description of the REST API for an API path: "/api", or "" for the
// root.
func OpenAPI(apiPath string) (Description, error) {
	if apiPath == "" {
		apiPath = "/"
	}
	quoted, err := json.Marshal(apiPath) // which is YAML as well
	if err != nil {
		return Description{}, fmt.Errorf("quoting the API path: %w", err)
	}
	d := Description{YAML: bytes.Replace(openAPI, []byte(usualServer), fmt.Appendf(nil, "\nservers:\n  - url: %s\n", quoted), 1)}
	var all map[string]any
	if err := yaml.Unmarshal(d.YAML, &all); err != nil {
		return d, fmt.Errorf("reading the description of the API: %w", err)
	}
	if d.JSON, err = json.Marshal(all); err != nil {
		return d, fmt.Errorf("encoding the description of the API: %w", err)
	}
	return d, nil
}

// Viewer returns the page at "/apidocs/", which is index.html, and the files that it needs.
func Viewer() (fs.FS, error) {
	files, err := fs.Sub(viewer, "apidocs")
	if err != nil {
		return nil, fmt.Errorf("opening the viewer of the API: %w", err)
	}
	return files, nil
}
