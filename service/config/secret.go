package config

import "fmt"

// masked stands for a secret wherever one would be printed.
const masked = "***"

// Secret is text that prints as ***, in fmt, JSON and YAML alike (/docs/security#u8).
type Secret string

// Reveal returns the text itself; call it only where the secret is used.
func (s Secret) Reveal() string { return string(s) }

// String hides the text; an empty secret prints as nothing.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// MarshalText hides the text from JSON and other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML hides the text from YAML.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
