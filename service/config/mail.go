package config

import (
	"cmp"
	"time"

	"vserver/service/yaml"
)

// SMTP is the block `smtp` (/docs/configuration#keys).
type SMTP struct {
	Configured bool // the file has the block
	Server     string
	Port       int
	Username   string // log-in name and sender address
	Password   Secret // log in only when not empty
	UseTLS     bool   // STARTTLS; false when UseSSL is set
	UseSSL     bool   // TLS from the first byte
}

// defaultAddress is sender and support address when the file names none.
const defaultAddress = "support@vantage6.ai"

const noMail = "this release sends no mail"

// mailSettings have the defaults of the reference (/docs/configuration#keys).
func mailSettings() []Setting {
	return []Setting{
		{
			Key: "email_token_validity_minutes", Default: 60, Unit: time.Minute,
			Help: "How long a mailed token may be used.", NotYet: noMail,
			at: func(c *Config) any { return &c.EmailTokenLife }, read: emailTokenLife,
		},
		{
			Key: "smtp", NotYet: noMail,
			Help: "Mail server for messages such as a forgotten password. The user name is also the\nsender. MAIL_USE_TLS upgrades the connection, MAIL_USE_SSL starts encrypted.",
			at: func(c *Config) any {
				return part{there: c.SMTP.Configured, begin: func() { c.SMTP.Configured = true }, filled: true}
			},
		},
		{Key: "smtp.server", Default: "localhost", Sample: "mail.example.org", at: func(c *Config) any { return &c.SMTP.Server }},
		{Key: "smtp.port", Default: 1025, Least: 1, Most: 65535, Sample: "587", at: func(c *Config) any { return &c.SMTP.Port }},
		{Key: "smtp.username", Default: defaultAddress, Sample: "vserver@example.org", at: func(c *Config) any { return &c.SMTP.Username }},
		{Key: "smtp.password", Sample: "change-this", at: func(c *Config) any { return &c.SMTP.Password }},
		{Key: "smtp.MAIL_USE_TLS", Default: true, at: func(c *Config) any { return &c.SMTP.UseTLS }},
		{Key: "smtp.MAIL_USE_SSL", Default: false, at: func(c *Config) any { return &c.SMTP.UseSSL }, then: oneEncryption},
		{Key: "smtp.email_token_validity_minutes", Hidden: true, Unit: time.Minute, at: func(c *Config) any { return &c.EmailTokenLife }, read: emailTokenLifeInSMTP},
		{
			Key: "support_email", Sample: "support@example.org",
			Help: "Address shown to users who need help; by default the mail user name.", NotYet: noMail,
			at: func(c *Config) any { return &c.SupportEmail }, then: supportEmail,
		},
	}
}

func oneEncryption(_ *yaml.Block, _ string, c *Config) {
	c.SMTP.UseTLS = c.SMTP.UseTLS && !c.SMTP.UseSSL
}

func supportEmail(_ *yaml.Block, _ string, c *Config) {
	c.SupportEmail = cmp.Or(c.SupportEmail, c.SMTP.Username, defaultAddress)
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
