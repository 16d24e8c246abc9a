package embed

import (
	"embed"
	"fmt"
	"io/fs"
)

// Names that begin with a dot or an underscore belong to it as well.
//
//go:embed all:dist
var built embed.FS

// UIPage is what the page of the web interface tells its script. The ways are relative, so
// that a proxy may put the server below any path, and end with a slash but that of the API.
type UIPage struct {
	Root    string // the way to where the interface begins: "./" or "../" and so on
	Server  string // the way to the root of the server
	API     string // the way to the API: "./api"
	Version string // of this program
	Nonce   string // of the answer; style elements carry it
}

// UIPolicy is the Content-Security-Policy of the page of the web interface: StartPolicy,
// style elements that carry the nonce of this one answer, and pictures that it draws itself
// (/docs/security#t15).
func UIPolicy(nonce string) string {
	return "default-src 'none'; style-src 'self' 'nonce-" + nonce + "'; img-src 'self' data: blob:; script-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// On returns the page of the web interface, as UI has it, in HTML.
func (u UIPage) On(page string) []byte {
	return fill(page, map[string]markup{
		"Root": escaped(u.Root), "Server": escaped(u.Server), "API": escaped(u.API), "Version": escaped(u.Version), "Nonce": escaped(u.Nonce),
	})
}

// UI returns the page of the web interface, to be filled by a UIPage, and the files to
// serve below "assets/". Their names change with their contents.
func UI() (page string, assets fs.FS, err error) {
	if assets, err = fs.Sub(built, "dist/assets"); err != nil {
		return "", nil, fmt.Errorf("opening the files of the web interface: %w", err)
	}
	text, err := built.ReadFile("dist/index.html")
	if err != nil {
		return "", nil, fmt.Errorf("reading the page of the web interface: %w", err)
	}
	return string(text), assets, nil
}

// licences are the texts of the packages that the web interface is built of.
func licences() (string, error) {
	text, err := built.ReadFile("dist/licences.txt")
	if err != nil {
		return "", fmt.Errorf("reading the licences: %w", err)
	}
	return string(text), nil
}
