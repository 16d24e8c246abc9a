package mailtest

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Script is a mail server that does what a test says: real ones do not misbehave on demand.
type Script struct {
	// Greeting is what it says first; empty for a usual one.
	Greeting string
	// Offers are the lines after the first one of its answer to EHLO.
	Offers []string
	// Answer answers a line of the client; empty for the usual answer, "close" ends the
	// connection, "silence" never answers. It may take its time.
	Answer func(line string) string
	// Taken answers a whole mail, as Answer does.
	Taken func(mail string) string
	// Secure has it offer STARTTLS with the files of a certificate for localhost.
	Secure bool

	Port int
	CA   string

	mu    sync.Mutex
	said  []string // by clients
	mails []string
	open  int // connections
	total int
	tls   *tls.Config
}

// Start listens until the test ends.
func (s *Script) Start(t testing.TB) *Script {
	t.Helper()
	if s.Secure {
		c := newCertificates(t, folder(t))
		pair, err := tls.LoadX509KeyPair(c.local, c.localKey)
		if err != nil {
			t.Fatal(err)
		}
		s.CA, s.tls = c.ca, &tls.Config{Certificates: []tls.Certificate{pair}}
		s.Offers = append(s.Offers, "STARTTLS")
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	var all sync.WaitGroup
	conns := map[net.Conn]bool{}
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for c := range conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			conns[c] = true
			s.open++
			s.total++
			s.mu.Unlock()
			all.Go(func() {
				s.talk(c)
				_ = c.Close()
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(conns, c)
				s.open--
			})
		}
	})
	return s
}

// Said is what clients have said, the lines of mails aside.
func (s *Script) Said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.said...)
}

// Mails are those that were sent to it, taken or not.
func (s *Script) Mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.mails...)
}

// Connections are how many there are, and how many there were in all.
func (s *Script) Connections() (open, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.total
}

func (s *Script) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, line)
}

// talk holds one conversation.
func (s *Script) talk(c net.Conn) {
	greeting := s.Greeting
	if greeting == "" {
		greeting = "220 mail.example.org ready"
	}
	r := bufio.NewReader(c)
	if !s.reply(c, r, greeting) {
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.note(line)
		verb, _, _ := strings.Cut(line, " ")
		answer := ""
		if s.Answer != nil {
			answer = s.Answer(line)
		}
		if answer == "" {
			answer = s.usual(strings.ToUpper(verb))
		}
		if !s.reply(c, r, answer) {
			return
		}
		switch strings.ToUpper(verb) {
		case "QUIT":
			return
		case "STARTTLS":
			if !strings.HasPrefix(answer, "220") {
				continue
			}
			secure := tls.Server(c, s.tls)
			c, r = secure, bufio.NewReader(secure)
		case "DATA":
			if strings.HasPrefix(answer, "354") && !s.take(c, r) {
				return
			}
		}
	}
}

// usual is the answer of a server that misbehaves in nothing.
func (s *Script) usual(verb string) string {
	switch verb {
	case "EHLO":
		all := append([]string{"mail.example.org"}, s.Offers...)
		for i := range all {
			all[i] = "250-" + all[i]
		}
		all[len(all)-1] = "250 " + all[len(all)-1][4:]
		return strings.Join(all, "\r\n")
	case "DATA":
		return "354 go on"
	case "STARTTLS":
		return "220 go on"
	case "QUIT":
		return "221 bye"
	case "AUTH":
		return "235 welcome"
	}
	return "250 fine"
}

// take reads a mail and answers it.
func (s *Script) take(c net.Conn, r *bufio.Reader) bool {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	s.mails = append(s.mails, b.String())
	s.mu.Unlock()
	answer := "250 taken"
	if s.Taken != nil {
		answer = s.Taken(b.String())
	}
	return s.reply(c, r, answer)
}

// reply reports whether the conversation goes on.
func (s *Script) reply(c net.Conn, r io.Reader, answer string) bool {
	switch answer {
	case "close":
		return false
	case "silence":
		_, _ = io.Copy(io.Discard, r) // until the client has enough of it
		return false
	}
	_, err := io.WriteString(c, answer+"\r\n")
	return err == nil
}

// After answers a line late.
func After(d time.Duration, answer string) string {
	<-time.After(d)
	return answer
}
