package batch

import (
	"encoding/base32"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/yaml"
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

// form is that of an import file. A key that is there twice is probably a row that
// lacks its dash.
var form = yaml.Form{Name: "an import file", Bytes: 256 << 20, Values: 5_000_000, Once: true}

// Read reads and checks an import file; mistakes are Faults, all of them at once, with
// the unknown keys that else are warnings.
func Read(path string) (*File, error) {
	return newFile(form.FromFile(path))
}

func newFile(r *yaml.Reader, err error) (*File, error) {
	if err != nil {
		return nil, err
	}
	f := &File{Path: r.File}
	if !r.Root.Null() {
		f.read(r)
	}
	if len(r.Faults) == 0 {
		check(r, f)
	}
	if len(r.Faults) > 0 {
		r.RefuseUnknown()
		r.Sort()
		return nil, r.Faults
	}
	f.Warnings = r.Warnings
	return f, nil
}

func (f *File) read(r *yaml.Reader) {
	b := blockOf(r, "", r.Root, "a block with the keys organizations and collaborations")
	if b == nil {
		return
	}
	if !b.Has("organizations") && !b.Has("collaborations") {
		b.Fault(b.Line, "", "is no import file: it has neither organizations nor collaborations")
	}
	for _, o := range b.blocks("organizations", "a block of an organization") {
		f.organizations = append(f.organizations, o.organization())
	}
	for _, c := range b.blocks("collaborations", "a block of a collaboration") {
		f.collaborations = append(f.collaborations, c.collaboration())
	}
	b.Unknown()
}

func (b *block) organization() *organization {
	o := &organization{line: b.Line}
	o.name, o.line = b.name("name")
	o.domain, o.address1, o.address2 = b.key("domain"), b.key("address1"), b.key("address2")
	o.zipcode, o.country = b.key("zipcode"), b.key("country")
	o.publicKey, o.keyLine = b.publicKey()
	for _, u := range b.blocks("users", "a block of a user") {
		o.users = append(o.users, u.user())
	}
	b.Unknown()
	return o
}

// name reads a name that must not be taken for an id (/docs/security#t05).
func (b *block) name(field string) (string, int) {
	name, line := b.need(field, shortText)
	if s := strings.TrimSpace(name); s != "" && strings.TrimFunc(s, unicode.IsDigit) == "" {
		b.Refuse(field, "must not consist of digits only, it could be taken for an id")
	}
	return name, line
}

// publicKey reads a key as REST does.
func (b *block) publicKey() ([]byte, int) {
	t := b.text("public_key", longText)
	if t.orEmpty() == "" {
		return nil, t.line
	}
	key, err := core.ParsePublicKey(*t.value)
	switch {
	case err != nil:
		b.Refuse("public_key", "%s", err)
	case !core.HoldsRSAKey(key):
		b.Warn(t.line, b.Key("public_key"), "%s", core.TextNoRSAKey)
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
		b.Warn(u.line, b.Key("password"), "is missing: %s cannot log in before the password is reset", u.username)
	} else if *u.password.value == "" {
		b.Refuse("password", "is empty")
	}
	u.firstname, u.lastname = b.text("firstname", shortText), b.text("lastname", shortText)
	if u.email = b.text("email", shortText); u.email.orEmpty() == "" {
		u.email.value = nil // the empty text could be given to one user only
	}
	u.otp = b.otp()
	u.roles = b.roles()
	b.EachUnknown(func(name, _, more string) {
		if slices.Contains(stateOfUsers, name) {
			b.Note(name, "is kept by the server, ignored")
			return
		}
		b.Refuse(name, "unknown key%s", more)
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
		b.Refuse("otp_secret", "must be base32")
	}
	return t
}

// roles reads the names of roles: nil when the key is absent, then the user gets the
// role super.
func (b *block) roles() []roleName {
	items, given := b.List("roles")
	if !given {
		return nil
	}
	list := []roleName{}
	for i, v := range items {
		name, why := plain(v, shortText)
		switch {
		case why != "":
			b.Fault(v.Line, b.item("roles", i), "%s", why)
		case name == access.RoleNode || name == access.RoleContainer:
			b.Fault(v.Line, b.item("roles", i), "role %s is not for users", name)
		case slices.ContainsFunc(list, func(r roleName) bool { return r.name == name }):
			b.Fault(v.Line, b.item("roles", i), "role %s is there twice", name)
		}
		list = append(list, roleName{name, v.Line})
	}
	return list
}

func (b *block) collaboration() *collaboration {
	c := &collaboration{}
	c.name, c.line = b.name("name")
	c.encrypted, c.encryptedLine = b.Flag("encrypted", true), b.LineOf("encrypted")
	for _, p := range b.blocks("participants", "a block with name and api_key") {
		c.participants = append(c.participants, p.participant())
	}
	items, _ := b.List("tasks")
	for i, v := range items {
		image, why := plain(v, imageText)
		if why == "" && image == "" {
			why = "has no value"
		}
		if why != "" {
			b.Fault(v.Line, b.item("tasks", i), "%s", why)
		}
		c.images = append(c.images, example{image, v.Line})
	}
	if len(c.images) > 0 && len(c.participants) == 0 {
		b.Refuse("tasks", "need at least one participant")
	}
	b.Unknown()
	return c
}

// canonical is the lower-case form of a UUID of any version.
var canonical = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
})

func (b *block) participant() *participant {
	p := &participant{}
	p.name, p.line = b.need("name", shortText)
	before := len(b.Faults)
	p.key, p.keyLine = b.need("api_key", shortText)
	if len(b.Faults) == before && !canonical().MatchString(p.key) {
		b.Refuse("api_key", "API key '%s' is not a valid UUID!", begun(p.key))
	}
	b.Unknown()
	return p
}

// begun shows enough of a key to find it in the file: it may be somebody's real key,
// and messages end in logs (/docs/security#u8).
func begun(key string) string {
	const shown = 8
	runes := []rune(key)
	if len(runes) <= shown {
		return key
	}
	return string(runes[:shown]) + "…"
}
