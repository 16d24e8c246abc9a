package core

import (
	"strings"
	"unicode"

	"vserver/service/fault"
)

// LooksLikeID reports whether a name could be taken for an id: nothing but digits of
// any script (/docs/security#t05).
func LooksLikeID(name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && strings.TrimFunc(name, unicode.IsDigit) == ""
}

// TextLooksLikeID is why such a name is refused.
const TextLooksLikeID = "must not consist of digits only, it could be taken for an id"

// checkNewName checks the new name of a row. What is stored may stay, however it came
// there: clients send all fields back.
func checkNewName(field string, stored, sent *string) error {
	if sent == nil || stored != nil && *stored == *sent || !LooksLikeID(*sent) {
		return nil
	}
	return fault.New(fault.Invalid, "%s: %s", field, TextLooksLikeID)
}
