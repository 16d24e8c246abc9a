package batch

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"vserver/service/access"
)

// File is an import file that is right in itself.
type File struct {
	Path           string
	Warnings       []Warning
	organizations  []*organization
	collaborations []*collaboration
}

type organization struct {
	line                                         int
	name                                         string
	domain, address1, address2, zipcode, country text
	publicKey                                    []byte // nil: the file has none
	keyLine                                      int
	users                                        []*user
}

type user struct {
	line                            int
	username                        string
	password                        text
	firstname, lastname, email, otp text
	roles                           []roleName // nil: the role super alone
}

// roleName names a role that a user gets.
type roleName struct {
	name string
	line int
}

type collaboration struct {
	line          int
	name          string
	encrypted     bool
	encryptedLine int
	participants  []*participant
	images        []example
}

// participant is an organization in a collaboration, with its node's API key.
type participant struct {
	line    int
	name    string
	key     string
	keyLine int
}

// example is the image of one task.
type example struct {
	image string
	line  int
}

// maxFile is the size of the largest file that is read, in bytes.
const maxFile = 256 << 20

// Read reads and checks an import file; mistakes are Faults, all of them at once, with
// the unknown keys that else are warnings.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the import file: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the import file: %w", err)
	}
	return Parse(path, data)
}

// Parse is Read for data that is in memory; path is for messages.
func Parse(path string, data []byte) (*File, error) {
	if len(data) > maxFile {
		return nil, Faults{{File: path, Text: fmt.Sprintf("is larger than %d bytes; divide it", maxFile)}}
	}
	root, err := document(path, data)
	if err != nil {
		return nil, err
	}
	r := &reader{path: path, left: budget}
	f := &File{Path: path}
	if root != nil {
		r.file(f, root)
	}
	if len(r.faults) == 0 {
		r.check(f)
	}
	if len(r.faults) > 0 {
		for _, w := range r.warnings { // a key that is misspelt explains one that is missing
			if strings.HasPrefix(w.Text, unknownKey) {
				r.faults = append(r.faults, Fault(w))
			}
		}
		slices.SortStableFunc(r.faults, func(a, b Fault) int { return a.Line - b.Line })
		return nil, r.faults
	}
	f.Warnings = r.warnings
	return f, nil
}

// document gives the root of the one document, nil when there is nothing in it.
func document(path string, data []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxFault(path, err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Faults{{File: path, Line: second.Line, Text: "holds a second YAML document; an import file is one"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxFault(path, err)
	}
	if len(doc.Content) == 0 || (entry{node: doc.Content[0]}).null() {
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

func syntaxFault(path string, err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	found := yamlLine.FindStringSubmatch(text)
	if found == nil {
		return Faults{{File: path, Text: "is not YAML: " + text}}
	}
	line, _ := strconv.Atoi(found[1])
	return Faults{{File: path, Line: line, Text: "is not YAML: " + found[2]}}
}

func (r *reader) file(f *File, root *yaml.Node) {
	b := r.block("", entry{root, root.Line}, "a block with the keys organizations and collaborations")
	if b == nil {
		return
	}
	_, organizations := b.entries["organizations"]
	if _, collaborations := b.entries["collaborations"]; !organizations && !collaborations {
		b.r.fault(b.line, "", "is no import file: it has neither organizations nor collaborations")
	}
	items, _ := b.list("organizations")
	for i, e := range items {
		if o := r.block(b.item("organizations", i), e, "a block of an organization"); o != nil {
			f.organizations = append(f.organizations, o.organization())
		}
	}
	items, _ = b.list("collaborations")
	for i, e := range items {
		if c := r.block(b.item("collaborations", i), e, "a block of a collaboration"); c != nil {
			f.collaborations = append(f.collaborations, c.collaboration())
		}
	}
	b.ignore()
}

func (b *block) organization() *organization {
	o := &organization{line: b.line}
	o.name, o.line = b.name("name")
	o.domain, o.address1, o.address2 = b.key("domain"), b.key("address1"), b.key("address2")
	o.zipcode, o.country = b.key("zipcode"), b.key("country")
	o.publicKey, o.keyLine = b.publicKey()
	items, _ := b.list("users")
	for i, e := range items {
		if u := b.r.block(b.item("users", i), e, "a block of a user"); u != nil {
			o.users = append(o.users, u.user())
		}
	}
	b.ignore()
	return o
}

// name reads a name that must not be taken for an id (SECURITY T05).
func (b *block) name(field string) (string, int) {
	name, line := b.need(field, shortText)
	if s := strings.TrimSpace(name); s != "" && strings.TrimFunc(s, unicode.IsDigit) == "" {
		b.refuse(line, field, "must not consist of digits only, it could be taken for an id")
	}
	return name, line
}

// publicKey reads a key in base64; white space within it does not count.
func (b *block) publicKey() ([]byte, int) {
	t := b.text("public_key", longText)
	if t.or("") == "" {
		return nil, t.line
	}
	key, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(*t.value), ""))
	if err != nil {
		b.refuse(t.line, "public_key", "must be standard base64 with padding")
	}
	return key, t.line
}

// stateOfUsers are columns of a user that the server keeps itself; files of the
// reference may name them.
var stateOfUsers = []string{"type", "ip", "last_seen", "status", "failed_login_attempts", "last_login_attempt"}

func (b *block) user() *user {
	u := &user{}
	u.username, u.line = b.name("username")
	u.password = b.text("password", passwordText)
	if u.password.value == nil {
		b.r.warn(u.line, b.field("password"), "is missing: %s cannot log in before the password is reset", u.username)
	} else if *u.password.value == "" {
		b.refuse(u.password.line, "password", "is empty")
	}
	u.firstname, u.lastname = b.text("firstname", shortText), b.text("lastname", shortText)
	if u.email = b.text("email", shortText); u.email.or("") == "" {
		u.email.value = nil // the empty text could be given to one user only
	}
	u.otp = b.otp()
	u.roles = b.roles()
	b.unknown(func(name string, line int) {
		if slices.Contains(stateOfUsers, name) {
			b.r.warn(line, b.field(name), "is kept by the server, ignored")
			return
		}
		b.refuse(line, name, "unknown key; known here: %s", strings.Join(b.asked, ", "))
	})
	return u
}

// otp reads the secret of a second factor.
func (b *block) otp() text {
	t := b.text("otp_secret", shortText)
	if t.value == nil {
		return t
	}
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(*t.value, "=")); err != nil || *t.value == "" {
		b.refuse(t.line, "otp_secret", "must be base32")
	}
	return t
}

// roles reads the names of roles: nil when the key is absent, then the user gets the
// role super.
func (b *block) roles() []roleName {
	items, given := b.list("roles")
	if !given {
		return nil
	}
	list := []roleName{}
	for i, e := range items {
		name, why := plain(e, shortText)
		switch {
		case why != "":
			b.r.fault(e.line, b.item("roles", i), "%s", why)
		case name == access.RoleNode || name == access.RoleContainer:
			b.r.fault(e.line, b.item("roles", i), "role %s is not for users", name)
		case slices.ContainsFunc(list, func(r roleName) bool { return r.name == name }):
			b.r.fault(e.line, b.item("roles", i), "role %s is there twice", name)
		}
		list = append(list, roleName{name, e.line})
	}
	return list
}

func (b *block) collaboration() *collaboration {
	c := &collaboration{}
	c.name, c.line = b.name("name")
	c.encrypted, c.encryptedLine = b.flag("encrypted", true)
	items, _ := b.list("participants")
	for i, e := range items {
		p := b.r.block(b.item("participants", i), e, "a block with name and api_key")
		if p != nil {
			c.participants = append(c.participants, p.participant())
		}
	}
	items, _ = b.list("tasks")
	for i, e := range items {
		image, why := plain(e, imageText)
		if why == "" && image == "" {
			why = "has no value"
		}
		if why != "" {
			b.r.fault(e.line, b.item("tasks", i), "%s", why)
		}
		c.images = append(c.images, example{image, e.line})
	}
	if len(c.images) > 0 && len(c.participants) == 0 {
		b.refuse(c.images[0].line, "tasks", "need at least one participant")
	}
	b.ignore()
	return c
}

// canonical is the lower-case form of a UUID of any version.
var canonical = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func (b *block) participant() *participant {
	p := &participant{}
	p.name, p.line = b.need("name", shortText)
	before := len(b.r.faults)
	p.key, p.keyLine = b.need("api_key", shortText)
	if len(b.r.faults) == before && !canonical.MatchString(p.key) {
		b.refuse(p.keyLine, "api_key", "API key '%s' is not a valid UUID!", begun(p.key))
	}
	b.ignore()
	return p
}

// begun shows enough of a key to find it in the file: it may be somebody's real key,
// and messages end in logs (SECURITY U8).
func begun(key string) string {
	const shown = 8
	runes := []rune(key)
	if len(runes) <= shown {
		return key
	}
	return string(runes[:shown]) + "…"
}
