package core

import (
	"strings"

	"vserver/service/fault"
)

// fitsEncryption checks that a text has the form that its collaboration asks for:
// the encrypted form in an encrypted one, any other form in a plain one. Nothing
// and the empty text fit both. What the text says is never looked at
// (/docs/tasks#forms, /docs/security#t12).
func fitsEncryption(what string, text *Opaque, encrypted bool) error {
	switch {
	case text == nil || *text == "" || isEncrypted(string(*text)) == encrypted:
		return nil
	case encrypted:
		return fault.New(fault.Invalid, "The %s is not encrypted, but the collaboration is", what)
	}
	return fault.New(fault.Invalid, "The %s is encrypted, but the collaboration is not", what)
}

// isEncrypted reports whether a text has the encrypted form: key, initial vector and
// payload in base64, joined by `$`. Only the payload may be empty.
func isEncrypted(text string) bool {
	key, rest, ok := strings.Cut(text, "$")
	if !ok || key == "" || !isBase64(key) {
		return false
	}
	iv, payload, ok := strings.Cut(rest, "$")
	return ok && iv != "" && isBase64(iv) && isBase64(payload)
}

// isBase64 reports whether a text is standard base64 with its padding.
func isBase64(text string) bool {
	if len(text)%4 != 0 {
		return false
	}
	if body, padded := strings.CutSuffix(text, "="); padded {
		text = strings.TrimSuffix(body, "=")
	}
	for i := range len(text) {
		c := text[i]
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && c != '+' && c != '/' {
			return false
		}
	}
	return true
}
