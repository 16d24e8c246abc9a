// Package config is the configuration of one server instance: the YAML file with
// its environments, one table of all settings, the locations where files lie on each
// operating system, and the writing of a new file. It reads files and the environment
// look-up it is handed, and nothing else; of the program it imports yaml, and private for
// the files that it writes. Every fault names file, line and key.
//
// A setting is a field and a row beside it (see Setting), in the file of its block.
//
// It is large because there are many settings, with what is explained, judged and warned of
// for each.
package config

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"vserver/service/yaml"
)

// What is found in a configuration.
type (
	Fault   = yaml.Fault
	Faults  = yaml.Faults
	Warning = yaml.Warning
)

// Config is one environment of a configuration file, checked and with defaults
// filled in (/docs/configuration#keys). It is passed down by value or pointer and never
// changed after loading.
type Config struct {
	File        string // path of the file it was read from
	Environment string // block that was chosen: application, prod, acc, test or dev

	Description  string
	Type         string // prod, acc, test, dev or empty; only test has an effect (longer tokens)
	IP           string // address or host name to bind
	Port         int    // 0 to 65535, 0 lets the system choose
	APIPath      string // prefix of all REST routes: empty, or "/…" without trailing slash
	URI          Secret // database URI as written or from VANTAGE6_DB_URI; see Locations.Database
	AllowDropAll bool

	JWTSecretKey       Secret // HS256 key, used as bytes; never empty
	JWTSecretGenerated bool   // the file had no key: tokens die with this process
	RootPassword       Secret // first password of root, from the environment; empty when not given

	Logging Logging
	SMTP    SMTP

	SupportEmail       string        // shown in mails
	EmailTokenLife     time.Duration // life of mailed recovery tokens
	AccessTokenLife    time.Duration // /docs/tokens#lives; one day when Type is test
	RefreshTokenLife   time.Duration // of users; those of nodes do not expire
	TwoFactorAuth      bool
	SecretKey          Secret // seals second factors in the database, used as bytes; empty when not given
	SecretKeyFile      string // absolute path of a file that holds it instead; empty when not given
	PasswordPolicy     PasswordPolicy
	VPN                *VPN   // nil: the VPN endpoints answer 501
	RabbitMQURI        Secret // accepted, not needed
	Directories        Directories
	CORSAllowedOrigins Origins
	PublicURL          []string       // where people reach the server: scheme://host[:port][/path], as Origins.List
	TrustedProxies     []netip.Prefix // peers whose forwarding headers count
	TLS                *TLS           // nil: plain HTTP
	Metrics            *Metrics       // nil: no metrics listener
	Limits             Limits
	UI                 bool   // web UI served at /
	Takeover           string // TakeoverAuto or TakeoverAsk
	Sync               string // SyncAny or SyncRequired
	Pooler             string // PoolerSession or PoolerTransaction; empty: it is noticed
	URIListen          Secret // leads to PostgreSQL past every pooler; empty: URI does
}

func serverSettings() []Setting {
	return []Setting{
		{
			Key: "description", Required: true, Sample: "Federated learning network of the north",
			Help:     "What this server is for, in your own words.",
			Question: ask("description", "Enter a human-readable description:", ""), at: func(c *Config) any { return &c.Description },
		},
		{
			Key: "type", Sample: "prod",
			Help: "Kind of environment: dev, test, acc or prod. Only test has an effect: access\ntokens of users and nodes then last one day.",
			at:   func(c *Config) any { return &c.Type }, then: checkType,
		},
		{
			Key: "ip", Required: true, Sample: "127.0.0.1",
			Help:     "Where to listen. 0.0.0.0 means every interface, 127.0.0.1 only this machine.",
			Question: ask("ip", "ip:", "0.0.0.0"), at: func(c *Config) any { return &c.IP }, check: host,
		},
		{Key: "port", Required: true, Most: 65535, Sample: "5000", Question: ask("port", "Enter port to which the server listens:", "5000"), at: func(c *Config) any { return &c.Port }},
		{
			Key: "api_path", Required: true, Sample: "/api",
			Help:     "What every REST address starts with: empty for the root, or a path like /api.\nBehind a reverse proxy it includes the proxy's own path.",
			Question: ask("api-path", "Path of the api:", "/api"), at: func(c *Config) any { return &c.APIPath }, check: apiPath,
		},
		{
			Key: "uri", Required: true, URI: true, Variable: "VANTAGE6_DB_URI", Sample: "sqlite:///default.sqlite",
			Help: `The database, one of
  sqlite:///NAME.sqlite                       a file in the data directory
  sqlite:////srv/NAME.sqlite                  a file anywhere
  postgresql://USER:PASSWORD@HOST:PORT/NAME   PostgreSQL
Special characters in a password are written as %XX. The environment variable
VANTAGE6_DB_URI comes before this key.`,
			Question: ask("uri", "Database URI:", "sqlite:///default.sqlite"), at: func(c *Config) any { return &c.URI }, check: databaseURI,
		},
		{
			Key: "allow_drop_all", Required: true, Default: false,
			Help:     "Whether `vserver import --drop-all` may wipe the database. Never on a server\nwith data that matters.",
			Question: ask("allow-drop-all", "Allowed to drop all tables:", "True"), at: func(c *Config) any { return &c.AllowDropAll }, then: dropInProd,
		},
		{
			Key: "jwt_secret_key", Variable: "VSERVER_JWT_SECRET_KEY", Sample: sampleKeys[0],
			Help: `Signs the tokens of users and nodes: at least 32 random bytes, for example from
  openssl rand -hex 32
Without it a key is made at each start and everyone has to log in again. The
variables VSERVER_JWT_SECRET_KEY or VSERVER_JWT_SECRET_KEY_FILE come before it.`,
			Question: &Question{
				Option: "jwt-secret", Title: "Do you want a constant JWT secret?", Standard: "yes",
				Note: "Without one everybody has to log in again after each start.",
			},
			at: func(c *Config) any { return &c.JWTSecretKey }, then: checkKey, show: showKey,
		},
		{
			Key: "token_expires_hours", Default: 6, Unit: time.Hour,
			Help: "Lives of the tokens of users, in hours: at least 0.5, and the second longer than\nthe first. Nodes refresh theirs for as long as they are known.",
			at:   func(c *Config) any { return &c.AccessTokenLife }, read: accessLife,
		},
		{Key: "refresh_token_expires_hours", Default: 48, Unit: time.Hour, at: func(c *Config) any { return &c.RefreshTokenLife }, read: refreshLife},
	}
}

// dropInProd warns of a right setting in the wrong place.
func dropInProd(b *yaml.Block, name string, c *Config) {
	if c.AllowDropAll && c.Environment == "prod" {
		b.Note(name, "is on in environment prod: one import can remove all data")
	}
}

// checkType warns of words that have no effect, as they had none in the reference.
func checkType(b *yaml.Block, name string, c *Config) {
	if c.Type != "" && !slices.Contains(EnvironmentNames[:4], c.Type) {
		b.Note(name, "%s is none of prod, acc, test, dev and has no effect", yaml.Shown(c.Type))
	}
}

var apiPathForm = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// apiPath judges the prefix of the REST routes; empty means the root.
func apiPath(_, value string) (taken, must string) {
	if value == "" || apiPathForm.MatchString(value) && path.Clean(value) == value && value != "/socket.io" {
		return value, ""
	}
	better := "/" + strings.Trim(value, "/")
	must = "must be empty for the root, or begin with / and not end with it, such as /api"
	switch {
	case better == "/":
		must += "; write '' for the root"
	case better != value && apiPathForm.MatchString(better):
		must += "; write " + better
	case value == "/socket.io":
		must = "belongs to the sockets; choose another path, such as /api"
	}
	return "", must
}

func databaseURI(_, value string) (taken, must string) {
	if _, err := (Locations{GOOS: runtime.GOOS}).Database(Secret(value), ""); err != nil {
		return value, err.Error()
	}
	return value, ""
}

// shortestKey is the least length in bytes of a key for HS256 (/docs/security#t21).
const shortestKey = 32

// sampleKeys stand in published examples, so that anyone can sign with them; the first
// one in that of `vserver config example`.
var sampleKeys = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"super-secret-key!", "super-secret-key", "super-secret-password", "super-secret", "secret", "secret-key",
	"my-secret-key", "your-secret-key", "jwt_secret_key", "jwt-secret-key", "changeme", "change-me",
}

// checkKey generates a missing key and warns of a weak one (/docs/security#t21).
func checkKey(b *yaml.Block, name string, c *Config) {
	switch given := strings.ToLower(c.JWTSecretKey.Reveal()); {
	case given == "":
		c.JWTSecretGenerated = true
		var random [shortestKey]byte
		_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
		c.JWTSecretKey = Secret(hex.EncodeToString(random[:]))
		b.Note(name, "is absent: a random key is made at each start, which ends all earlier tokens")
	case slices.Contains(sampleKeys, given):
		b.Note(name, "is a published sample: anyone can make tokens with it; replace it")
	case len(given) < shortestKey:
		b.Note(name, "has %d bytes; a key of at least %d random bytes is safe", len(given), shortestKey)
	}
}

func showKey(c *Config) any {
	if c.JWTSecretGenerated {
		return "generated at each start"
	}
	return c.JWTSecretKey.String()
}

// Lives of tokens (/docs/tokens#lives).
const (
	defaultAccessLife  = 6 * time.Hour
	testAccessLife     = 24 * time.Hour
	defaultRefreshLife = 48 * time.Hour
	shortestAccessLife = 30 * time.Minute
	longestLife        = 100 * 365 * 24 * time.Hour
	maxMinutes         = int(longestLife / time.Minute)
)

func accessLife(b *yaml.Block, name string, c *Config) {
	c.AccessTokenLife = hours(b, name, defaultAccessLife, shortestAccessLife)
	if c.Type == "test" {
		c.AccessTokenLife = testAccessLife
	}
}

func refreshLife(b *yaml.Block, name string, c *Config) {
	c.RefreshTokenLife = hours(b, name, defaultRefreshLife, c.AccessTokenLife+time.Second)
}

// hours reads a life. A value out of its limits draws a warning and means the default,
// as in the reference.
func hours(b *yaml.Block, name string, byDefault, least time.Duration) time.Duration {
	v, given := b.Given(name)
	if !given {
		return byDefault
	}
	if n, ok := v.Decimal(); ok && n <= longestLife.Hours() {
		if life := time.Duration(n * float64(time.Hour)); life >= least {
			return life
		}
	}
	b.Note(name, "%s is not used, %g hours apply instead: must be a number of at least %.4g",
		yaml.Shown(v.Text()), byDefault.Hours(), least.Hours())
	return byDefault
}

// PasswordPolicy is the lock-out after failed log-ins (/docs/tokens#lock).
type PasswordPolicy struct {
	MaxFailedAttempts int
	Inactivation      time.Duration
}

func accountSettings() []Setting {
	return []Setting{
		{
			Key: "two_factor_auth", Default: false,
			Help: "Whether every user has to log in with a code of an authenticator as well.",
			Question: &Question{
				Option: "two-factor-auth", Title: "Do you want to enforce two-factor authentication?", Standard: "yes", Unasked: "no",
				Note: "Every user then scans a QR code at the first log-in, root too.",
			},
			at: func(c *Config) any { return &c.TwoFactorAuth },
		},
		{
			Key:  "password_policy",
			Help: "Lock an account for some minutes after this many failed log-ins in a row from\none address; after ten times as many from anywhere, as a whole.",
			at:   always,
		},
		{Key: "password_policy.max_failed_attempts", Default: 5, Least: 1, at: func(c *Config) any { return &c.PasswordPolicy.MaxFailedAttempts }},
		{Key: "password_policy.inactivation_minutes", Default: 15, Least: 1, Most: maxMinutes, Unit: time.Minute, at: func(c *Config) any { return &c.PasswordPolicy.Inactivation }},
	}
}

// Directories replaces the standard directories; empty means standard.
type Directories struct {
	Log  string
	Data string
}

func otherSettings() []Setting {
	return []Setting{
		{
			Key: "takeover", Default: TakeoverAuto, check: takeoverWord,
			Help: "What a start does when uri leads to the database of a vantage6 3.x server: auto\ntakes it over and keeps the old one beside it, ask refuses with the command to type.",
			at:   func(c *Config) any { return &c.Takeover },
		},
		{
			Key:  "directories",
			Help: "Where to keep data and logs instead of the standard directories, which\n`vserver files` shows; a relative path starts at this file.",
			at:   always,
		},
		{Key: "directories.data", Sample: "/srv/vserver", at: func(c *Config) any { return &c.Directories.Data }, check: beside},
		{Key: "directories.log", Sample: "/var/log/vserver", at: func(c *Config) any { return &c.Directories.Log }, check: beside},
		{
			Key: "rabbitmq_uri", URI: true, Sample: "amqp://user:password@localhost:5672/vhost",
			Help: "Keys of other servers of this protocol that have no effect here. Several\nservers on one PostgreSQL need no message queue.",
			Question: &Question{
				Option: "rabbitmq-uri", Title: "Enter the URI for your RabbitMQ:",
				First: &Question{
					Option: "rabbitmq", Title: "Do you want to add a RabbitMQ message queue?", Standard: "yes",
					Note: "This server needs none. An address is kept in the file for the reference.",
				},
			},
			at: func(c *Config) any { return &c.RabbitMQURI },
		},
		{Key: "image", Sample: "example.org/server:1"},
		{Key: "images", Sample: "{server: example.org/server:1}"},
		{Key: "debug", Sample: "{socketio: false}"},
		{
			Variable: "VSERVER_ROOT_PASSWORD",
			Help:     "Password of the first user, root, which the first start makes.",
			Question: &Question{
				Option: "root-password-file", Title: "Password of the first user, root:", Own: true,
				Note: "Leave it empty for the well-known root, which then gets in from this machine only, and from anywhere with --environment dev or test.",
			},
			at: func(c *Config) any { return &c.RootPassword },
		},
	}
}

// What a start does with the database of a 3.x server (/docs/takeover#start).
const (
	TakeoverAuto = "auto"
	TakeoverAsk  = "ask"
)

func takeoverWord(_, word string) (taken, must string) {
	switch taken = strings.ToLower(word); taken {
	case TakeoverAuto, TakeoverAsk:
		return taken, ""
	}
	return "", "must be auto or ask"
}

// String is one line for a person, without secrets.
func (c Config) String() string {
	return fmt.Sprintf("%s, environment %s: %s:%d%s, database %s, log level %s",
		c.File, c.Environment, c.IP, c.Port, c.APIPath, maskURI(c.URI.Reveal()), c.Logging.Level)
}

// GoString keeps %#v as safe as String.
func (c Config) GoString() string { return "config.Config{" + c.String() + "}" }
