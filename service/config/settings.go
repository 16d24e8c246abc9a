package config

import (
	"cmp"
	"math"
	"net/netip"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Load checks one environment of the file and returns its settings, with those of
// the process's environment over them (getenv is os.Getenv in the running program).
// All faults come at once, as Faults. A wrong port or logging block in *another*
// environment also stops the file, as in the reference (contract 40 §6.1); other
// mistakes there do not, so that no file which used to start is refused.
func (f *File) Load(environment string, getenv func(string) string) (Config, []Warning, error) {
	r := newReader(f.Path)
	r.warnings = slices.Clone(f.notes)
	if usable := f.Environments(); !slices.Contains(usable, environment) {
		return Config{}, r.warnings, NoEnvironment{environment, f.why(environment, usable)}
	}
	var c Config
	for _, name := range f.Environments() {
		if name == environment {
			c = f.settings(r, name, getenv)
		} else {
			r.faults = append(r.faults, f.grave(name)...)
		}
	}
	r.sort()
	if len(r.faults) > 0 {
		return Config{}, r.warnings, r.faults
	}
	return c, r.warnings, nil
}

func bare(string) string { return "" }

// grave lists the faults of a block that the reference checks too: port and logging.
func (f *File) grave(environment string) Faults {
	r := newReader(f.Path)
	f.settings(r, environment, bare)
	base := blockPath(environment) + "."
	return slices.DeleteFunc(r.faults, func(fault Fault) bool {
		key, _, _ := strings.Cut(strings.TrimPrefix(fault.Key, base), ".")
		return key != "port" && key != "logging"
	})
}

// refused returns the faults that stop every environment of the file, or nil.
func (f *File) refused() error {
	var all Faults
	for _, name := range f.Environments() {
		all = append(all, f.grave(name)...)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// settings reads one block key by key; faults and warnings gather in r.
func (f *File) settings(r *reader, environment string, getenv func(string) string) Config {
	e := f.blocks[environment]
	b := r.mapping(blockPath(environment), e.line, e.node)
	c := Config{
		File:               f.Path,
		Environment:        environment,
		Description:        b.text("description", ""),
		Type:               b.kind(),
		IP:                 b.host("ip", ""),
		Port:               b.whole("port", noDefault, 0, math.MaxUint16),
		APIPath:            b.apiPath(),
		URI:                b.secret("uri"),
		AllowDropAll:       b.flag("allow_drop_all", false),
		JWTSecretKey:       b.secret("jwt_secret_key"),
		Logging:            b.logging(),
		SMTP:               b.smtp(),
		EmailTokenLife:     b.emailTokenLife(),
		TwoFactorAuth:      b.flag("two_factor_auth", false),
		PasswordPolicy:     b.passwordPolicy(),
		VPN:                b.vpn(),
		RabbitMQURI:        b.secret("rabbitmq_uri"),
		Image:              b.text("image", ""),
		Images:             b.images(),
		Directories:        b.directories(),
		CORSAllowedOrigins: b.origins(),
		TrustedProxies:     b.proxies(),
		TLS:                b.tls(),
		Metrics:            b.metrics(),
		UI:                 b.ui(),
		Debug:              b.debug(),
	}
	c.SupportEmail = cmp.Or(b.text("support_email", ""), c.SMTP.Username, defaultAddress)
	c.AccessTokenLife, c.RefreshTokenLife = b.tokenLives(c.Type)
	b.unknown()
	b.override(&c, getenv)
	return c
}

// defaultAddress is sender and support address when the file names none.
const defaultAddress = "support@vantage6.ai"

// kind reads `type`. Other words than the four had no effect in the reference and
// still have none.
func (b *block) kind() string {
	word := b.text("type", "")
	if word != "" && !slices.Contains(environmentNames[:4], word) {
		b.r.warn(b.entries["type"].line, b.key("type"), "%s is none of prod, acc, test, dev and has no effect", shown(word))
	}
	return word
}

var hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?$`)

// host reads an address to bind: IPv4, IPv6 with or without brackets, or a name.
func (b *block) host(name, byDefault string) string {
	value := b.text(name, byDefault)
	if inner, ok := strings.CutPrefix(value, "["); ok {
		value = strings.TrimSuffix(inner, "]")
	}
	if _, err := netip.ParseAddr(value); err == nil || hostname.MatchString(value) {
		return value
	}
	if e, ok := b.entries[name]; ok && e.node.Kind == yaml.ScalarNode {
		b.bad(name, e, "must be an IP address or host name without port, such as 0.0.0.0 or 127.0.0.1")
	}
	return byDefault
}

var apiPathForm = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// apiPath reads the prefix of the REST routes; empty means the root.
func (b *block) apiPath() string {
	value := b.text("api_path", "")
	if value == "" || apiPathForm.MatchString(value) && path.Clean(value) == value && value != "/socket.io" {
		return value
	}
	better := "/" + strings.Trim(value, "/")
	must := "must be empty for the root, or begin with / and not end with it, such as /api"
	switch {
	case better == "/":
		must += "; write '' for the root"
	case better != value && apiPathForm.MatchString(better):
		must += "; write " + better
	case value == "/socket.io":
		must = "belongs to the sockets; choose another path, such as /api"
	}
	b.bad("api_path", b.entries["api_path"], must)
	return ""
}

func (b *block) passwordPolicy() PasswordPolicy {
	policy := PasswordPolicy{MaxFailedAttempts: 5, Inactivation: 15 * time.Minute}
	if sub := b.block("password_policy"); sub != nil {
		policy.MaxFailedAttempts = sub.whole("max_failed_attempts", 5, 1, unbounded)
		policy.Inactivation = time.Duration(sub.whole("inactivation_minutes", 15, 1, maxMinutes)) * time.Minute
		sub.unknown()
	}
	return policy
}

// vpn reads the block of an eduVPN server. Gaps are warnings: such a file started
// before, and the endpoints say themselves that the block is incomplete.
func (b *block) vpn() *VPN {
	sub := b.block("vpn_server")
	if sub == nil {
		if e, ok := b.entries["vpn_server"]; ok && e.null() {
			b.r.warn(e.line, b.key("vpn_server"), "has no value: the VPN endpoints are off")
		}
		return nil
	}
	v := VPN{
		URL:            sub.text("url", ""),
		RedirectURL:    sub.text("redirect_url", ""),
		ClientID:       sub.text("client_id", ""),
		ClientSecret:   sub.secret("client_secret"),
		PortalUsername: sub.text("portal_username", ""),
		PortalUserpass: sub.secret("portal_userpass"),
	}
	sub.unknown()
	if !v.Complete() {
		b.r.warn(sub.line, sub.path, "needs a value for each of %s; until then the VPN endpoints answer an error", strings.Join(b.r.asked[sub.path], ", "))
	}
	return &v
}

// images reads the names of container images, which this server does not use.
func (b *block) images() map[string]string {
	if e, ok := b.given("images"); !ok || e.node.Kind != yaml.MappingNode {
		return nil
	}
	all, sub := map[string]string{}, b.block("images")
	for _, name := range sub.order {
		all[name] = sub.text(name, "")
	}
	return all
}

// debug reads switches of newer releases; none has an effect here, so odd values
// are passed over.
func (b *block) debug() map[string]bool {
	e, ok := b.given("debug")
	if !ok || e.node.Kind != yaml.MappingNode {
		return nil
	}
	all := map[string]bool{}
	for name, e := range b.block("debug").entries {
		all[name] = truth[strings.ToLower(e.node.Value)]
	}
	return all
}

// directories reads the replacements of the standard directories; relative ones
// lie beside the file, so that they do not depend on where a command is run.
func (b *block) directories() Directories {
	sub := b.block("directories")
	if sub == nil {
		return Directories{}
	}
	d := Directories{Log: sub.beside("log"), Data: sub.beside("data")}
	sub.unknown()
	return d
}

// beside reads a path; a relative one starts at the configuration file.
func (b *block) beside(name string) string {
	value := b.text(name, "")
	if value == "" || filepath.IsAbs(value) {
		return value
	}
	return filepath.Join(filepath.Dir(b.r.file), value)
}
