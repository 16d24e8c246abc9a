package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/core"
	"vserver/service/fault"
)

const (
	// mostAtOnce is how many mails are on their way at a time.
	mostAtOnce = 4
	// lease is how long a mail is in the hands of one server: longer than any try takes.
	lease = 30 * time.Minute
	// firstWait comes before the second try; each further one waits twice as long.
	firstWait   = 30 * time.Second
	longestWait = time.Hour
	// look is how often it is looked for mails that are due, or came from another process.
	look = 5 * time.Second
	// tidy is how often what is done is looked for that does not count any more.
	tidy = time.Hour
	// rest is how long noting the outcome may take once the server ends.
	rest = 2 * time.Second
)

// Counts are what became of tries to send since the start.
type Counts struct {
	Sent, Failed, GivenUp atomic.Int64
}

// Postman sends what waits in the queue of a server.
type Postman struct {
	core   *core.Core
	sender *Sender
	places Places
	log    zerolog.Logger

	firstWait, look time.Duration

	// Counts may be read at any time.
	Counts Counts

	under sync.WaitGroup
	free  chan struct{} // a place for each mail that may be on its way
	back  chan struct{} // told when a place got free
	blind bool          // the queue could not be read
	noted time.Time     // when it was tidied last
}

// NewPostman makes the one who sends the mails of a server.
func NewPostman(c *core.Core, s *Sender, at Places, log zerolog.Logger) *Postman {
	return &Postman{
		core: c, sender: s, places: at, log: log, firstWait: firstWait, look: look,
		free: make(chan struct{}, mostAtOnce), back: make(chan struct{}, 1),
	}
}

// Run sends until ctx ends. It does not wait for a mail server then: what is on its way is
// cut off, and goes out after the next start.
func (p *Postman) Run(ctx context.Context) {
	defer p.under.Wait()
	p.log.Info().Msgf("Mail goes out through %s, from %s", p.sender.Place(), p.sender.From())
	tick := time.NewTicker(p.look)
	defer tick.Stop()
	for {
		p.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-p.core.MailReady():
		case <-p.back:
		case <-tick.C:
		}
	}
}

// round hands out all that can be on its way now.
func (p *Postman) round(ctx context.Context) {
	err := p.core.ResolveRecoveries(ctx)
	if err == nil && time.Since(p.noted) > tidy {
		p.noted = time.Now()
		err = p.core.ForgetMails(ctx)
	}
	var mails []core.Mail
	if room := cap(p.free) - len(p.free); err == nil && room > 0 {
		mails, err = p.core.TakeMails(ctx, room, lease)
	}
	p.sight(ctx, err)
	for _, m := range mails {
		p.free <- struct{}{}
		p.under.Go(func() {
			defer p.release()
			var panicked *fault.Panic
			if errors.As(fault.Caught(func() error { p.carry(ctx, m); return nil }), &panicked) {
				p.log.Error().Func(panicked.Detail).Msg("Sending a mail panicked, it will be tried again")
			}
		})
	}
}

func (p *Postman) release() {
	<-p.free
	select {
	case p.back <- struct{}{}:
	default:
	}
}

// sight says once that the queue cannot be read, or can be read again.
func (p *Postman) sight(ctx context.Context, err error) {
	if ctx.Err() != nil || p.blind == (err != nil) {
		return
	}
	if p.blind = err != nil; p.blind {
		p.log.Warn().Err(err).Msg("The queue of mails cannot be worked at, it will be tried again")
		return
	}
	p.log.Info().Msg("The queue of mails can be worked at again")
}

// carry tries to send one mail and notes what came of it.
func (p *Postman) carry(ctx context.Context, m core.Mail) {
	err := errTooLate
	if time.Now().Before(m.Expires) {
		err = p.sender.Send(ctx, Letter{To: m.Recipient, ID: idOf(m), Text: Compose(m.Language, m.Kind, m.Facts, p.places)})
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), rest)
	defer cancel()
	if err := p.note(noting, m, err, ctx.Err() != nil); err != nil {
		p.log.Warn().Err(err).Msgf("What came of a mail about %s to user %q could not be noted", m.Kind, m.Facts.Username)
	}
}

var errTooLate = errors.New("its time is over")

// idOf names a mail to the world, the same at every try.
func idOf(m core.Mail) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s %s", m.ID, m.Kind, m.Recipient, m.Facts.At.UTC().Format(time.RFC3339Nano)))
	return hex.EncodeToString(sum[:16])
}

// note writes down what came of a try.
func (p *Postman) note(ctx context.Context, m core.Mail, err error, ending bool) error {
	if err == nil {
		p.Counts.Sent.Add(1)
		p.log.Info().Msgf("Sent a mail about %s to user %q", m.Kind, m.Facts.Username)
		return p.core.CloseMail(ctx, m)
	}
	var f *Failure
	final := errors.Is(err, errTooLate)
	if errors.As(err, &f) {
		final = f.Final
		if f.Doubtful {
			m.Doubts++
		}
	}
	left := time.Until(m.Expires)
	wait := min(p.wait(m.Tries), left/2)
	switch {
	case ending && m.Doubts == 0:
		m.Tries--
		return p.core.PostponeMail(ctx, m, time.Now())
	case m.Doubts > 1:
		final, err = true, fmt.Errorf("nobody knows whether it arrived: %w", err)
	case left < p.firstWait:
		final = true
	}
	if final {
		p.Counts.GivenUp.Add(1)
		p.log.Error().Msgf("Gave up a mail about %s to user %q after %d tries: %s", m.Kind, m.Facts.Username, m.Tries, err)
		return p.core.CloseMail(ctx, m)
	}
	p.Counts.Failed.Add(1)
	p.log.Warn().Msgf("Could not send a mail about %s to user %q, the next try is in %s: %s", m.Kind, m.Facts.Username, wait.Round(time.Second), err)
	return p.core.PostponeMail(ctx, m, time.Now().Add(wait))
}

// wait is how long it takes from a try to the next one.
func (p *Postman) wait(tries int64) time.Duration {
	doublings := min(max(tries-1, 0), 20)
	return min(p.firstWait<<doublings, longestWait)
}
