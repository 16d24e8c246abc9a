// Package mailtest has mail servers for tests: Debian's Postfix and Exim as processes of
// their own on loopback, with configurations, ports and mailboxes that nobody else has, and
// a scripted one that misbehaves. Only tests import it; of the house it imports freeport alone.
package mailtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vserver/service/freeport"
)

// The account that every server here knows.
const (
	User     = "vserver"
	Password = "pässword 1234"
)

// Ports are where one program listens, by the way it treats who comes.
type Ports struct {
	StartTLS  int // STARTTLS, and a log-in is needed
	TLS       int // TLS from the first byte, and a log-in is needed
	Plain     int // neither; takes mail from anybody
	OtherName int // STARTTLS with a certificate for another name
	LoginOnly int // STARTTLS, and LOGIN is the only way to log in
}

// MTA is a program that takes mail and puts it into mailboxes.
type MTA struct {
	Name string
	Ports
	CA    string // file of the authority that signed its certificates
	Own   string // file of the certificate for localhost itself
	boxes string
	log   string
}

// wait is how long a program may take to begin, or a mail to arrive.
const wait = 20 * time.Second

// folder is one that other accounts may look into, which those of testing are not.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vserver-mail-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // mail programs run as accounts of their own
		t.Fatal(err)
	}
	return dir
}

// freePorts finds ports that nobody has.
func freePorts(t testing.TB, ports ...*int) {
	t.Helper()
	for _, p := range ports {
		var err error
		if *p, err = freeport.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Available lists the mail servers that can be started here, and says of the others why not.
func Available() (usable []func(testing.TB) *MTA, missing []string) {
	if os.Geteuid() != 0 {
		return nil, []string{"Postfix and Exim: only root can start them"}
	}
	if _, err := exec.LookPath("postfix"); err != nil {
		missing = append(missing, "Postfix is not installed")
	} else {
		usable = append(usable, Postfix)
	}
	if _, err := user.Lookup("Debian-exim"); err != nil || eximPath() == "" {
		missing = append(missing, "Exim is not installed, nor unpacked in .cache/exim with an account Debian-exim")
	} else {
		usable = append(usable, Exim)
	}
	return usable, missing
}

// Each runs a test on every mail server that can be started here.
func Each(t *testing.T, run func(t *testing.T, m *MTA)) {
	t.Helper()
	usable, missing := Available()
	for _, start := range usable {
		m := start(t)
		t.Run(m.Name, func(t *testing.T) { run(t, m) })
	}
	for _, reason := range missing {
		t.Run("missing", func(t *testing.T) { t.Skip("skipped: " + reason) })
	}
}

// serve runs a mail program until the test ends.
func serve(t testing.TB, m *MTA, ready int, name string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...) //nolint:gosec // a program of tests
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, time.Second             // its children have the outputs too
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var outcome error
	go func() {
		outcome = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(2 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	for end := time.Now().Add(wait); ; pause(t.Context(), 20*time.Millisecond) {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(ready))
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %v\n%s\n%s", m.Name, outcome, said.String(), m.Log())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen\n%s\n%s", m.Name, said.String(), m.Log())
		}
	}
}

// pause waits, unless the context ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Log is what the program has logged.
func (m *MTA) Log() string {
	text, _ := os.ReadFile(m.log)
	return string(text)
}

// Mail is one that has arrived.
type Mail struct {
	Raw         string
	Header      netmail.Header
	Subject     string
	Plain, HTML string
}

// Arrived waits until a mailbox has a number of mails and returns them, the oldest first.
func (m *MTA) Arrived(t testing.TB, mailbox string, count int) []Mail {
	t.Helper()
	for end := time.Now().Add(wait); ; pause(t.Context(), 20*time.Millisecond) {
		list := m.read(t, mailbox)
		if len(list) >= count {
			return list
		}
		if time.Now().After(end) {
			t.Fatalf("%d mails for %s, want %d\n%s", len(list), mailbox, count, m.Log())
		}
	}
}

// read reads what a mailbox has now, the oldest first. Names do not tell it: the servers put inodes, and microseconds
// without leading zeros into them.
func (m *MTA) read(t testing.TB, mailbox string) []Mail {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(m.boxes, mailbox, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(files, func(a, b string) int { return written(t, a).Compare(written(t, b)) })
	var list []Mail
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Parse(t, string(raw)))
	}
	return list
}

// written is when a file was last written to.
func written(t testing.TB, file string) time.Time {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// Parse takes a mail apart as a mail program would.
func Parse(t testing.TB, raw string) Mail {
	t.Helper()
	msg, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	mail := Mail{Raw: raw, Header: msg.Header}
	if mail.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q, %v", msg.Header.Get("Content-Type"), err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return mail
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "text/plain":
			mail.Plain = strings.ReplaceAll(string(text), "\r\n", "\n")
		case "text/html":
			mail.HTML = strings.ReplaceAll(string(text), "\r\n", "\n")
		default:
			t.Fatalf("a part of type %q", kind)
		}
	}
}

// Token is the line of a mail that is a token, empty when there is none.
func (m Mail) Token() string {
	for line := range strings.Lines(m.Plain) {
		if line = strings.TrimSpace(line); len(line) >= 20 && !strings.Contains(line, " ") {
			return line
		}
	}
	return ""
}

func write(t testing.TB, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // read by other accounts
		t.Fatal(err)
	}
	return file
}

func run(t testing.TB, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...) //nolint:gosec // a program of tests
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func lines(format string, args ...any) string {
	return fmt.Sprintf(strings.TrimLeft(format, "\n"), args...)
}
