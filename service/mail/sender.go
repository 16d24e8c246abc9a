package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"vserver/service/config"
)

// Sender sends mails through the mail server of a configuration.
type Sender struct {
	smtp     config.SMTP
	from     string // an address
	patience patience
	// Show is told every line of the conversation, passwords and the mail itself aside; nil
	// for nobody.
	Show func(line string)
}

// New makes a sender for a configuration that has a mail server.
func New(c config.Config) *Sender {
	from, err := ParseAddress(c.Sender())
	if err != nil {
		from = config.DefaultAddress // the configuration warns of it
	}
	return &Sender{smtp: c.SMTP, from: from, patience: usual}
}

// From is the address that mails come from.
func (s *Sender) From() string { return s.from }

// Place says where mails go: the address of the mail server, and how the connection is kept
// from others.
func (s *Sender) Place() string {
	at := net.JoinHostPort(s.smtp.Server, strconv.Itoa(s.smtp.Port))
	switch s.smtp.Security() {
	case config.ImplicitTLS:
		return at + " (TLS)"
	case config.StartTLS:
		return at + " (STARTTLS)"
	}
	return at + " (without TLS)"
}

// Letter is one mail to one address.
type Letter struct {
	To string
	ID string // of the mail, the same at every try, so that a mail that comes twice is known as one
	Text
}

// Failure is why a mail could not be sent.
type Failure struct {
	Step   step
	Err    error
	advice string
	// Final: this recipient or this mail is refused, and would be again.
	Final bool
	// Doubtful: the server had all of it and may have taken it.
	Doubtful bool
}

// Error says at which step, why, and what to do about it where that is known.
func (f *Failure) Error() string {
	text := fmt.Sprintf("%s: %s", f.Step, f.Err)
	if f.advice != "" {
		text += " (" + f.advice + ")"
	}
	return text
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Send sends a mail; nil says that the mail server has it. The error is a *Failure.
func (s *Sender) Send(ctx context.Context, l Letter) error {
	to, err := ParseAddress(l.To)
	if err != nil {
		return &Failure{Step: sending, Err: fmt.Errorf("%q %w", l.To, err), Final: true}
	}
	m, err := s.message(to, l)
	if err != nil {
		return &Failure{Step: sending, Err: err, Final: true}
	}
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	c.SkipSMTPUTF8(isASCII(to) && isASCII(s.from))
	if utf8, _ := c.Extension("SMTPUTF8"); !utf8 && !isASCII(to) {
		return &Failure{Step: sending, Err: fmt.Errorf("%q has letters that this mail server does not take", l.To), Final: true}
	}
	return s.deliver(ctx, c, to, m)
}

// deliver hands a mail over. What counts is that the server took it, not what it says or
// does afterwards.
func (s *Sender) deliver(ctx context.Context, c *connection, to string, m *gomail.Msg) error {
	if err := c.UpdateDeadline(s.patience.deliver); err != nil {
		return &Failure{Step: sending, Err: err}
	}
	if err := c.Mail("<" + s.from + ">"); err != nil {
		return interrupted(ctx, &Failure{Step: sending, Err: fmt.Errorf("the sender %s: %w", s.from, err)})
	}
	if err := c.Rcpt("<" + to + ">"); err != nil {
		return interrupted(ctx, &Failure{Step: sending, Err: fmt.Errorf("the recipient %s: %w", to, err), Final: refusal(err)})
	}
	w, err := c.Data()
	if err != nil {
		return interrupted(ctx, &Failure{Step: sending, Err: err, Final: refusal(err)})
	}
	if _, err := m.WriteTo(w); err != nil {
		return interrupted(ctx, &Failure{Step: sending, Err: err})
	}
	if err := w.Close(); err != nil {
		return interrupted(ctx, &Failure{Step: sending, Err: err, Final: refusal(err), Doubtful: !replied(err)})
	}
	return nil
}

// interrupted says so where the end of the context was what cut a conversation.
func interrupted(ctx context.Context, f *Failure) error {
	if ctx.Err() != nil && !replied(f.Err) {
		f.Err = errors.Join(ctx.Err(), f.Err)
	}
	return f
}

// replied reports whether a failure is what the server said.
func replied(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply)
}

// refusal reports whether the server said no for good.
func refusal(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply) && reply.Code >= 500
}

// message makes the mail: text and HTML, both in quoted-printable, so that a token stays
// whole. Neither the name of this machine nor that of a program stands in it.
func (s *Sender) message(to string, l Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingQP), gomail.WithNoDefaultUserAgent())
	if err := m.From(s.from); err != nil {
		return nil, fmt.Errorf("the sender %s: %w", s.from, err)
	}
	if err := m.To(to); err != nil {
		return nil, fmt.Errorf("the address %s: %w", to, err)
	}
	if n := len(m.GetTo()); n != 1 {
		return nil, fmt.Errorf("%d addresses instead of one", n)
	}
	_, domain, _ := cutLast(s.from, "@")
	m.SetMessageIDWithValue(l.ID + "@" + domain)
	m.SetDateWithValue(time.Now())
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.Subject(l.Subject)
	m.SetBodyString(gomail.TypeTextPlain, l.Plain)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	return m, nil
}

// Probe connects to the mail server and logs in, and sends nothing.
func (s *Sender) Probe(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	c.close()
	return nil
}
