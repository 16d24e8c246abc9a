package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail/log"
	"github.com/wneessen/go-mail/smtp"

	"vserver/service/config"
)

// patience is how long a mail server may take.
type patience struct {
	connect time.Duration // until there is a connection
	greet   time.Duration // from there until the log-in is over
	deliver time.Duration // from there until the mail server has the mail
}

// usual waits for servers that hold strangers up, and for those that look into a mail
// before they take it.
var usual = patience{connect: 15 * time.Second, greet: time.Minute, deliver: 3 * time.Minute}

// step is where a conversation with a mail server failed.
type step string

const (
	connecting step = "connecting"
	greeting   step = "greeting"
	securing   step = "TLS"
	loggingIn  step = "log-in"
	sending    step = "sending"
)

// connection is a conversation with a mail server under way. It ends with its context.
type connection struct {
	*smtp.Client
	raw  net.Conn
	stop func() bool
}

// close ends the conversation, politely when the server still listens.
func (c *connection) close() {
	_ = c.UpdateDeadline(time.Second) // it need not answer
	_ = c.Quit()
	c.drop()
}

// drop ends the connection at once; the library leaves it open after some failures.
func (c *connection) drop() {
	c.stop()
	_ = c.raw.Close()
}

// dial connects, secures the connection as the settings have it, and logs in. When the
// server refuses one way to log in, the next one is tried on another connection.
func (s *Sender) dial(ctx context.Context) (*connection, error) {
	login := newLogin(s.smtp)
	for {
		c, f := s.dialOnce(ctx, login)
		switch {
		case f == nil:
			return c, nil
		case !login.another(f):
			return nil, interrupted(ctx, f)
		}
		s.show("The server refused %s: trying another way to log in", login.last)
	}
}

func (s *Sender) dialOnce(ctx context.Context, login *login) (*connection, *Failure) {
	at := net.JoinHostPort(s.smtp.Server, strconv.Itoa(s.smtp.Port))
	s.show("Connecting to %s", at)
	raw, err := (&net.Dialer{Timeout: s.patience.connect}).DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, &Failure{Step: connecting, Err: err}
	}
	c := &connection{raw: raw, stop: context.AfterFunc(ctx, func() { _ = raw.Close() })}
	f := s.greet(ctx, c)
	if f == nil && login.wanted() {
		if err := c.Auth(login); err != nil {
			f = &Failure{Step: loggingIn, Err: err}
		}
	}
	if f != nil {
		c.drop()
		return nil, f
	}
	return c, nil
}

// greet gets a conversation to where a log-in comes: secured as the settings have it.
func (s *Sender) greet(ctx context.Context, c *connection) *Failure {
	if err := c.raw.SetDeadline(time.Now().Add(s.patience.greet)); err != nil {
		return &Failure{Step: connecting, Err: err}
	}
	settings, err := s.tlsSettings()
	if err != nil {
		return &Failure{Step: securing, Err: err}
	}
	stream := c.raw
	if s.smtp.Security() == config.ImplicitTLS {
		secure := tls.Client(c.raw, settings)
		if err := secure.HandshakeContext(ctx); err != nil {
			return &Failure{Step: securing, Err: err, advice: s.tlsAdvice(err)}
		}
		stream = secure
	}
	if c.Client, err = smtp.NewClient(stream, s.smtp.Server); err != nil {
		return &Failure{Step: greeting, Err: err}
	}
	s.listen(c.Client)
	if err := c.Hello(nameFor(c.raw)); err != nil {
		return &Failure{Step: greeting, Err: err}
	}
	if s.smtp.Security() != config.StartTLS {
		return nil
	}
	// Asked for whether it is listed or not: some servers list it in small letters.
	if err := c.StartTLS(settings); err != nil {
		return &Failure{Step: securing, Err: err, advice: s.tlsAdvice(err)}
	}
	return nil
}

// tlsSettings checks certificates by the machine's authorities and by smtp.ca, whose file
// is read anew, because certificates are renewed.
func (s *Sender) tlsSettings() (*tls.Config, error) {
	c := &tls.Config{ServerName: s.smtp.Server, MinVersion: tls.VersionTLS12}
	if s.smtp.CA == "" {
		return c, nil
	}
	text, err := os.ReadFile(s.smtp.CA)
	if err != nil {
		return nil, fmt.Errorf("reading smtp.ca: %w", err)
	}
	own := x509.NewCertPool()
	if !own.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading smtp.ca: %s has no certificate in PEM", s.smtp.CA)
	}
	c.RootCAs, err = x509.SystemCertPool()
	if err != nil {
		c.RootCAs = x509.NewCertPool()
	}
	c.RootCAs.AppendCertsFromPEM(text)
	return c, nil
}

// tlsAdvice says what to do when a connection could not be secured.
func (s *Sender) tlsAdvice(err error) string {
	var invalid *tls.CertificateVerificationError
	var reply *textproto.Error
	switch {
	case errors.As(err, &invalid) && isHere(s.smtp.Server):
		return "this mail server is on the same machine: set smtp.tls to none, or smtp.ca to the file of its certificate and smtp.server to a name that stands in it"
	case errors.As(err, &invalid):
		return "set smtp.server to a name that stands in the certificate, and smtp.ca to the file of the authority that signed it"
	case errors.As(err, &reply) && reply.Code >= 500:
		return "the server does not offer STARTTLS: set smtp.tls to implicit for one that speaks TLS from the first byte, or to none for one without TLS"
	case errors.As(err, new(tls.RecordHeaderError)):
		return "the server does not speak TLS from the first byte: set smtp.tls to starttls"
	}
	return ""
}

// isHere reports whether a mail server is on this machine by its name.
func isHere(server string) bool {
	ip := net.ParseIP(server)
	return strings.EqualFold(server, "localhost") || ip != nil && ip.IsLoopback()
}

// fullName is a name that mail servers take from strangers: with a dot, and nothing in it
// that a name must not have.
var fullName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)
})

// nameFor is how this machine greets: by its name, or where that is none for strangers, as
// those of containers, by the address of the connection.
func nameFor(c net.Conn) string {
	if name, err := os.Hostname(); err == nil && fullName().MatchString(name) && net.ParseIP(name) == nil {
		return name
	}
	address, ok := c.LocalAddr().(*net.TCPAddr)
	switch {
	case !ok:
		return "[127.0.0.1]"
	case address.IP.To4() != nil:
		return "[" + address.IP.To4().String() + "]"
	}
	return "[IPv6:" + address.IP.String() + "]"
}

// listen has every line of the conversation shown, without passwords.
func (s *Sender) listen(c *smtp.Client) {
	if s.Show != nil {
		c.SetLogger(transcript{s.show})
		c.SetDebugLog(true)
	}
}

func (s *Sender) show(format string, args ...any) {
	if s.Show != nil {
		s.Show(fmt.Sprintf(format, args...))
	}
}

// transcript turns what the library would log into lines.
type transcript struct{ show func(string, ...any) }

func (t transcript) line(l log.Log) {
	sign := "<"
	if l.Direction == log.DirClientToServer {
		sign = ">"
	}
	for line := range strings.Lines(fmt.Sprintf(l.Format, l.Messages...)) {
		t.show("%s %s", sign, strings.TrimRight(line, "\r\n"))
	}
}

// Debugf, Infof, Warnf and Errorf are what the library calls.
func (t transcript) Debugf(l log.Log) { t.line(l) }
func (t transcript) Infof(l log.Log)  { t.line(l) }
func (t transcript) Warnf(l log.Log)  { t.line(l) }
func (t transcript) Errorf(l log.Log) { t.line(l) }
