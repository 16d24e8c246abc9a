package config

import (
	"fmt"
	"slices"
)

// masked stands for a secret wherever one would be printed.
const masked = "***"

// Secret is text that prints as ***, in fmt, JSON and YAML alike (SECURITY U8).
type Secret string

// Reveal returns the text itself; call it only where the secret is used.
func (s Secret) Reveal() string { return string(s) }

// String hides the text; an empty secret prints as nothing.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// MarshalText hides the text from JSON and other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML hides the text from YAML.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// Redacted returns a copy without any secret: each one is replaced by ***, and the
// database and message queue URIs keep everything but their password.
func (c Config) Redacted() Config {
	c.URI = Secret(maskURI(c.URI.Reveal()))
	c.RabbitMQURI = Secret(maskURI(c.RabbitMQURI.Reveal()))
	c.JWTSecretKey = Secret(c.JWTSecretKey.String())
	c.RootPassword = Secret(c.RootPassword.String())
	c.SMTP.Password = Secret(c.SMTP.Password.String())
	if c.VPN != nil {
		vpn := *c.VPN
		vpn.ClientSecret = Secret(vpn.ClientSecret.String())
		vpn.PortalUserpass = Secret(vpn.PortalUserpass.String())
		c.VPN = &vpn
	}
	return c
}

// String is one line for a person, without secrets.
func (c Config) String() string {
	return fmt.Sprintf("%s, environment %s: %s:%d%s, database %s, log level %s",
		c.File, c.Environment, c.IP, c.Port, c.APIPath, maskURI(c.URI.Reveal()), c.Logging.Level)
}

// GoString keeps %#v as safe as String.
func (c Config) GoString() string { return "config.Config{" + c.String() + "}" }

// Secrets lists every secret text in use, for the log to mask (SECURITY U8):
// passwords within URIs both as written and decoded. Empty ones are left out.
func (c Config) Secrets() []string {
	all := []string{c.JWTSecretKey.Reveal(), c.RootPassword.Reveal(), c.SMTP.Password.Reveal()}
	if c.VPN != nil {
		all = append(all, c.VPN.ClientSecret.Reveal(), c.VPN.PortalUserpass.Reveal())
	}
	for _, uri := range []Secret{c.URI, c.RabbitMQURI} {
		for _, written := range passwordsIn(uri.Reveal()) {
			all = append(all, written, unescaped(written))
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
