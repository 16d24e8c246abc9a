package cli

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/terminal"
)

// item is a question of the wizard, with the option that answers it beforehand.
type item struct {
	flag string
	key  string // of the configuration, which judges the answer; none for questions about whole blocks
	q    terminal.Question
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
	vpn := func(a answers) bool { return a[flagVPN] == terminal.Yes }
	all := []item{
		{flag: "description", key: "description", q: terminal.Question{Title: "Enter a human-readable description:"}},
		{flag: flagIP, key: "ip", q: terminal.Question{Title: "ip:", Standard: "0.0.0.0"}},
		{flag: flagPort, key: "port", q: terminal.Question{Title: "Enter port to which the server listens:", Standard: "5000"}},
		{flag: "api-path", key: "api_path", q: terminal.Question{Title: "Path of the api:", Standard: "/api"}},
		{flag: "uri", key: "uri", q: terminal.Question{Title: "Database URI:", Standard: "sqlite:///default.sqlite"}},
		{flag: "allow-drop-all", key: "allow_drop_all", q: terminal.Question{
			Title: "Allowed to drop all tables:", Standard: "True", Options: terminal.Words("True", "False")}},
		{flag: flagJWT, q: terminal.Question{Title: "Do you want a constant JWT secret?", Standard: terminal.Yes, Confirm: true,
			Note: "Without one everybody has to log in again after each start."}},
		{flag: "log-level", key: "logging.level", q: terminal.Question{
			Title: "Which level of logging would you like?", Standard: "DEBUG", Options: terminal.Words(logLevels...)}},
		{flag: flagTwo, q: terminal.Question{Title: "Do you want to enforce two-factor authentication?", Standard: terminal.Yes, Confirm: true}},
		{flag: flagVPN, q: terminal.Question{Title: "Do you want to add a VPN server?", Standard: terminal.No, Confirm: true}},
		{flag: "vpn-url", key: "vpn_server.url", q: terminal.Question{Title: "VPN server URL:"}},
		{flag: "vpn-portal-username", key: "vpn_server.portal_username", q: terminal.Question{Title: "VPN portal username:"}},
		{flag: "vpn-portal-password-file", file: true, key: "vpn_server.portal_userpass", q: terminal.Question{Title: "VPN portal password:", Hidden: true}},
		{flag: "vpn-client-username", key: "vpn_server.client_id", q: terminal.Question{Title: "VPN client username:"}},
		{flag: "vpn-client-password-file", file: true, key: "vpn_server.client_secret", q: terminal.Question{Title: "VPN client password:", Hidden: true}},
		{flag: "vpn-redirect-url", key: "vpn_server.redirect_url", q: terminal.Question{Title: "Redirect url (should be local address of UI):", Standard: "http://localhost"}},
		{flag: flagRabbit, q: terminal.Question{Title: "Do you want to add a RabbitMQ message queue?", Standard: terminal.Yes, Confirm: true,
			Note: "This server needs none. An address is kept in the file for the reference."}},
		{flag: "rabbitmq-uri", key: "rabbitmq_uri", q: terminal.Question{Title: "Enter the URI for your RabbitMQ:"},
			when: func(a answers) bool { return a[flagRabbit] == terminal.Yes }},
		{flag: flagPassword, file: true, q: terminal.Question{Title: "Password of the first user, root:", Hidden: true, Check: checkRootPassword,
			Note: "Leave it empty for the well-known root, which then gets in from this machine only."}},
	}
	for i := range all {
		if strings.HasPrefix(all[i].flag, flagVPN+"-") {
			all[i].when = vpn
		}
		if key := all[i].key; key != "" && len(all[i].q.Options) == 0 {
			all[i].q.Check = func(answer string) error { return config.CheckAnswer(key, answer) }
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
	if a[flagJWT] == terminal.Yes {
		block["jwt_secret_key"] = newSecret()
	}
	if a[flagTwo] == terminal.Yes {
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
