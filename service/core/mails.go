package core

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"vserver/queries"
)

// MailKind is the occasion of a mail to a user (/docs/mail#kinds).
type MailKind string

// The kinds of mails.
const (
	PasswordRecovery     MailKind = "password recovery"
	SecondFactorRecovery MailKind = "second factor recovery"
	AccountLocked        MailKind = "account locked"
	PasswordChanged      MailKind = "password changed"
	SecondFactorChanged  MailKind = "second factor changed"
	Invitation           MailKind = "invitation"
)

// most is how many mails of a kind a user gets in an hour (/docs/security#t16). Whoever
// changes a password knows the former one, so that those are not in the hands of others.
func (k MailKind) most() int64 {
	if k == PasswordChanged || k == SecondFactorChanged {
		return 10
	}
	return 1
}

const (
	// mailsForNetwork is how many mails with a token one address may ask for in an hour.
	mailsForNetwork = 20
	// mailLife is how long it is tried to send a mail that has no token.
	mailLife = 24 * time.Hour
	// mailMemory is how long mails that are done are kept, because they count.
	mailMemory = 24 * time.Hour
	mailsPer   = time.Hour
)

// MailFacts is what the text of a mail is made of; what its kind does not need is empty.
type MailFacts struct {
	Username   string
	Name       string // the first name, or else the username
	Token      string
	Lasts      time.Duration // how long the token or the lock is good for
	Attempts   int64         // wrong passwords
	From       string        // address or network; empty: nobody knows
	Everywhere bool          // the lock is for all addresses
	At         time.Time
}

// Mail is one that has to be sent, and is in the hands of who took it.
type Mail struct {
	ID        int64
	Kind      MailKind
	Recipient string // as the user has it, which need not be an address
	Language  string // en or nl
	Facts     MailFacts
	Expires   time.Time // then it is worth nothing any more
	Tries     int64     // this one among them
	Doubts    int64     // how often nobody knows whether the mail server has taken it
	claim     queries.Time
}

// MailReady is told when there is a mail to send, or somebody to look for who asked for one.
func (c *Core) MailReady() <-chan struct{} { return c.mailReady }

func (c *Core) wakePostman() {
	select {
	case c.mailReady <- struct{}{}:
	default: // it is awake
	}
}

// TakeMails hands out mails that are due, the oldest first, for as long as the lease lasts:
// then others may take them, since whoever took them is gone.
func (c *Core) TakeMails(ctx context.Context, most int, lease time.Duration) (list []Mail, err error) {
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		list = nil
		rows, err := t.DueMails(ctx, &t.Now, int64(most))
		if err != nil {
			return err
		}
		until := queries.At(t.Now.Add(lease))
		for _, r := range rows {
			mine, err := t.ClaimMail(ctx, queries.ClaimMailParams{Until: &until, ID: r.ID, Due: r.DueAt})
			if err != nil {
				return err
			}
			if mine == 0 {
				continue
			}
			m := Mail{
				ID: r.ID, Kind: MailKind(r.Kind), Recipient: r.Recipient, Language: r.Language,
				Expires: r.ExpiresAt.Time, Tries: r.Tries + 1, Doubts: r.Doubts, claim: until,
			}
			if err := json.Unmarshal([]byte(r.Content), &m.Facts); err != nil {
				return fmt.Errorf("reading mail %d: %w", r.ID, err)
			}
			list = append(list, m)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for mails to send: %w", err)
	}
	return list, nil
}

// CloseMail notes that a mail is sent, or given up. What it said is not kept.
func (c *Core) CloseMail(ctx context.Context, m Mail) error {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error { return t.EndMail(ctx, m.ID) })
	if err != nil {
		return fmt.Errorf("noting that a mail is done: %w", err)
	}
	return nil
}

// PostponeMail puts a mail back that could not be sent, to be tried again at a moment. It
// stays where it is when another has taken its place meanwhile.
func (c *Core) PostponeMail(ctx context.Context, m Mail, until time.Time) error {
	due := queries.At(until)
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		_, err := t.MoveMail(ctx, queries.MoveMailParams{Due: &due, Tries: m.Tries, Doubts: m.Doubts, ID: m.ID, Claim: &m.claim})
		return err
	})
	if err != nil {
		return fmt.Errorf("putting a mail back: %w", err)
	}
	return nil
}

// ForgetMails deletes mails that are done and do not count any more.
func (c *Core) ForgetMails(ctx context.Context) error {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		return t.DeleteOldMails(ctx, queries.At(t.Now.Add(-mailMemory)))
	})
	if err != nil {
		return fmt.Errorf("forgetting mails: %w", err)
	}
	return nil
}

// WaitingMails is how many mails have to be sent.
func (c *Core) WaitingMails(ctx context.Context) (int64, error) {
	n, err := c.db.CountWaitingMails(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting mails: %w", err)
	}
	return n, nil
}

// AddMail stores a mail that is to be sent.
func (t *Tx) AddMail(ctx context.Context, m *queries.Mail) (err error) {
	t.OnCommit(t.core.wakePostman)
	m.ID, err = t.InsertMail(ctx, queries.InsertMailParams{
		UserID: m.UserID, Kind: m.Kind, Network: m.Network, Language: m.Language, Recipient: m.Recipient,
		Content: m.Content, CreatedAt: m.CreatedAt, ExpiresAt: m.ExpiresAt, DueAt: m.DueAt,
	})
	return err
}

// mailable reports whether a user, who is held, may get a mail of a kind now.
func (t *Tx) mailable(ctx context.Context, u queries.User, kind MailKind) (bool, error) {
	if !t.core.set.Mail {
		return false, nil
	}
	if email := value(u.Email); email == "" || email == rootEmail {
		t.leaveOut(kind, u, "the user has no address")
		return false, nil
	}
	n, err := t.CountMailsOfUser(ctx, queries.CountMailsOfUserParams{
		UserID: u.ID, Kind: string(kind), After: queries.At(t.Now.Add(-mailsPer)), Till: t.Now,
	})
	if err == nil && n >= kind.most() {
		t.leaveOut(kind, u, fmt.Sprintf("the user had %d within an hour", n))
	}
	return err == nil && n < kind.most(), err
}

// leftOut counts mails that are not sent, and tells when the log said so last: whoever asks
// for many need not fill it.
type leftOut struct {
	count atomic.Int64
	mu    sync.Mutex
	told  time.Time
}

// leftOutQuiet is the least time between two lines of the log about it.
const leftOutQuiet = time.Minute

// MailsLeftOut returns how many mails were not sent since the start because there were enough of
// them, or because a user has no address.
func (c *Core) MailsLeftOut() *atomic.Int64 { return &c.leftOut.count }

// leaveOut counts a mail that is not sent, and says so once a minute.
func (t *Tx) leaveOut(kind MailKind, u queries.User, why string) {
	t.OnCommit(func() {
		l := &t.core.leftOut
		n := l.count.Add(1)
		l.mu.Lock()
		defer l.mu.Unlock()
		if time.Since(l.told) < leftOutQuiet {
			return
		}
		l.told = time.Now()
		t.core.log.Warn().Msgf("Left out a mail about %s to user %s: %s (%d mails since the start)", kind, shown(value(u.Username)), why, n)
	})
}

// queueMail has a mail sent to a user once the transaction is durable.
func (t *Tx) queueMail(ctx context.Context, m queries.Mail, u queries.User, facts MailFacts) error {
	facts.Username = value(u.Username)
	facts.Name = cmp.Or(value(u.Firstname), facts.Username)
	m.UserID, m.Recipient, m.Content = u.ID, value(u.Email), string(mustJSON(facts))
	m.CreatedAt, m.DueAt = t.Now, &t.Now
	return t.AddMail(ctx, &m)
}

// notify tells a user, who is held, of something that happened to the account. There are
// not more of them than the kind has in an hour.
func (t *Tx) notify(ctx context.Context, u queries.User, kind MailKind, from Origin, facts MailFacts) error {
	may, err := t.mailable(ctx, u, kind)
	if err != nil || !may {
		return err
	}
	if facts.At.IsZero() {
		facts.At = t.Now.Time
	}
	return t.queueMail(ctx, queries.Mail{
		Kind: string(kind), Language: from.Language, ExpiresAt: queries.At(t.Now.Add(mailLife)),
	}, u, facts)
}

// notifyPasswordChanged tells a user, who is held, that the password is another one.
func (t *Tx) notifyPasswordChanged(ctx context.Context, u queries.User, from Origin) error {
	return t.notify(ctx, u, PasswordChanged, from, MailFacts{From: from.Address})
}

// notifySecondFactorChanged tells a user, who is held, that the second factor was set up,
// removed or replaced.
func (t *Tx) notifySecondFactorChanged(ctx context.Context, u queries.User, from Origin) error {
	return t.notify(ctx, u, SecondFactorChanged, from, MailFacts{From: from.Address})
}

// notifyLocked tells a user, who is held, when an account that was free is locked now.
func (t *Tx) notifyLocked(ctx context.Context, u queries.User, was, now tally, from Origin) error {
	if now.all.last == nil {
		return nil
	}
	set, at := t.core.set, now.all.last.Time
	tell := func(f failures, network string, everywhere bool) error {
		return t.notify(ctx, u, AccountLocked, from, MailFacts{
			Attempts: f.count, From: network, Everywhere: everywhere, Lasts: set.LockFor, At: f.last.Time,
		})
	}
	_, wholeWas := was.locked(set, "", at)
	if _, whole := now.locked(set, "", at); whole && !wholeWas {
		return tell(now.all, from.network(), true)
	}
	for network, f := range now.by {
		pairWas, _ := was.locked(set, network, at)
		if pair, _ := now.locked(set, network, at); pair && !pairWas {
			return tell(f, network, false)
		}
	}
	return nil
}
