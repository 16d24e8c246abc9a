package mail

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"vserver/service/config"
)

// login is the log-in at a mail server: the first way of a fixed order that the server
// offers and has not refused yet.
type login struct {
	user, password string
	server         string
	refused        []string
	last           string // the way that is tried
	more           bool   // the server offers others
	smtp.Auth
}

func newLogin(s config.SMTP) *login {
	return &login{user: s.Username, password: s.Password.Reveal(), server: s.Server}
}

// wanted reports whether there is anything to log in with.
func (l *login) wanted() bool { return l.user != "" && l.password != "" }

var errNoLogin = errors.New("the server offers no way to log in that is known here")

// ways are the names of the ways to log in with a password, in the order in which they are
// tried: the simple ones, which every server has that checks passwords at all, come first.
// NTLM is none of them.
func (l *login) ways() map[string]smtp.Auth {
	return map[string]smtp.Auth{
		"PLAIN":         smtp.PlainAuth("", l.user, l.password, l.server, true),
		"LOGIN":         smtp.LoginAuth(l.user, l.password, l.server, true),
		"SCRAM-SHA-256": smtp.ScramSHA256Auth(l.user, l.password),
		"SCRAM-SHA-1":   smtp.ScramSHA1Auth(l.user, l.password),
		"CRAM-MD5":      smtp.CRAMMD5Auth(l.user, l.password),
	}
}

var (
	securedOrder = []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}
	// openOrder is for connections that others may read: there the password itself is sent
	// only when nothing else is offered.
	openOrder = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
)

// Start chooses the way.
func (l *login) Start(server *smtp.ServerInfo) (way string, first []byte, err error) {
	order := openOrder
	if server.TLS {
		order = securedOrder
	}
	offered := func(name string) bool {
		return slices.ContainsFunc(server.Auth, func(o string) bool { return strings.EqualFold(o, name) })
	}
	if !slices.ContainsFunc(order, offered) && server.TLS && len(server.Auth) == 0 {
		// Some servers offer it in a way that is not known any more.
		offered = func(name string) bool { return name == "PLAIN" || name == "LOGIN" }
	}
	left := slices.DeleteFunc(slices.Clone(order), func(name string) bool { return !offered(name) || slices.Contains(l.refused, name) })
	if len(left) == 0 {
		l.last = ""
		return "", nil, fmt.Errorf("%w: %s", errNoLogin, strings.Join(server.Auth, " "))
	}
	l.last, l.more, l.Auth = left[0], len(left) > 1, l.ways()[left[0]]
	return l.Auth.Start(server)
}

// another reports whether a failure was a way refused, so that the next one may be tried.
func (l *login) another(f *Failure) bool {
	if l.last == "" || !l.more || f.Step != loggingIn || !refusal(f.Err) {
		return false
	}
	l.refused = append(l.refused, l.last)
	return true
}
