package cli

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	"vserver/service/config"
	"vserver/service/core"
)

// item is a question of the wizard, with the option that answers it beforehand.
type item struct {
	flag string
	key  string // of the configuration, which judges the answer; none for questions about whole blocks
	q    question
	file bool // the option names a file that holds the answer: a secret is no option
	when func(answers) bool
}

// answers are those of the wizard, by the options of their questions.
type answers map[string]string

// levels in the order of the reference.
var logLevels = []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NOTSET"}

// The options that other questions depend on.
const (
	flagIP       = "ip"
	flagPort     = "port"
	flagJWT      = "jwt-secret"
	flagTwo      = "two-factor-auth"
	flagVPN      = "vpn"
	flagRabbit   = "rabbitmq"
	flagPassword = "root-password-file"
)

// items are the questions of contract 40 §5, in its order; the last one is this
// server's own.
func items() []item {
	vpn := func(a answers) bool { return a[flagVPN] == yes }
	all := []item{
		{flag: "description", key: "description", q: question{title: "Enter a human-readable description:"}},
		{flag: flagIP, key: "ip", q: question{title: "ip:", standard: "0.0.0.0"}},
		{flag: flagPort, key: "port", q: question{title: "Enter port to which the server listens:", standard: "5000"}},
		{flag: "api-path", key: "api_path", q: question{title: "Path of the api:", standard: "/api"}},
		{flag: "uri", key: "uri", q: question{title: "Database URI:", standard: "sqlite:///default.sqlite"}},
		{flag: "allow-drop-all", key: "allow_drop_all", q: question{
			title: "Allowed to drop all tables:", standard: "True", options: words("True", "False")}},
		{flag: flagJWT, q: question{title: "Do you want a constant JWT secret?", standard: yes, confirm: true,
			note: "Without one everybody has to log in again after each start."}},
		{flag: "log-level", key: "logging.level", q: question{
			title: "Which level of logging would you like?", standard: "DEBUG", options: words(logLevels...)}},
		{flag: flagTwo, q: question{title: "Do you want to enforce two-factor authentication?", standard: yes, confirm: true}},
		{flag: flagVPN, q: question{title: "Do you want to add a VPN server?", standard: no, confirm: true}},
		{flag: "vpn-url", key: "vpn_server.url", q: question{title: "VPN server URL:"}},
		{flag: "vpn-portal-username", key: "vpn_server.portal_username", q: question{title: "VPN portal username:"}},
		{flag: "vpn-portal-password-file", file: true, key: "vpn_server.portal_userpass", q: question{title: "VPN portal password:", hidden: true}},
		{flag: "vpn-client-username", key: "vpn_server.client_id", q: question{title: "VPN client username:"}},
		{flag: "vpn-client-password-file", file: true, key: "vpn_server.client_secret", q: question{title: "VPN client password:", hidden: true}},
		{flag: "vpn-redirect-url", key: "vpn_server.redirect_url", q: question{title: "Redirect url (should be local address of UI):", standard: "http://localhost"}},
		{flag: flagRabbit, q: question{title: "Do you want to add a RabbitMQ message queue?", standard: yes, confirm: true,
			note: "This server needs none. An address is kept in the file for the reference."}},
		{flag: "rabbitmq-uri", key: "rabbitmq_uri", q: question{title: "Enter the URI for your RabbitMQ:"},
			when: func(a answers) bool { return a[flagRabbit] == yes }},
		{flag: flagPassword, file: true, q: question{title: "Password of the first user, root:", hidden: true, check: checkRootPassword,
			note: "Leave it empty for the well-known root, which then gets in from this machine only."}},
	}
	for i := range all {
		if strings.HasPrefix(all[i].flag, flagVPN+"-") {
			all[i].when = vpn
		}
		if key := all[i].key; key != "" && len(all[i].q.options) == 0 {
			all[i].q.check = func(answer string) error { return config.CheckAnswer(key, answer) }
		}
	}
	return all
}

func checkRootPassword(password string) error {
	if password == "" {
		return nil
	}
	return core.CheckPasswordPolicy(password)
}

// block is the environment that the answers describe, as it stands in the file
// (contract 40 §4.1 and §5).
func (a answers) block(name string, origins []string) map[string]any {
	logging := map[string]any{
		"file": name + ".log", "use_console": true, "backup_count": 5, "max_size": 1024,
		"format":  "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s",
		"datefmt": "%Y-%m-%d %H:%M:%S",
	}
	block := map[string]any{
		"logging":              logging,
		"cors_allowed_origins": append([]string{a.ownOrigin()}, origins...),
	}
	for _, i := range items() {
		outer, inner, nested := strings.Cut(i.key, ".")
		switch answer, given := a[i.flag]; {
		case !given || i.key == "" || i.flag == "rabbitmq-uri" && answer == "":
		case outer == "logging":
			logging[inner] = answer
		case nested:
			within, _ := block[outer].(map[string]any)
			if within == nil {
				within = map[string]any{}
				block[outer] = within
			}
			within[inner] = answer
		default:
			block[i.key] = answer
		}
	}
	if a[flagJWT] == yes {
		block["jwt_secret_key"] = newSecret()
	}
	if a[flagTwo] == yes {
		block["two_factor_auth"] = true
	}
	return block
}

// ownOrigin is where web pages of the server itself come from. One that listens on
// every address is called by this machine's.
func (a answers) ownOrigin() string {
	host := a[flagIP]
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return fmt.Sprintf("http://%s", net.JoinHostPort(host, a[flagPort]))
}

// newSecret is a key of 256 random bits.
func newSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return base64.RawURLEncoding.EncodeToString(key)
}
