package handlers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"vserver/service/core"
	"vserver/service/fault"
)

const (
	// keyHeader has the key of a request that its caller may send again (/docs/wire#repeat).
	keyHeader = "Idempotency-Key"
	// replayedHeader says that an answer is about what the same request did before.
	replayedHeader = "Idempotent-Replayed"
)

// keyed is a request with a key, and the digest of what has come of it.
type keyed struct {
	*core.Repeatable
	digest hash.Hash
}

// takeKey looks up the key of a request, if it has one.
func (k *call) takeKey() error {
	req := k.echo.Request()
	given := req.Header.Values(keyHeader)
	if len(given) == 0 {
		return nil
	}
	for _, c := range []byte(given[0]) {
		if c <= ' ' || c > '~' || len(given) > 1 {
			return fault.New(fault.Invalid, "An %s is one word of ASCII characters", keyHeader)
		}
	}
	var found *core.Repeatable
	err := k.s.core.Hold(k.ctx, k.until, func(ctx context.Context) (err error) {
		found, err = k.s.core.Repeatable(ctx, k.actor, given[0])
		return err
	})
	if err != nil {
		return err
	}
	k.key = &keyed{found, sha256.New()}
	k.ctx = found.Within(k.ctx)
	_, _ = fmt.Fprintf(k.key.digest, "%q %q %q\n", req.Method, req.URL.Path, req.URL.RawQuery) // a hash takes all
	return nil
}

// digested has what is read of a body go into the digest of a request that has a key.
func (k *call) digested(body io.ReadCloser) io.ReadCloser {
	if k.key == nil {
		return body
	}
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(body, k.key.digest), body}
}

// arrived is called when all of the request is there: one with a key may have come before.
func (k *call) arrived(err error) error {
	if err != nil || k.key == nil {
		return err
	}
	return k.key.Settle(k.key.digest.Sum(nil))
}

// markReplayed says that what the answer is about was done by the same request before.
func (k *call) markReplayed() {
	if k.key != nil && k.key.Done() {
		k.echo.Response().Header().Set(replayedHeader, "true")
	}
}
