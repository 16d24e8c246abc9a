package cli

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/terminal"
	"vserver/service/yaml"
)

// item is a question of the wizard, with the option that answers it beforehand.
type item struct {
	flag    string
	setting config.Setting // that the answer is for; none for questions about whole blocks
	q       terminal.Question
	unasked string // the answer where nobody is asked
	file    bool   // the option names a file that holds the answer: a secret is no option
	needs   string // option of the question that has to be answered with yes; none when empty
}

// answers are those of the wizard, by the options of their questions.
type answers map[string]string

// The options that the program looks at itself.
const (
	flagIP           = "ip"
	flagPort         = "port"
	flagURI          = "uri"
	flagVPN          = "vpn"
	flagSecondFactor = "two-factor-auth"
	flagPassword     = "root-password-file"
)

// items are the questions of /docs/commands#questions, in its order; the last ones are
// this server's own.
func items() []item {
	var all, own []item
	blocks := map[string]string{} // options of the questions about whole blocks
	for _, s := range config.Settings() {
		if s.Question == nil {
			continue
		}
		block, _ := s.Block()
		i := newItem(*s.Question, s)
		i.needs = blocks[block]
		if first := s.Question.First; first != nil {
			all = append(all, newItem(*first, config.Setting{}))
			i.needs = first.Option
		}
		if i.q.Confirm {
			blocks[s.Key] = i.flag
		}
		if s.Question.Own {
			own = append(own, i)
			continue
		}
		all = append(all, i)
	}
	return append(all, own...)
}

func newItem(asked config.Question, s config.Setting) item {
	i := item{flag: asked.Option, setting: s, file: strings.HasSuffix(asked.Option, "-file"), unasked: cmp.Or(asked.Unasked, asked.Standard)}
	i.q = terminal.Question{Title: asked.Title, Note: asked.Note, Standard: asked.Standard, Hidden: i.file}
	switch i.q.Confirm = asked.Standard == terminal.Yes || asked.Standard == terminal.No; {
	case i.q.Confirm:
	case i.flag == flagPassword:
		i.q.Check = checkRootPassword
	case len(s.Choices) > 0:
		i.q.Options = terminal.Words(s.Choices...)
	case s.Kind() == config.Flag:
		i.q.Options = terminal.Words("True", "False")
	default:
		i.q.Check = func(answer string) error {
			if answer == "" && asked.Own {
				return nil // the key is left out
			}
			return config.CheckAnswer(s.Key, answer)
		}
	}
	return i
}

func checkRootPassword(password string) error {
	if password == "" {
		return nil
	}
	return core.CheckPasswordPolicy(password)
}

// block is the environment that the answers describe, as it stands in the file
// (/docs/commands#new and /docs/commands#questions).
func (a answers) block(name string, origins []string) (map[string]any, error) {
	block := map[string]any{}
	for _, s := range config.Settings() {
		if s.Question != nil || !s.InNewFile() || s.Sample == "" {
			continue
		}
		value, err := yaml.Decode(s.Sample)
		if err != nil {
			return nil, fmt.Errorf("reading the sample of %s: %w", s.Key, err)
		}
		put(block, s.Key, value)
	}
	put(block, "logging.file", name+".log")
	put(block, "cors_allowed_origins", append([]string{a.ownOrigin()}, origins...))
	for _, i := range items() {
		answer, given := a[i.flag]
		switch {
		case !given || i.setting.Key == "" || i.q.Confirm && answer == terminal.No || i.setting.Kind() == config.Blocks:
		case i.q.Confirm && i.setting.Secret():
			put(block, i.setting.Key, newSecret())
		case i.q.Confirm:
			put(block, i.setting.Key, true)
		case answer != "" || i.setting.Required || i.needs == flagVPN:
			put(block, i.setting.Key, answer)
		}
	}
	if a[flagSecondFactor] == terminal.Yes && !strings.HasPrefix(strings.ToLower(a[flagURI]), "sqlite") {
		put(block, "secret_key", newSecret()) // a server on SQLite makes its own
	}
	return block, nil
}

// put sets the value of a key in a block.
func put(block map[string]any, key string, value any) {
	outer, inner, nested := strings.Cut(key, ".")
	if !nested {
		block[key] = value
		return
	}
	within, _ := block[outer].(map[string]any)
	if within == nil {
		within = map[string]any{}
		block[outer] = within
	}
	within[inner] = value
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
