package mail

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"

	"golang.org/x/net/idna"
)

// errAddress is the fault of what is no address of one mailbox.
var errAddress = errors.New("is not the address of one mailbox")

// ParseAddress reads the address of exactly one mailbox, without a name, and returns it as
// mail servers have it: a domain with other letters than ASCII becomes xn--… .
func ParseAddress(text string) (string, error) {
	a, err := netmail.ParseAddress(text)
	if err != nil || a.Name != "" || a.Address != text {
		return "", errAddress
	}
	local, domain, _ := cutLast(text, "@")
	domain, err = idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("%w: its domain is none: %w", errAddress, err)
	}
	return local + "@" + domain, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// isASCII reports whether a text can be sent to any mail server.
func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 127 }) < 0
}
