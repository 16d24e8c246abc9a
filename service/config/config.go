// Package config is the configuration of one server instance: the YAML file with
// its environments, every key with its type, default and limits, the locations where
// files live on each operating system, and the writing of a new file. It reads
// files and the environment look-up it is handed, and nothing else; it imports no
// other package of the program. Every fault names file, line and key.
package config

import (
	"net/netip"
	"time"
)

// Config is one environment of a configuration file, checked and with defaults
// filled in (contract 40 §6.2). It is passed down by value or pointer and never
// changed after loading.
type Config struct {
	File        string // path of the file it was read from
	Environment string // block that was chosen: application, prod, acc, test or dev

	Description  string
	Type         string // prod, acc, test, dev or empty; only test has an effect (longer tokens)
	IP           string // address or host name to bind
	Port         int    // 0 to 65535, 0 lets the system choose
	APIPath      string // prefix of all REST routes: empty, or "/…" without trailing slash
	URI          Secret // database URI as written or from VANTAGE6_DB_URI; see ParseDatabase
	AllowDropAll bool

	JWTSecretKey       Secret // HS256 key, used as bytes; never empty
	JWTSecretGenerated bool   // the file had no key: tokens die with this process
	RootPassword       Secret // first password of root, from the environment; empty when not given

	Logging Logging
	SMTP    SMTP

	SupportEmail       string        // shown in mails
	EmailTokenLife     time.Duration // life of mailed recovery tokens
	AccessTokenLife    time.Duration // contract 10 §2.3; one day when Type is test
	RefreshTokenLife   time.Duration // of users; those of nodes do not expire
	TwoFactorAuth      bool
	PasswordPolicy     PasswordPolicy
	VPN                *VPN   // nil: the VPN endpoints answer 501
	RabbitMQURI        Secret // accepted, not needed
	Image              string // accepted, not needed
	Images             map[string]string
	Directories        Directories
	CORSAllowedOrigins Origins
	TrustedProxies     []netip.Prefix // peers whose forwarding headers count
	TLS                *TLS           // nil: plain HTTP
	Metrics            *Metrics       // nil: no metrics listener
	UI                 bool           // web UI served at /
	Debug              map[string]bool
}

// Logging is the block `logging` (contract 40 §8).
type Logging struct {
	Level       string // DEBUG, INFO, WARNING, ERROR, CRITICAL or NOTSET (everything)
	File        string // name under the log directory, or absolute; empty for the default name
	UseConsole  bool
	BackupCount int    // old files kept; 0 for no rotation
	MaxSize     int    // kB: a file never passes 1024 × MaxSize bytes; 0 for no rotation
	Format      string // Python percent format, or the word json
	DateFormat  string // strftime; empty for `2026-11-23 08:49:01,096`
	Loggers     []LoggerLevel
}

// LoggerLevel limits one named logger, an entry of `logging.loggers`.
type LoggerLevel struct {
	Name  string
	Level string // one of the words of Logging.Level
}

// SMTP is the block `smtp` (contract 10 §6.8).
type SMTP struct {
	Configured bool // the file has the block
	Server     string
	Port       int
	Username   string // log-in name and sender address
	Password   Secret // log in only when not empty
	UseTLS     bool   // STARTTLS; false when UseSSL is set
	UseSSL     bool   // TLS from the first byte
}

// PasswordPolicy is the lock-out after failed log-ins (contract 10 §5.3).
type PasswordPolicy struct {
	MaxFailedAttempts int
	Inactivation      time.Duration
}

// VPN is the block `vpn_server`. A block with a gap is kept, since the endpoints
// then answer 500 and not 501 (contract 20 on GET vpn); see Complete.
type VPN struct {
	URL            string
	RedirectURL    string
	ClientID       string
	ClientSecret   Secret
	PortalUsername string
	PortalUserpass Secret
}

// Complete tells whether all six keys have a value.
func (v VPN) Complete() bool {
	return v.URL != "" && v.RedirectURL != "" && v.ClientID != "" &&
		v.ClientSecret != "" && v.PortalUsername != "" && v.PortalUserpass != ""
}

// Directories replaces the standard directories; empty means standard.
type Directories struct {
	Log  string
	Data string
}

// Origins says which web origins may read answers (SECURITY T14). The server's own
// origin always counts as listed, which only the listener can judge.
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
