package config

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"vserver/service/yaml"
)

// Origins says which web origins may read answers (/docs/security#t14). The server's
// own origin always counts as listed, which only the listener can judge.
type Origins struct {
	Any  bool     // the key is absent or holds "*"
	List []string // scheme://host[:port], lower case, default port left out
}

// TLS names the files of a certificate and its key, absolute or relative to the
// working directory.
type TLS struct {
	Cert string
	Key  string
}

// Metrics is the address of the Prometheus listener.
type Metrics struct {
	IP   string
	Port int
}

func networkSettings() []Setting {
	return []Setting{
		{
			Key: "cors_allowed_origins", Active: true, Sample: "- https://portal.example.org",
			Help: "Web origins whose pages may read answers and open sockets; * for all. The\nserver's own pages always may.",
			at:   func(c *Config) any { return &c.CORSAllowedOrigins }, read: origins, show: showOrigins,
		},
		{
			Key: "public_url", Sample: "https://vserver.example.org",
			Help: "Where people reach this server, when that is another name than this machine's,\nas behind a proxy; a list for several. Pages of it are the server's own,\nand mails lead to the first.",
			Question: &Question{
				Option: "public-url", Title: "Address at which people reach the server:", Own: true,
				Note: "As https://vserver.example.org. Leave it empty where they use the name of this machine.",
			},
			at: func(c *Config) any { return &c.PublicURL }, read: publicURLs, show: func(c *Config) any { return append([]string{}, c.PublicURL...) },
		},
		{
			Key: "trusted_proxies", Sample: "- 127.0.0.1\n- 10.0.0.0/8",
			Help: "Proxies in front of this server whose word about a client's address counts.",
			at:   func(c *Config) any { return &c.TrustedProxies }, read: proxies,
		},
		{
			Key:  "tls",
			Help: "HTTPS without a proxy. The files are read again when they change; a relative\npath starts at this file.",
			at:   func(c *Config) any { return optional(&c.TLS) },
		},
		{Key: "tls.cert", Sample: "fullchain.pem", at: func(c *Config) any { return &c.TLS.Cert }, check: beside},
		{Key: "tls.key", Sample: "privkey.pem", at: func(c *Config) any { return &c.TLS.Key }, check: beside, then: bothFiles},
		{
			Key:  "metrics",
			Help: "Figures for Prometheus, on a port of their own.",
			at:   func(c *Config) any { return optional(&c.Metrics) },
		},
		{Key: "metrics.ip", Default: "127.0.0.1", at: func(c *Config) any { return &c.Metrics.IP }, check: host},
		{Key: "metrics.port", Required: true, Most: 65535, Sample: "9100", at: func(c *Config) any { return &c.Metrics.Port }, then: ownPort},
		{Key: "ui", Default: true, Help: "The web interface at the root of the server.", at: func(c *Config) any { return &c.UI }, read: ui},
	}
}

// longestHostname is in bytes.
const longestHostname = 254

var hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$`)

var endsInNumber = regexp.MustCompile(`(?i)(^|\.)([0-9]+|0x[0-9a-f]*)\.?$`)

// host judges an address to bind: IPv4, IPv6 with or without brackets, or a name.
func host(_, value string) (taken, must string) {
	if inner, ok := strings.CutPrefix(value, "["); ok {
		value = strings.TrimSuffix(inner, "]")
	}
	// What ends in a number is no name, so nobody looks for it as one.
	if _, err := netip.ParseAddr(value); err == nil || len(value) <= longestHostname && hostname.MatchString(value) && !endsInNumber.MatchString(value) {
		return value, ""
	}
	return "", "must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1"
}

// beside takes a path; a relative one starts at the configuration file, so that it does
// not depend on where a command is run.
func beside(file, value string) (taken, must string) {
	if value == "" || filepath.IsAbs(value) {
		return value, ""
	}
	return filepath.Join(filepath.Dir(file), value), ""
}

// origins reads `cors_allowed_origins`. Without the key every origin may read, as
// before, which is worth a warning (/docs/security#t14).
func origins(b *yaml.Block, name string, c *Config) {
	if _, given := b.Given(name); !given {
		b.Note(name, "is absent: web pages of any origin may read answers; list the origins of your web UIs")
		c.CORSAllowedOrigins = Origins{Any: true}
		return
	}
	for _, item := range oneOrMore(b, name) {
		if item.Text() == "*" {
			b.Warn(item.Line, b.Key(name), "is *: web pages of any origin may read answers; list the origins of your web UIs")
			c.CORSAllowedOrigins = Origins{Any: true}
			return
		}
		origin, ok := originOf(item.Text())
		if !ok {
			wrongAddress(b, name, item, "must be * or origins such as https://portal.example.org, without path")
			continue
		}
		c.CORSAllowedOrigins.List = append(c.CORSAllowedOrigins.List, origin)
	}
}

func showOrigins(c *Config) any {
	if c.CORSAllowedOrigins.Any {
		return []string{"*"}
	}
	return append([]string{}, c.CORSAllowedOrigins.List...)
}

// originOf writes an origin as browsers do: lower case, no default port.
func originOf(text string) (string, bool) {
	u, ok := addressOf(text)
	return u.String(), ok && u.Path == ""
}

// addressOf reads the address of a server, and takes off what says nothing: a slash at
// the end, the default port, capitals in scheme and host.
func addressOf(text string) (url.URL, bool) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return url.URL{}, false
	}
	port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme] // which url.Parse has in lower case
	if port == "" {
		return url.URL{}, false
	}
	u.Host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(u.Host), port), ":")
	return *u, true
}

// wrongAddress is a fault that shows the value, unless a password may be in it.
func wrongAddress(b *yaml.Block, name string, item yaml.Value, must string) {
	if strings.Contains(item.Text(), "@") {
		b.Fault(item.Line, b.Key(name), "%s, and hold neither user nor password", must)
		return
	}
	b.Bad(name, item, must)
}

// publicURLs reads `public_url`.
func publicURLs(b *yaml.Block, name string, c *Config) {
	for _, item := range oneOrMore(b, name) {
		u, ok := addressOf(item.Text())
		_, badHost := host("", u.Hostname())
		if _, badPath := apiPath("", u.Path); !ok || badHost+badPath != "" {
			wrongAddress(b, name, item, "must be an address such as https://vserver.example.org")
			continue
		}
		c.PublicURL = append(c.PublicURL, u.String())
	}
}

// proxies reads `trusted_proxies`: addresses and networks (/docs/security#u7).
func proxies(b *yaml.Block, name string, c *Config) {
	for _, item := range oneOrMore(b, name) {
		text := strings.TrimSpace(item.Text())
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			c.TrustedProxies = append(c.TrustedProxies, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
		} else if network, err := netip.ParsePrefix(text); err == nil {
			c.TrustedProxies = append(c.TrustedProxies, network.Masked())
		} else {
			b.Bad(name, item, "must be addresses or networks such as 10.0.0.1 or 10.0.0.0/8")
		}
	}
}

// bothFiles wants certificate and key, not one of them.
func bothFiles(b *yaml.Block, _ string, c *Config) {
	for _, half := range []struct{ name, value string }{{"cert", c.TLS.Cert}, {"key", c.TLS.Key}} {
		if half.value == "" {
			b.Fault(b.Line, b.Key(half.name), "is missing: HTTPS needs the files of a certificate and its key")
		}
	}
}

// ownPort wants another port for the figures than the server's own.
func ownPort(b *yaml.Block, name string, c *Config) {
	if c.Metrics.Port != 0 && c.Metrics.Port == c.Port {
		b.Refuse(name, "is the port of the server itself; metrics need their own")
	}
}

// ui reads the switch of the web UI: true, false, or the block of newer releases
// with its key `enabled`.
func ui(b *yaml.Block, name string, c *Config) {
	v, _ := b.Ask(name)
	if sub := b.Block(b.Key(name), v); sub != nil {
		c.UI = sub.Flag("enabled", true)
		return
	}
	c.UI = b.Flag(name, true)
}
