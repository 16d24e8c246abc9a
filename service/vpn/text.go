package vpn

import (
	"slices"
	"strings"
)

// withKeys returns an OpenVPN configuration with a key pair in place of the one that it
// has. The pair stands before <tls-crypt>, or at the end where there is none; line ends
// stay those of the text, and what lies around keeps every byte (/docs/vpn#text).
func withKeys(text, certificate, key string) string {
	end := "\n"
	if strings.Contains(text, "\r\n") || strings.HasSuffix(text, "\r") {
		end = "\r\n"
	}
	lines := withoutKeys(strings.SplitAfter(text, "\n"))
	at := slices.IndexFunc(lines, func(line string) bool { return mark(line) == "<tls-crypt>" })
	if at < 0 {
		at = len(lines)
		if last := len(lines) - 1; last >= 0 && lines[last] != "" && !strings.HasSuffix(lines[last], "\n") {
			lines[last] = strings.TrimSuffix(lines[last], "\r") + end
		}
	}
	return strings.Join(slices.Insert(lines, at, inline("cert", certificate, end)+inline("key", key, end)), "")
}

// inline is a file within a configuration.
func inline(name, content, end string) string {
	content = strings.ReplaceAll(strings.TrimSpace(content), "\r\n", "\n")
	return "<" + name + ">" + end + strings.ReplaceAll(content, "\n", end) + end + "</" + name + ">" + end
}

// mark is a line without what is around it.
func mark(line string) string { return strings.TrimSpace(line) }

// withoutKeys leaves out the certificates and keys of a client, also those that lack the
// mark of their beginning or of their end.
func withoutKeys(lines []string) []string {
	var kept []string
	for i := 0; i < len(lines); {
		switch mark(lines[i]) {
		case "<cert>", "<key>":
			i = afterBlock(lines, i)
			continue
		case "</cert>", "</key>":
			kept = withoutPEM(kept)
		default:
			kept = append(kept, lines[i])
		}
		i++
	}
	return kept
}

// afterBlock returns where the text goes on after a block that begins at i: behind the
// mark of its end, or, when there is none before the next mark, behind its last line of
// PEM.
func afterBlock(lines []string, i int) int {
	closing := strings.Replace(mark(lines[i]), "<", "</", 1)
	after := i + 1
	for j := i + 1; j < len(lines); j++ {
		switch m := mark(lines[j]); {
		case m == closing:
			return j + 1
		case strings.HasPrefix(m, "<"):
			return after
		case strings.HasPrefix(m, "-----END "):
			after = j + 1
		}
	}
	return after
}

// withoutPEM takes off the PEM at the end of what is kept.
func withoutPEM(kept []string) []string {
	if len(kept) == 0 || !strings.HasPrefix(mark(kept[len(kept)-1]), "-----END ") {
		return kept
	}
	for i := len(kept) - 1; i >= 0 && !strings.HasPrefix(mark(kept[i]), "<"); i-- {
		if strings.HasPrefix(mark(kept[i]), "-----BEGIN ") {
			return kept[:i]
		}
	}
	return kept
}
