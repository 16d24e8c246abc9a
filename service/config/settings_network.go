package config

import (
	"net/netip"
	"net/url"
	"strings"
)

// origins reads `cors_allowed_origins`. Without the key every origin may read, as
// before, which is worth a warning (SECURITY T14).
func (b *block) origins() Origins {
	e, items := b.list("cors_allowed_origins")
	if e.node == nil {
		b.r.warn(b.line, b.key("cors_allowed_origins"), "is absent: web pages of any origin may read answers; list the origins of your web UIs")
		return Origins{Any: true}
	}
	var o Origins
	for _, item := range items {
		if item.node.Value == "*" {
			b.r.warn(item.line, b.key("cors_allowed_origins"), "is *: web pages of any origin may read answers; list the origins of your web UIs")
			return Origins{Any: true}
		}
		origin, ok := originOf(item.node.Value)
		if !ok {
			b.bad("cors_allowed_origins", item, "must be * or origins such as https://portal.example.org, without path")
			continue
		}
		o.List = append(o.List, origin)
	}
	return o
}

// originOf writes an origin as browsers do: lower case, no default port.
func originOf(text string) (string, bool) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", false
	}
	return scheme + "://" + strings.TrimSuffix(host, ":"), true
}

// proxies reads `trusted_proxies`: addresses and networks (SECURITY U7).
func (b *block) proxies() []netip.Prefix {
	_, items := b.list("trusted_proxies")
	var all []netip.Prefix
	for _, item := range items {
		text := strings.TrimSpace(item.node.Value)
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			all = append(all, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
		} else if network, err := netip.ParsePrefix(text); err == nil {
			all = append(all, network.Masked())
		} else {
			b.bad("trusted_proxies", item, "must be addresses or networks such as 10.0.0.1 or 10.0.0.0/8")
		}
	}
	return all
}

// tls reads the pair of certificate and key; both or neither.
func (b *block) tls() *TLS {
	sub := b.block("tls")
	if sub == nil {
		return nil
	}
	t := TLS{Cert: sub.beside("cert"), Key: sub.beside("key")}
	for _, half := range []struct{ name, value string }{{"cert", t.Cert}, {"key", t.Key}} {
		if half.value == "" {
			b.r.fault(sub.line, sub.key(half.name), "is missing: HTTPS needs the files of a certificate and its key")
		}
	}
	sub.unknown()
	return &t
}

// metrics reads the address of the metrics listener, loopback unless told otherwise.
func (b *block) metrics() *Metrics {
	sub := b.block("metrics")
	if sub == nil {
		return nil
	}
	m := Metrics{IP: sub.host("ip", "127.0.0.1"), Port: sub.whole("port", noDefault, 0, 65535)}
	if main, err := wholeNumber(b.entries["port"].node); err == nil && m.Port != 0 && main == m.Port {
		b.r.fault(sub.entries["port"].line, sub.key("port"), "is the port of the server itself; metrics need their own")
	}
	sub.unknown()
	return &m
}

// ui reads the switch of the web UI: true, false, or the block of newer releases
// with its key `enabled`.
func (b *block) ui() bool {
	e, ok := b.given("ui")
	if !ok {
		return true
	}
	if sub := b.r.mapping(b.key("ui"), e.line, e.node); sub != nil {
		return sub.flag("enabled", true)
	}
	return b.flag("ui", true)
}

// mail defaults of the reference (contract 10 §6.8).
const (
	defaultMailServer = "localhost"
	defaultMailPort   = 1025
)

func (b *block) smtp() SMTP {
	mail := SMTP{Server: defaultMailServer, Port: defaultMailPort, Username: defaultAddress, UseTLS: true}
	sub := b.block("smtp")
	if sub == nil {
		return mail
	}
	mail = SMTP{
		Configured: true,
		Server:     sub.text("server", defaultMailServer),
		Port:       sub.whole("port", defaultMailPort, 1, 65535),
		Username:   sub.text("username", defaultAddress),
		Password:   sub.secret("password"),
		UseTLS:     sub.flag("MAIL_USE_TLS", true),
		UseSSL:     sub.flag("MAIL_USE_SSL", false),
	}
	mail.UseTLS = mail.UseTLS && !mail.UseSSL
	sub.ask("email_token_validity_minutes")
	sub.unknown()
	return mail
}
