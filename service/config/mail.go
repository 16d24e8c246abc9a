package config

import (
	"cmp"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"

	"vserver/service/yaml"
)

// SMTP is the block `smtp` (/docs/configuration#keys).
type SMTP struct {
	Configured bool // the file has the block
	Server     string
	Port       int
	Username   string // log-in name, and sender address when it is one
	Password   Secret // log in only when not empty
	From       string // sender address; empty: Username
	TLS        string // auto, starttls, implicit or none
	CA         string // file of authorities beside the machine's; empty for none
	UseTLS     bool   // STARTTLS; false when UseSSL is set
	UseSSL     bool   // TLS from the first byte
}

// The ways to keep a connection to a mail server from others.
const (
	AutoTLS     = "auto"
	StartTLS    = "starttls"
	ImplicitTLS = "implicit"
	NoTLS       = "none"
)

// portOfTLS is where mail servers speak TLS from the first byte.
const portOfTLS = 465

// Security is how the connection to the mail server is kept from others: what tls says, or
// else what the port or the two older keys mean.
func (s SMTP) Security() string {
	switch {
	case s.TLS != AutoTLS && s.TLS != "":
		return s.TLS
	case s.Port == portOfTLS, s.UseSSL:
		return ImplicitTLS
	case s.UseTLS:
		return StartTLS
	}
	return NoTLS
}

// DefaultAddress is sender and support address when the file names none.
const DefaultAddress = "support@vantage6.ai"

// Sender is the address that mails come from: smtp.from, or the first of smtp.username and
// support_email that is an address.
func (c Config) Sender() string {
	if c.SMTP.From != "" {
		return c.SMTP.From
	}
	for _, address := range []string{c.SMTP.Username, c.SupportEmail} {
		if _, must := mailbox("", address); must == "" {
			return address
		}
	}
	return DefaultAddress
}

// mailbox judges an address of one mailbox.
func mailbox(_, value string) (taken, must string) {
	if a, err := mail.ParseAddress(value); err != nil || a.Name != "" || a.Address != value {
		return "", "must be the address of one mailbox, such as vserver@example.org"
	}
	return value, ""
}

// mailSettings have the defaults of the reference (/docs/configuration#keys).
func mailSettings() []Setting {
	return []Setting{
		{
			Key: "email_token_validity_minutes", Default: 60, Unit: time.Minute,
			Help: "How long a mailed token may be used.",
			at:   func(c *Config) any { return &c.EmailTokenLife }, read: emailTokenLife,
		},
		{
			Key:  "smtp",
			Help: "Mail server for messages such as a forgotten password; without it no mail is sent.",
			at: func(c *Config) any {
				return part{there: c.SMTP.Configured, begin: func() { c.SMTP.Configured = true }, filled: true}
			},
		},
		{Key: "smtp.server", Default: "localhost", Sample: "mail.example.org", at: func(c *Config) any { return &c.SMTP.Server }},
		{Key: "smtp.port", Default: 1025, Least: 1, Most: 65535, Sample: "587", at: func(c *Config) any { return &c.SMTP.Port }},
		{
			Key: "smtp.username", Default: DefaultAddress, Sample: "vserver@example.org",
			Help: "Name and password to log in with; nobody logs in while one of them is empty.",
			at:   func(c *Config) any { return &c.SMTP.Username },
		},
		{Key: "smtp.password", Sample: "change-this", at: func(c *Config) any { return &c.SMTP.Password }},
		{
			Key: "smtp.from", Sample: "vserver@example.org", check: mailboxOrNone,
			Help: "Address that mails come from; by default username, or support_email where that is\nno address.",
			at:   func(c *Config) any { return &c.SMTP.From },
		},
		{
			Key: "smtp.tls", Default: AutoTLS, check: wayOfTLS,
			Help: "How the connection is secured: starttls, implicit (TLS from the first byte) or none.\nauto means implicit on port 465, and else what MAIL_USE_TLS (STARTTLS) and\nMAIL_USE_SSL (from the first byte) say.",
			at:   func(c *Config) any { return &c.SMTP.TLS },
		},
		{
			Key: "smtp.ca", Sample: "mail-ca.pem", check: beside,
			Help: "File of certificates to trust beside those of the machine; a relative path starts\nat this file.",
			at:   func(c *Config) any { return &c.SMTP.CA },
		},
		{Key: "smtp.MAIL_USE_TLS", Default: true, at: func(c *Config) any { return &c.SMTP.UseTLS }},
		{Key: "smtp.MAIL_USE_SSL", Default: false, at: func(c *Config) any { return &c.SMTP.UseSSL }, then: oneEncryption},
		{Key: "smtp.email_token_validity_minutes", Hidden: true, Unit: time.Minute, at: func(c *Config) any { return &c.EmailTokenLife }, read: emailTokenLifeInSMTP},
		{
			Key: "support_email", Sample: "support@example.org",
			Help: "Address shown to users who need help; by default the mail user name.",
			at:   func(c *Config) any { return &c.SupportEmail }, then: supportEmail,
		},
	}
}

func mailboxOrNone(file, value string) (taken, must string) {
	if value == "" {
		return "", ""
	}
	return mailbox(file, value)
}

func wayOfTLS(_, value string) (taken, must string) {
	word := strings.ToLower(value)
	if !slices.Contains([]string{AutoTLS, StartTLS, ImplicitTLS, NoTLS}, word) {
		return AutoTLS, "must be auto, starttls, implicit or none"
	}
	return word, ""
}

func oneEncryption(_ *yaml.Block, _ string, c *Config) {
	c.SMTP.UseTLS = c.SMTP.UseTLS && !c.SMTP.UseSSL
}

// supportEmail comes last of the settings about mail, so it looks at all of them.
func supportEmail(b *yaml.Block, _ string, c *Config) {
	c.SupportEmail = cmp.Or(c.SupportEmail, c.SMTP.Username, DefaultAddress)
	if c.SMTP.Configured {
		doubtMail(b, c)
	}
}

// doubtMail warns of what keeps mails from arriving.
func doubtMail(b *yaml.Block, c *Config) {
	s := c.SMTP
	if c.Sender() == DefaultAddress && s.From == "" {
		b.Note("smtp", "names no sender: mails come from %s, which mail servers may refuse; set smtp.from", DefaultAddress)
	}
	secret := s.Username != "" && s.Password != ""
	switch way := s.Security(); {
	case s.Port == sinkPort && way == StartTLS:
		b.Note("smtp", "has port %d, where test servers without TLS listen: to such a one no mail goes out unless smtp.tls is none", sinkPort)
	case way == NoTLS && secret && !isLoopback(s.Server):
		b.Note("smtp", "sends password and tokens to %s without TLS: others may read them; set smtp.tls", s.Server)
	}
	if s.Password != "" && s.Username == "" {
		b.Note("smtp", "has a password and no username: nobody logs in at the mail server")
	}
}

// sinkPort is the default of the reference, on which programs listen that only show mails.
const sinkPort = 1025

func isLoopback(server string) bool {
	ip, err := netip.ParseAddr(server)
	return strings.EqualFold(server, "localhost") || err == nil && ip.IsLoopback()
}

const defaultEmailLife = time.Hour

func emailTokenLife(b *yaml.Block, name string, c *Config) {
	v, given := b.Given(name)
	if !given {
		return // smtp may hold it
	}
	minutes, ok := v.Decimal()
	c.EmailTokenLife = time.Duration(min(minutes, float64(maxMinutes)) * float64(time.Minute))
	if !ok || c.EmailTokenLife <= 0 {
		b.Bad(name, v, "must be a positive number of minutes")
		c.EmailTokenLife = defaultEmailLife
	}
}

// emailTokenLifeInSMTP reads the only place where the reference looked
// (/docs/configuration#keys), unless the environment itself has the key.
func emailTokenLifeInSMTP(b *yaml.Block, name string, c *Config) {
	if b.Ask(name); c.EmailTokenLife == 0 {
		emailTokenLife(b, name, c)
	}
	c.EmailTokenLife = cmp.Or(c.EmailTokenLife, defaultEmailLife)
}
