package handlers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"time"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

// Limits of bodies (/docs/wire#limits).
const (
	// usualBody is the most that a body may have, or the rest of one whose long texts go
	// their own way.
	usualBody = 10 << 20
)

// bodyPause is how long a sender may leave a body standing still, unless Options say so.
const bodyPause = 30 * time.Second

// load takes in the whole body, before any transaction: a slow sender must hold up
// nobody.
func (k *call) load() error { return k.arrived(k.inTurn(k.loadWhole)) }

func (k *call) loadWhole() error {
	req := k.echo.Request()
	body := k.steadyBody()
	if req.ContentLength > body.most {
		return body.why
	}
	if req.ContentLength > usualBody {
		return tooLarge()
	}
	var err error
	k.raw, err = io.ReadAll(io.LimitReader(body, smallBody))
	if err == nil && len(k.raw) == smallBody && req.ContentLength != smallBody {
		err = k.readLarge(body)
	}
	if err != nil {
		return unread(err) // with its deadline, since the server reads the rest before it gives up the connection
	}
	body.ended()
	return nil
}

// readLarge reads on behind a small body's length.
func (k *call) readLarge(body io.Reader) error {
	length := k.longest()
	if err := k.reserve(copiesOfBody * length); err != nil {
		return err
	}
	whole := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
	whole.Write(k.raw)
	_, err := whole.ReadFrom(http.MaxBytesReader(k.echo.Response(), io.NopCloser(body), usualBody-smallBody))
	k.raw = whole.Bytes()
	k.keepMemory(copiesOfBody * int64(len(k.raw)))
	return err //nolint:wrapcheck // the caller tells what it means
}

// longest is the most that the body may have without long texts, in bytes.
func (k *call) longest() int64 {
	if length := k.echo.Request().ContentLength; length >= 0 {
		return min(length, usualBody)
	}
	return usualBody
}

// escapedByte is how many bytes JSON may take for one byte of a text, as in `\u0041`.
const escapedByte = 6

// longBody tells which texts of a body go to where they are kept.
type longBody struct {
	// takes names the text at a place, or the object that becomes one, "" for what is none.
	takes func(place []string, object bool) string
	most  int64 // how many there may be; 0 for any number
	// judge looks at what has come of a body that is not small without its texts, whether
	// more of it is of any use; nil when it is.
	judge func(begun []byte) error
}

// loadTexts takes in a body and lets its long texts go to where they are kept.
func (k *call) loadTexts(long longBody) error {
	return k.arrived(k.inTurn(func() error { return k.splitBody(long) }))
}

func (k *call) splitBody(long longBody) error {
	req := k.echo.Request()
	body := k.steadyBody()
	if req.ContentLength > body.most {
		return body.why
	}
	if limit := k.s.core.TextLimit(); long.most > 0 && req.ContentLength > usualBody+long.most*escapedByte*limit {
		return fault.New(fault.TooLarge, "The body is larger than it can be with texts of at most %d bytes (limits: payload)", limit)
	}
	s := splitter{ctx: k.ctx, most: streamRest, wider: k.widerRest, short: shortObject, room: k.reserveMore, takes: func(place []string, object bool) *core.Arriving {
		what := long.takes(place, object)
		if what == "" {
			return nil
		}
		a := k.s.core.ReceiveText(what, k.until)
		k.arriving = append(k.arriving, a)
		return a
	}}
	s.src = &threshold{body, smallBody, func() error {
		if long.judge != nil {
			if err := long.judge(s.rest); err != nil {
				return err
			}
		}
		return k.reserve(min(copiesOfBody*k.longest(), streamMemory))
	}}
	err := s.split()
	k.raw, k.texts = s.rest, s.texts
	var bad textFault
	switch {
	case errors.As(err, &bad):
		k.textFault = fault.New(fault.Invalid, "%s: %s", s.bad, bad)
	case errors.Is(err, errRestTooLong):
		return fault.New(fault.TooLarge, "The body is larger than %d bytes without its texts", usualBody)
	case err != nil && s.ended != nil && !errors.Is(s.ended, io.EOF):
		return unread(err)
	case err != nil:
		return err
	}
	if err == nil {
		body.ended()
	}
	return nil
}

// widerRest has room for a longer rest of a body, and returns how long that may be.
func (k *call) widerRest(was int) (int, error) {
	most := min(8*was, usualBody)
	if most == was {
		return 0, errRestTooLong
	}
	return most, k.reserveMore(copiesOfBody * int64(most-was))
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "The body is larger than %d bytes", usualBody)
}

// dropTexts deletes what no use case took over, also when the caller has gone.
func (k *call) dropTexts() {
	for _, a := range k.arriving {
		if err := a.Discard(context.WithoutCancel(k.ctx)); err != nil {
			k.s.log.Warn().Err(err).Msg("A text that nobody took over stays until the next sweep")
		}
	}
}

// steady is a body whose sender may take long, but neither pause nor trickle: every pause
// that is waited for, of 30 seconds, brings at least a number of bytes (/docs/security#u9).
type steady struct {
	io.ReadCloser
	control *http.ResponseController
	pause   time.Duration
	least   int64 // bytes
	got     int64
	waited  time.Duration
	most    int64 // bytes that are read at all
	why     error // the reason
}

// Bytes that a sender has to bring in a second: who may do more than send is trusted with
// a slower line.
const (
	leastRate     = 1 << 10
	leastNodeRate = 256
)

// steadyBody is the body of a request.
func (k *call) steadyBody() *steady {
	rate := int64(leastRate)
	if k.actor.Kind == access.Node {
		rate = leastNodeRate
	}
	body := &steady{
		ReadCloser: k.digested(k.echo.Request().Body), control: http.NewResponseController(k.echo.Response()),
		pause: k.s.opt.BodyPause, least: rate * int64(bodyPause/time.Second), most: math.MaxInt64,
	}
	if k.powerless { // short ones are read, because a row that is missing is told before a right that is
		body.most, body.why = smallBody, fault.Deny()
	}
	return body
}

// Read waits for more as long as the sender may still take. What has no deadlines, as a body
// in a test, is waited for.
func (s *steady) Read(p []byte) (int, error) {
	if s.most < 0 {
		return 0, s.why
	}
	begin := time.Now()
	_ = s.control.SetReadDeadline(begin.Add(s.pause - s.waited))
	n, err := s.ReadCloser.Read(p)
	s.waited += time.Since(begin)
	s.most -= int64(n)
	if s.got += int64(n); s.got >= s.least {
		s.got, s.waited = 0, 0
	}
	return n, err
}

// ended takes the deadline away once everything is there.
func (s *steady) ended() { _ = s.control.SetReadDeadline(time.Time{}) }

func unread(err error) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge()
	}
	return fault.Wrap(fault.Broken, err, "The body could not be read")
}
