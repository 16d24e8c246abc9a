package core

import "vserver/service/fault"

// fitsEncryption checks that a text has the form that its collaboration asks for:
// the encrypted form in an encrypted one, any other form in a plain one. Nothing
// and the empty text fit both. What the text says is never looked at
// (/docs/tasks#forms, /docs/security#t12).
func fitsEncryption(what string, text *Text, encrypted bool) error {
	switch {
	case text == nil || text.bytes == 0 || text.encrypted == encrypted:
		return nil
	case encrypted:
		return fault.New(fault.Invalid, "The %s is not encrypted, but the collaboration is", what)
	}
	return fault.New(fault.Invalid, "The %s is encrypted, but the collaboration is not", what)
}
