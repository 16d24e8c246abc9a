package handlers

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// TestAdvisory_U7_WhoseAddressIsKnown: limits and locks by address need to know it, and
// behind a proxy that nobody listed everybody has the same.
func TestAdvisory_U7_WhoseAddressIsKnown(t *testing.T) {
	s := &Server{opt: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}}
	for _, c := range []struct {
		name, peer, header, value string
		network                   string // "" where it is not known
	}{
		{"a client", "192.0.2.1:9", "", "", "192.0.2.1/32"},
		{"IPv4 within IPv6", "[::ffff:192.0.2.1]:9", "", "", "192.0.2.1/32"},
		{"one of the many that a machine with IPv6 has", "[2001:db8:1:2:3:4:5:6]:9", "", "", "2001:db8:1:2::/64"},
		{"an address of one link", "[fe80::1%eth0]:9", "", "", "fe80::/64"},
		{"no address", "@", "", "", ""},
		{"a proxy that nobody listed", "192.0.2.1:9", "X-Forwarded-For", "198.51.100.7", ""},
		{"one that says it otherwise", "192.0.2.1:9", "Forwarded", "for=198.51.100.7", ""},
		{"one that says the scheme only", "127.0.0.1:9", "X-Forwarded-Proto", "https", ""},
		{"a trusted proxy", "10.0.0.1:9", "X-Forwarded-For", "198.51.100.7", "198.51.100.7/32"},
		{"two of them", "10.0.0.1:9", "X-Forwarded-For", "198.51.100.7, 10.0.0.2", "198.51.100.7/32"},
		{"one that repeats a lie", "10.0.0.1:9", "X-Forwarded-For", "10.0.0.9, 198.51.100.7", "198.51.100.7/32"},
		{"one that adds the port", "10.0.0.1:9", "X-Forwarded-For", "198.51.100.7:4711", "198.51.100.7/32"},
		{"one that adds the port to IPv6", "[fd00::1]:9", "X-Forwarded-For", "[2001:db8::5]:4711", "2001:db8::/64"},
		{"one that says nothing legible", "10.0.0.1:9", "X-Forwarded-For", "unknown", ""},
		{"one that says it where nobody reads", "10.0.0.1:9", "X-Real-Ip", "198.51.100.7", ""},
		{"a client on its machine", "10.0.0.1:9", "", "", "10.0.0.1/32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			if c.header != "" {
				r.Header.Set(c.header, c.value)
			}
			got := s.clientOf(r)
			if want := c.network; got.Known != (want != "") || got.Known && got.network().String() != want || !got.Known && got.network().IsValid() {
				t.Errorf("%+v with the network %s, want %q", got, got.network(), want)
			}
		})
	}
}
