package shell

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"vserver/queries"
)

// legible writes what the shell says. Stored texts must not steer a terminal, nor look like
// others: whatever names must not have is written as its escape (/docs/shell#legible).
type legible struct{ to io.Writer }

// Write writes a text.
func (l legible) Write(text []byte) (int, error) {
	if _, err := io.WriteString(l.to, escaped(string(text))); err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	return len(text), nil
}

// escaped writes control characters but tabs and ends of lines, overrides of direction and
// bytes that are no characters as repr does.
func escaped(text string) string {
	if strings.IndexFunc(text, steers) < 0 && utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		at, half := queries.Opaque(text[:min(3, len(text))]).NextHalf()
		switch {
		case at == 0:
			n = 3
			fmt.Fprintf(&out, `\u%04x`, half)
		case r == utf8.RuneError && n == 1, steers(r) && r < 0x80 && !strings.HasPrefix(text, "\r\n"):
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case steers(r) && r >= 0x80:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteString(text[:n])
		}
		text = text[n:]
	}
	return out.String()
}

// steers reports whether a character is for a terminal and not for a reader.
func steers(r rune) bool {
	override := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	return override || unicode.IsControl(r) && r != '\n' && r != '\t'
}
