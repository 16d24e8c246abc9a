package vpn

import (
	"strings"
	"testing"
)

const (
	oldCert = "<cert>\n-----BEGIN CERTIFICATE-----\nold\n-----END CERTIFICATE-----\n</cert>\n"
	oldKey  = "<key>\n-----BEGIN PRIVATE KEY-----\nold\n-----END PRIVATE KEY-----\n</key>\n"
	newKeys = "<cert>\nC\nC\n</cert>\n<key>\nK\nK\n</key>\n"
	ca      = "client\n<ca>\n-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n</ca>\n"
	crypt   = "<tls-crypt>\nstatic\n</tls-crypt>\nremote host 1194 udp"
)

// Whatever marks a configuration lacks, it ends up with one key pair, the new one, and
// loses nothing else.
func TestKeysArePutIn(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"of a portal":           {ca + crypt, ca + newKeys + crypt},
		"renewed":               {ca + oldCert + oldKey + crypt, ca + newKeys + crypt},
		"a final newline stays": {ca + crypt + "\n", ca + newKeys + crypt + "\n"},
		"key before cert":       {ca + oldKey + oldCert + crypt, ca + newKeys + crypt},
		"after the marks":       {ca + crypt + "\n" + oldCert + oldKey, ca + newKeys + crypt + "\n"},
		"keys at the very end":  {ca + crypt + "\n" + oldCert + strings.TrimSuffix(oldKey, "\n"), ca + newKeys + crypt + "\n"},
		"twice":                 {ca + oldCert + oldKey + oldCert + oldKey + crypt, ca + newKeys + crypt},
		"no tls-crypt":          {ca + oldCert + oldKey + "remote host 1194 udp", ca + "remote host 1194 udp\n" + newKeys},
		"no tls-crypt, newline": {ca + "remote host 1194 udp\n", ca + "remote host 1194 udp\n" + newKeys},
		"garbage":               {"garbage", "garbage\n" + newKeys},
		"nothing":               {"", newKeys},
		"no cert":               {ca + oldKey + crypt, ca + newKeys + crypt},
		"no key":                {ca + oldCert + crypt, ca + newKeys + crypt},
		"no end of the cert":    {ca + strings.Replace(oldCert, "</cert>\n", "", 1) + oldKey + crypt, ca + newKeys + crypt},
		"no end of the key":     {ca + oldCert + strings.Replace(oldKey, "</key>\n", "", 1) + "verb 3\n" + crypt, ca + "verb 3\n" + newKeys + crypt},
		"no end and no PEM":     {ca + "<cert>\nverb 3\n" + crypt, ca + "verb 3\n" + newKeys + crypt},
		"no start of the cert":  {ca + strings.Replace(oldCert, "<cert>\n", "", 1) + oldKey + crypt, ca + newKeys + crypt},
		"no start of the key":   {ca + oldCert + strings.Replace(oldKey, "<key>\n", "", 1) + crypt, ca + newKeys + crypt},
		"only an end":           {ca + "</key>\n" + crypt, ca + newKeys + crypt},
		"indented":              {ca + "  <cert>  \nold\n\t</cert>\n" + crypt, ca + newKeys + crypt},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			in, want := strings.ReplaceAll(c.text, "\n", end), strings.ReplaceAll(c.want, "\n", end)
			if end == "\r\n" && !strings.Contains(in, end) {
				continue // nothing tells how its lines end
			}
			if got := withKeys(in, "C\nC\n", "\nK\r\nK"); got != want {
				t.Errorf("%s, lines end in %q:\n got %q\nwant %q", name, end, got, want)
			}
			if again := withKeys(withKeys(in, "other", "other"), "C\nC", "K\nK"); again != want {
				t.Errorf("%s, renewed, lines end in %q:\n got %q\nwant %q", name, end, again, want)
			}
		}
	}
}

// A file of CRLF lines into which somebody put keys with LF is whole again.
func TestMixedLineEndsAreMended(t *testing.T) {
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	got := withKeys(crlf(ca)+oldCert+oldKey+crlf(crypt), "C\nC", "K\nK")
	if want := crlf(ca + newKeys + crypt); got != want {
		t.Errorf(" got %q\nwant %q", got, want)
	}
}

func FuzzKeysArePutIn(f *testing.F) {
	f.Add(ca + oldCert + oldKey + crypt)
	f.Add("<cert>\r\n<key>\n</cert>")
	f.Add("00\r")
	f.Fuzz(func(t *testing.T, text string) {
		got := withKeys(text, "C", "K")
		if !strings.Contains(got, "<cert>") || strings.Count(got, "\n") < 6 {
			t.Fatalf("%q", got)
		}
		if again := withKeys(got, "C", "K"); again != got {
			t.Fatalf("renewed with the same pair:\n got %q\nwant %q", again, got)
		}
	})
}
