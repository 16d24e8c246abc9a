package vpn

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Cause classifies failures by what their caller is told.
type Cause uint8

// The causes.
const (
	Unconfigured Cause = iota // these settings, or the profiles of this portal, give no VPN
	Unreachable               // there is no connection to the portal, or none that can be trusted
	Refused                   // the portal does not let this server in
	Unusable                  // what the portal answers, or that it does not, is of no use
)

// Step is a part of the exchange with the portal.
type Step string

// The steps, in their order.
const (
	Settings  Step = "settings"
	LogIn     Step = "log-in"
	Authorize Step = "authorization"
	Token     Step = "access token"
	Profiles  Step = "list of profiles"
	Profile   Step = "profile"
	KeyPair   Step = "key pair"
)

// Failure is why there is no VPN configuration. Its text may hold the portal's own words,
// so it is for logs and not for callers; it holds no secret of the exchange.
type Failure struct {
	Cause Cause
	Step  Step
	Text  string
	Err   error // may be nil
}

// Error names the step that failed, and why.
func (f *Failure) Error() string {
	text := fmt.Sprintf("%s at the VPN portal: %s", f.Step, f.Text)
	if f.Step == Settings {
		text = "vpn_server " + f.Text
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap returns what the failure comes from.
func (f *Failure) Unwrap() error { return f.Err }

func failure(c Cause, at Step, format string, args ...any) *Failure {
	return &Failure{Cause: c, Step: at, Text: fmt.Sprintf(format, args...)}
}

// mostWords is how many bytes of a portal's own words are kept.
const mostWords = 300

// words returns what a portal said in its own words, quoted; pages for people are left
// out.
func words(body []byte) string {
	var said struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	var text string
	if json.Unmarshal(body, &said) != nil || json.Unmarshal(said.Error, &text) != nil {
		return ""
	}
	if said.Description != "" {
		text += ": " + said.Description
	}
	if len(text) > mostWords {
		text = strings.ToValidUTF8(text[:mostWords], "") + "…"
	}
	return fmt.Sprintf(" (it says %q)", text)
}
