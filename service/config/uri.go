package config

import (
	"regexp"
	"strconv"
	"strings"
)

// passwordSpans finds the passwords of a URI as byte offsets, in order: the one of
// scheme://user:password@host and those among the options behind the question mark.
func passwordSpans(uri string) [][2]int {
	scheme := strings.Index(uri, "://")
	if scheme < 0 {
		return nil
	}
	var spans [][2]int
	start := scheme + len("://")
	user, at := userinfo(uri[start:])
	if at > user {
		spans = append(spans, [2]int{start + user + 1, start + at})
	}
	from := start + max(at, 0)
	options := strings.IndexByte(uri[from:], '?')
	if options < 0 {
		return spans
	}
	for from += options + 1; from <= len(uri); {
		pair, _, _ := strings.Cut(uri[from:], "&")
		key, value, _ := strings.Cut(pair, "=")
		if key = optionText(key); (key == "password" || key == "sslpassword") && value != "" {
			spans = append(spans, [2]int{from + len(pair) - len(value), from + len(pair)})
		}
		from += len(pair) + 1
	}
	return spans
}

// userinfo splits user:password@ off the part behind the scheme: user ends at the
// first offset, the @ stands at the second, which is -1 when there is none. As in
// SQLAlchemy a user may hold @ and a password / and ?; unlike there a password may hold
// @ too, when what follows would otherwise be no host, no name of a database or no options.
func userinfo(rest string) (user, at int) {
	at = strings.IndexByte(rest, '@')
	if at < 0 {
		return 0, -1
	}
	user = strings.IndexByte(rest, ':')
	if user > at {
		// Either the user has an @, or this is the port behind the host.
		if further := strings.IndexByte(rest[user:], '@'); further >= 0 && !portFirst.MatchString(rest[user+1:]) {
			at = user + further
		}
	}
	if user < 0 || user > at {
		before := rest
		if end := strings.IndexAny(rest, ":/?"); end >= 0 {
			before = rest[:end]
		}
		user = strings.LastIndexByte(before, '@')
		return max(user, 0), user
	}
	if strings.ContainsAny(rest[:user], "/?") {
		return 0, -1
	}
	for {
		further := furtherAt(rest[at+1:])
		if further < 0 {
			return user, at
		}
		at += 1 + further
	}
}

// portFirst is a port, with what stands behind the hosts of a URI.
var portFirst = regexp.MustCompile(`^[0-9]*[/?,]`)

// furtherAt returns the offset of an @ that shows that the one before it belongs to the
// password; -1 for none.
func furtherAt(rest string) int {
	before, options, _ := strings.Cut(rest, "?")
	host, name, _ := strings.Cut(before, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		return at
	}
	// A database may have an @ in its name, but hardly a whole host and name behind it.
	if at := strings.LastIndexByte(name, '@'); at >= 0 && strings.Contains(name[at:], "/") {
		return len(host) + 1 + at
	}
	if at := strings.IndexByte(options, '@'); at >= 0 && !strings.Contains(options[:at], "=") {
		return len(before) + 1 + at
	}
	return -1
}

func passwordsIn(uri string) []string {
	var all []string
	for _, span := range passwordSpans(uri) {
		all = append(all, uri[span[0]:span[1]])
	}
	return all
}

// maskURI shows a URI with *** for each password.
func maskURI(uri string) string {
	text, from := "", 0
	for _, span := range passwordSpans(uri) {
		text += uri[from:span[0]] + masked
		from = span[1]
	}
	return text + uri[from:]
}

// unescaped decodes percent signs as Python does: one that no two hexadecimal digits
// follow stays.
func unescaped(text string) string {
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if char, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				plain.WriteByte(byte(char))
				i += 2
				continue
			}
		}
		plain.WriteByte(text[i])
	}
	return plain.String()
}

// optionText decodes what stands behind the question mark, where a + is a blank.
func optionText(text string) string { return unescaped(strings.ReplaceAll(text, "+", " ")) }
