package handlers

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// factorDeviations are the differences from the recording of the second factor.
var factorDeviations = map[string]deviation{
	"2fa.002": {200, "/docs/tokens#second-factor: a secret that is not confirmed is shown again"},
}

// TestGoldenSecondFactor replays the log-ins of a server on which every user has a second factor. The
// recording has the same code twice, as text and as a number; here the second one is the next code.
func TestGoldenSecondFactor(t *testing.T) {
	set := withFactor()
	set.MaxFailedAttempts, set.LockFor = 2, time.Minute
	g := newReplay(t, set)
	secret := ""
	for _, e := range exchanges(t, "2fa", 9) {
		for mark, later := range map[string]int{`"<code>"`: 0, `"<code as a number>"`: 1} {
			if !bytes.Contains(e.Body, []byte(mark)) {
				continue
			}
			code := `"` + codeAt(t, secret, later) + `"`
			if later > 0 {
				code = strings.TrimLeft(strings.Trim(code, `"`), "0")
			}
			e.Body = bytes.ReplaceAll(e.Body, []byte(mark), []byte(code))
		}
		reply := g.send(e)
		e.Kind = "json"
		found := g.compare(e, reply)
		if _, known := factorDeviations[e.ID]; known != (len(found) > 0) {
			t.Errorf("%s (%s): got %d %s, want %d %v: %q", e.ID, e.Note, reply.Code, reply.Body, e.Status, e.Response, found)
		}
		var shown setUpJSON
		if json.Unmarshal(reply.Body.Bytes(), &shown) == nil && shown.Secret != "" {
			if secret != "" && shown.Secret != secret {
				t.Errorf("%s: another secret is shown", e.ID)
			}
			secret = shown.Secret
			if want := strings.ReplaceAll("otpauth://totp/vantage6%20%28petronas%29:admin?secret=<secret>&issuer=vantage6%20%28petronas%29", "<secret>", secret); shown.URI != want {
				t.Errorf("%s: %s, want %s", e.ID, shown.URI, want)
			}
		}
	}
	if len(g.seen) != 9 {
		t.Errorf("%d exchanges were replayed", len(g.seen))
	}
}
