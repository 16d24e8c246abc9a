package config

import (
	"net/url"
	"regexp"
	"strings"
)

var passwordOption = regexp.MustCompile(`[?&](?:ssl)?password=([^&]*)`)

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
	options := start + max(at, 0)
	for _, found := range passwordOption.FindAllStringSubmatchIndex(uri[options:], -1) {
		spans = append(spans, [2]int{options + found[2], options + found[3]})
	}
	return spans
}

// userinfo splits user:password@ off the part behind the scheme: user ends at the
// first offset, the @ stands at the second, which is -1 when there is none. As in
// SQLAlchemy a password may hold / and ?; unlike there also @, when what follows
// would otherwise be no host.
func userinfo(rest string) (user, at int) {
	at = strings.IndexByte(rest, '@')
	if at < 0 {
		return 0, -1
	}
	user = at
	if colon := strings.IndexByte(rest[:at], ':'); colon >= 0 {
		user = colon
	}
	if strings.ContainsAny(rest[:user], "/?") {
		return 0, -1
	}
	host, _, _ := strings.Cut(rest[at+1:], "/")
	host, _, _ = strings.Cut(host, "?")
	if further := strings.LastIndexByte(host, '@'); further >= 0 {
		at += 1 + further
	}
	return user, at
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

// unescaped decodes percent signs; text with stray ones is meant as it stands.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
