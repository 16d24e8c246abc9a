package config

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Lives of tokens (contract 10 §2.3).
const (
	defaultAccessLife  = 6 * time.Hour
	testAccessLife     = 24 * time.Hour
	defaultRefreshLife = 48 * time.Hour
	shortestAccessLife = 30 * time.Minute
	defaultEmailLife   = time.Hour
	longestLife        = 100 * 365 * 24 * time.Hour
	maxMinutes         = int(longestLife / time.Minute)
)

// tokenLives reads the two keys in hours. A value out of its limits draws a warning
// and gives the default, as in the reference.
func (b *block) tokenLives(kind string) (access, refresh time.Duration) {
	access = b.hours("token_expires_hours", defaultAccessLife, shortestAccessLife)
	if kind == "test" {
		access = testAccessLife
	}
	return access, b.hours("refresh_token_expires_hours", defaultRefreshLife, access+time.Second)
}

func (b *block) hours(name string, byDefault, least time.Duration) time.Duration {
	e, ok := b.given(name)
	if !ok {
		return byDefault
	}
	hours, ok := decimal(e.node)
	if ok && hours <= longestLife.Hours() {
		if life := time.Duration(hours * float64(time.Hour)); life >= least {
			return life
		}
	}
	b.r.warn(e.line, b.key(name), "%s is not used, %g hours apply instead: must be a number of at least %.4g",
		shown(e.node.Value), byDefault.Hours(), least.Hours())
	return byDefault
}

// emailTokenLife reads the life of mailed tokens: the top level first, then `smtp`,
// the only place where the reference looked (contract 10 §6.8).
func (b *block) emailTokenLife() time.Duration {
	const name = "email_token_validity_minutes"
	where := b
	e, ok := b.given(name)
	if !ok {
		smtp, there := b.given("smtp")
		if !there {
			return defaultEmailLife
		}
		if where = b.r.mapping(b.key("smtp"), smtp.line, smtp.node); where == nil {
			return defaultEmailLife
		}
		if e, ok = where.given(name); !ok {
			return defaultEmailLife
		}
	}
	minutes, ok := decimal(e.node)
	life := time.Duration(min(minutes, float64(maxMinutes)) * float64(time.Minute))
	if !ok || life <= 0 {
		where.bad(name, e, "must be a positive number of minutes")
		return defaultEmailLife
	}
	return life
}

// keyVariable comes before jwt_secret_key.
const keyVariable = "VSERVER_JWT_SECRET_KEY"

// shortestKey is the least length in bytes of a key for HS256 (SECURITY T21).
const shortestKey = 32

// sampleKeys stand in published examples, so that anyone can sign with them.
var sampleKeys = []string{
	"super-secret-key!", "super-secret-key", "super-secret-password", "super-secret", "secret", "secret-key",
	"my-secret-key", "your-secret-key", "jwt_secret_key", "jwt-secret-key", "changeme", "change-me",
	"0000000000000000000000000000000000000000000000000000000000000000", // of `vserver config example`
}

// override puts the process's environment over the file and finishes what depends
// on both: the database URI is checked and a missing key generated.
func (b *block) override(c *Config, getenv func(string) string) {
	for _, v := range []struct {
		name string
		into *Secret
	}{
		{"VANTAGE6_DB_URI", &c.URI},
		{keyVariable, &c.JWTSecretKey},
		{"VSERVER_ROOT_PASSWORD", &c.RootPassword},
	} {
		value, err := variable(getenv, v.name)
		if err != nil {
			b.r.faults = append(b.r.faults, Fault{File: "environment", Key: v.name, Text: err.Error()})
		}
		if value != "" {
			*v.into = Secret(value)
		}
	}
	b.checkURI(c.URI, getenv)
	b.checkKey(c, getenv(keyVariable)+getenv(keyVariable+"_FILE") != "")
}

// variable reads an environment variable, or the file that NAME_FILE points to.
func variable(getenv func(string) string, name string) (string, error) {
	value, path := getenv(name), getenv(name+"_FILE")
	if path == "" {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("is set together with %s_FILE; set one of them", name)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the file of %s_FILE: %w", name, err)
	}
	value = strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return "", fmt.Errorf("the file of %s_FILE is empty: %s", name, path)
	}
	return value, nil
}

func (b *block) checkURI(uri Secret, getenv func(string) string) {
	_, err := ThisMachine(getenv).Database(uri, "")
	if err == nil {
		return
	}
	written, there := b.entries["uri"]
	switch {
	case !there && uri.Reveal() == "": // a fault of its own
	case !there || written.node.Value != uri.Reveal():
		b.r.faults = append(b.r.faults, Fault{File: "environment", Key: "VANTAGE6_DB_URI", Text: err.Error()})
	case written.node.Kind == yaml.ScalarNode: // another shape was a fault before
		b.r.fault(written.line, b.key("uri"), "%s", err)
	}
}

// checkKey generates a missing key and warns of a weak one (SECURITY T21), where it
// was given: in the file or by a variable of the process.
func (b *block) checkKey(c *Config, variable bool) {
	w := Warning{File: b.r.file, Line: b.line, Key: b.key("jwt_secret_key")}
	if e, ok := b.entries["jwt_secret_key"]; ok {
		w.Line = e.line
	}
	if variable {
		w = Warning{File: "environment", Key: keyVariable}
	}
	switch given := strings.ToLower(c.JWTSecretKey.Reveal()); {
	case given == "":
		c.JWTSecretGenerated = true
		var random [shortestKey]byte
		_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
		c.JWTSecretKey = Secret(hex.EncodeToString(random[:]))
		w.Text = "is absent: a random key is made at each start, which ends all earlier tokens"
	case slices.Contains(sampleKeys, given):
		w.Text = "is a published sample: anyone can make tokens with it; replace it"
	case len(given) < shortestKey:
		w.Text = fmt.Sprintf("has %d bytes; a key of at least %d random bytes is safe", len(given), shortestKey)
	default:
		return
	}
	b.r.warnings = append(b.r.warnings, w)
}
