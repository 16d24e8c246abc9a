package core

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

const (
	// leastKey and mostKey are how long the key of a request may be, in bytes. What a request did is sealed with it,
	// so that nobody should guess it.
	leastKey, mostKey = 16, 255
	// keyLife is how long a request may be sent again, and mostKeys how many of its newest ones a caller.
	keyLife  = 24 * time.Hour
	mostKeys = 10_000
	// keyPause is the time between two looks for keys that are too old.
	keyPause = time.Minute
)

// Repeatable is a request that its caller may send again with the key that it has: what it did is stored with what it
// changed, and answered the next time in place of doing it again (/docs/wire#repeat).
type Repeatable struct {
	actor   access.Actor
	seal    cipher.AEAD
	name    []byte                     // digest of the key and its caller
	request []byte                     // digest of the request
	stored  *queries.FindRequestKeyRow // by a request with this key; nil: there was none
	done    *deed                      // by this request, when it came before
}

// deed is what a request did.
type deed struct {
	Rules access.Set // of the caller
	Left  []json.RawMessage
}

// Repeatable looks up the key of a request. Its caller tells nobody else what it did.
func (c *Core) Repeatable(ctx context.Context, a access.Actor, key string) (*Repeatable, error) {
	if len(key) < leastKey || len(key) > mostKey {
		return nil, fault.New(fault.Invalid, "An Idempotency-Key has %d to %d characters, such as a random UUID", leastKey, mostKey)
	}
	name := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %s", a.Kind, a.ID, a.TaskID, key))
	r := &Repeatable{actor: a, name: name[:]}
	derived, err := hkdf.Key(sha256.New, []byte(key), r.name, "what a request did", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err == nil {
		r.seal, err = cipher.NewGCMWithRandomNonce(block)
	}
	if err != nil {
		return nil, fmt.Errorf("preparing a key: %w", err)
	}
	return r, r.find(ctx, c.db.Queries)
}

func (r *Repeatable) find(ctx context.Context, q *queries.Queries) error {
	r.stored = nil
	row, err := q.FindRequestKey(ctx, r.name)
	if queries.Missing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking up the key of a request: %w", err)
	}
	r.stored = &row
	return nil
}

// Settle takes the digest of all that the request is, and finds out whether it came before.
func (r *Repeatable) Settle(request []byte) error {
	r.request = request
	if r.stored == nil {
		return nil
	}
	return r.recognize()
}

// Done reports whether the request came before, and did what it asks for.
func (r *Repeatable) Done() bool { return r.done != nil }

// recognize reads what a request with this key did, if it was this one. Whoever has lost rights since then is told
// nothing more of it.
func (r *Repeatable) recognize() error {
	if r.stored == nil {
		return fault.New(fault.Busy, "The Idempotency-Key was just forgotten, try again")
	}
	if !hmac.Equal(r.request, r.stored.Request) {
		return fault.New(fault.Reused, "The Idempotency-Key belongs to another request that you sent: every request needs a new one")
	}
	text, err := r.seal.Open(nil, nil, r.stored.Outcome, r.name)
	if err != nil {
		return fmt.Errorf("unsealing what a request did: %w", err)
	}
	var d deed
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("reading what a request did: %w", err)
	}
	if _, lost := r.actor.Rules.Lacks(d.Rules); lost {
		return fault.New(fault.Denied, "The request was carried out before; you have lost permissions since then")
	}
	r.done = &d
	return nil
}

// recall leaves what the request did where it left it.
func (r *Repeatable) recall(left []any) error {
	if len(left) != len(r.done.Left) {
		return fmt.Errorf("what a request did has %d parts in place of %d", len(r.done.Left), len(left))
	}
	for i, to := range left {
		if err := json.Unmarshal(r.done.Left[i], to); err != nil {
			return fmt.Errorf("reading what a request did: %w", err)
		}
	}
	return nil
}

// sealed is what is stored of what the request did.
func (r *Repeatable) sealed(left []any) []byte {
	d := deed{Rules: r.actor.Rules, Left: make([]json.RawMessage, len(left))}
	for i, from := range left {
		d.Left[i] = mustJSON(from)
	}
	return r.seal.Seal(nil, nil, mustJSON(d), r.name) //nolint:gosec // this cipher makes its nonce itself
}

// repeatableKey is where the context of a request has its Repeatable.
type repeatableKey struct{}

// Within is a context in which a use case is carried out once for all requests with this key.
func (r *Repeatable) Within(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatableKey{}, r)
}

func repeatableOf(ctx context.Context) *Repeatable {
	r, _ := ctx.Value(repeatableKey{}).(*Repeatable)
	return r
}

// mayBeDone reports whether a request with this key was carried out, so that what it asks for may be there already.
func mayBeDone(ctx context.Context) bool {
	r := repeatableOf(ctx)
	return r != nil && r.stored != nil
}

// once is transact for what a caller may ask for with a key. What f leaves is stored with what it writes; f is not
// called again for the same request, but has left the same.
func (c *Core) once(ctx context.Context, f func(ctx context.Context, t *Tx) error, left ...any) error {
	r := repeatableOf(ctx)
	if r == nil {
		return c.transact(ctx, f)
	}
	if !r.Done() {
		err := c.transact(ctx, func(ctx context.Context, t *Tx) error { return r.carryOut(ctx, t, f, left) })
		if err != nil {
			r.done = nil // what was found is undone as well
			return err
		}
	}
	if !r.Done() {
		return nil
	}
	return r.recall(left)
}

// carryOut calls f, or finds what another request with this key has done, which the transaction may yet undo: nothing
// of it is left where f would leave it.
func (r *Repeatable) carryOut(ctx context.Context, t *Tx, f func(ctx context.Context, t *Tx) error, left []any) error {
	r.done, t.keyed = nil, true
	claimed, err := t.ClaimRequestKey(ctx, queries.ClaimRequestKeyParams{
		Name: r.name, AccountID: r.actor.ID, At: t.Now, Request: r.request, Outcome: []byte{},
	})
	if err != nil {
		return fmt.Errorf("storing the key of a request: %w", err)
	}
	if claimed == 0 { // the same was under way
		return firstThat(func() error { return r.find(ctx, t.Queries) }, r.recognize)
	}
	if err := f(ctx, t); err != nil {
		return err
	}
	return t.KeepOutcome(ctx, r.sealed(left), r.name)
}

// ForgetRequestKeys deletes the keys of before a moment, and all but some of each caller, a few at a time.
func (c *Core) ForgetRequestKeys(ctx context.Context, before time.Time, most int64) error {
	for {
		ids, err := c.db.StaleRequestKeys(ctx, most, queries.At(before))
		if err != nil {
			return fmt.Errorf("looking for old keys of requests: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		err = c.transact(ctx, func(ctx context.Context, t *Tx) error { return t.DeleteRequestKeys(ctx, idSet(ids)) })
		if err != nil {
			return fmt.Errorf("deleting old keys of requests: %w", err)
		}
	}
}
