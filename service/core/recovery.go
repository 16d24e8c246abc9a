package core

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"vserver/queries"
	"vserver/service/fault"
)

// Purpose is what a recovery token is for; it is worth nothing for another one
// (/docs/security#t18).
type Purpose string

// The purposes.
const (
	ForPassword     Purpose = "password"
	ForSecondFactor Purpose = "second factor"
)

// mail is the kind of mail that brings a token for the purpose.
func (p Purpose) mail() MailKind {
	if p == ForSecondFactor {
		return SecondFactorRecovery
	}
	return PasswordRecovery
}

// recoveryLife is how long a token may be used when nothing else is set.
const recoveryLife = time.Hour

// mostRequests is how many may wait to be looked up.
const mostRequests = 1000

// AskForPassword notes that somebody lost the password and wants a token by mail; the
// username comes before the e-mail address. Whether there is such a user is looked up
// later, so that neither the answer nor its time tells it (/docs/security#t17).
func (c *Core) AskForPassword(ctx context.Context, username, email *string, from Origin) error {
	if username != nil {
		email = nil
	}
	return c.requestRecovery(ctx, queries.InsertRecoveryRequestParams{Purpose: string(ForPassword), Username: username, Email: email}, from)
}

// AskForSecondFactor notes that somebody lost the second factor and wants a token by mail.
// A wrong password counts as at a log-in, and the answer is the same (/docs/security#t17).
func (c *Core) AskForSecondFactor(ctx context.Context, username, email *string, password string, from Origin) error {
	user, err := c.provenUser(ctx, username, email, password, from)
	if err != nil {
		return err
	}
	return c.requestRecovery(ctx, queries.InsertRecoveryRequestParams{Purpose: string(ForSecondFactor), UserID: user}, from)
}

// provenUser finds who knows the password of an account, nil for nobody. It takes as long
// whether there is such an account or not.
func (c *Core) provenUser(ctx context.Context, username, email *string, password string, from Origin) (*int64, error) {
	name := value(username)
	if username == nil {
		name = value(email)
	}
	u, err := findAsker(ctx, c.db.Queries, username, email)
	if queries.Missing(err) {
		if _, err = c.matches(ctx, from.asker(name), nil, password); err == nil {
			c.refuse(&c.refused.WrongPasswords, name, from, "there is no such user")
		}
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("looking up a user: %w", err)
	}
	ok, err := c.proves(ctx, u, password, from, from.asker(name), nil)
	if err != nil || !ok || u.InitialPassword && !from.Here && !c.set.RootFromAnywhere {
		return nil, err
	}
	return &u.ID, nil
}

func findAsker(ctx context.Context, q *queries.Queries, username, email *string) (queries.User, error) {
	if username != nil {
		return q.GetUserByUsername(ctx, username)
	}
	return q.GetUserByEmail(ctx, email)
}

// requestRecovery stores what ResolveRecoveries looks up. A server without mail stores nothing.
func (c *Core) requestRecovery(ctx context.Context, r queries.InsertRecoveryRequestParams, from Origin) error {
	if !c.set.Mail {
		return nil
	}
	r.Network, r.Language, r.Most = from.network(), from.Language, mostRequests
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		n, err := t.InsertRecoveryRequest(ctx, r)
		if err == nil && n == 0 {
			c.log.Warn().Msgf("Too many ask for a mail with a token: left out one, from %s", from.Address)
		}
		t.OnCommit(c.wakePostman)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing who asked for a mail: %w", err)
	}
	return nil
}

// ResolveRecoveries looks for the users who asked for a token and has it mailed to those
// that there are.
func (c *Core) ResolveRecoveries(ctx context.Context) error {
	ids, err := c.db.RecoveryRequests(ctx)
	if err != nil {
		return fmt.Errorf("looking for requests of mails: %w", err)
	}
	for _, id := range ids {
		err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
			r, err := t.TakeRecoveryRequest(ctx, id)
			if queries.Missing(err) {
				return nil // another server did
			}
			if err != nil {
				return err
			}
			return t.resolve(ctx, r)
		})
		if err != nil {
			return fmt.Errorf("answering a request of a mail: %w", err)
		}
	}
	return nil
}

func (t *Tx) resolve(ctx context.Context, r queries.RecoveryRequest) error {
	var u queries.User
	var err error
	switch {
	case r.UserID != nil:
		u, err = t.HoldUser(ctx, *r.UserID)
	case Purpose(r.Purpose) == ForSecondFactor:
		return nil // who did not know the password
	default:
		if u, err = findAsker(ctx, t.Queries, r.Username, r.Email); err == nil {
			u, err = t.HoldUser(ctx, u.ID)
		}
	}
	if queries.Missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return t.mailToken(ctx, u, Purpose(r.Purpose), r.Network, r.Language)
}

// mailToken has a token mailed to a user, who is held, unless the account or the address
// that asked had enough of them (/docs/security#t16).
func (t *Tx) mailToken(ctx context.Context, u queries.User, p Purpose, network, language string) error {
	may, err := t.mailable(ctx, u, p.mail())
	if err != nil || !may {
		return err
	}
	if network != "" {
		n, err := t.CountMailsForNetwork(ctx, queries.CountMailsForNetworkParams{
			Network: network, After: queries.At(t.Now.Add(-mailsPer)), Till: t.Now,
		})
		if err != nil {
			return err
		}
		if n >= mailsForNetwork {
			t.leaveOut(p.mail(), u, fmt.Sprintf("%s asked for %d within an hour", network, n))
			return nil
		}
	}
	token, until, err := t.issue(ctx, u.ID, p)
	if err != nil {
		return err
	}
	// An earlier one that still waits has a token that is worth nothing any more.
	if err := t.EndMailsOfUser(ctx, u.ID, string(p.mail())); err != nil {
		return err
	}
	facts := MailFacts{Token: token, Lasts: until.Sub(t.Now.Time), At: t.Now.Time}
	return t.queueMail(ctx, queries.Mail{
		Kind: string(p.mail()), Network: network, Language: language, ExpiresAt: queries.At(until),
	}, u, facts)
}

// issue makes a token for a user, in place of an earlier one for the purpose.
func (t *Tx) issue(ctx context.Context, user int64, p Purpose) (token string, until time.Time, err error) {
	return t.issueFor(ctx, user, p, t.core.set.RecoveryLife)
}

// issueFor is issue for a token that lasts another time.
func (t *Tx) issueFor(ctx context.Context, user int64, p Purpose, life time.Duration) (token string, until time.Time, err error) {
	token, until = rand.Text(), t.Now.Add(life)
	err = t.PutRecovery(ctx, queries.PutRecoveryParams{
		UserID: user, Purpose: string(p), Digest: digestToken(token), ExpiresAt: queries.At(until),
	})
	return token, until, err
}

// digestToken is the stored form of a token, whose 130 random bits nobody can guess.
func digestToken(token string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// IssueToken makes a token for those who hold the database itself, for a user whom no mail
// reaches, and tells until when it may be used.
func (c *Core) IssueToken(ctx context.Context, username string, p Purpose) (token string, until time.Time, err error) {
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.heldByName(ctx, username)
		if err != nil {
			return err
		}
		token, until, err = t.issue(ctx, u.ID, p)
		return err
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("making a token: %w", err)
	}
	return token, until, nil
}

// heldByName holds the user of a name, for those who hold the database itself.
func (t *Tx) heldByName(ctx context.Context, username string) (queries.User, error) {
	u, err := t.GetUserByUsername(ctx, &username)
	if queries.Missing(err) {
		return u, fault.New(fault.Missing, "there is no user %s", username)
	}
	if err != nil {
		return u, err
	}
	return t.HoldUser(ctx, u.ID)
}

// tokenOf looks a token up that is for a purpose.
func tokenOf(ctx context.Context, q *queries.Queries, p Purpose, token string) (queries.Recovery, error) {
	r, err := q.FindRecovery(ctx, digestToken(token))
	switch {
	case queries.Missing(err), err == nil && r.Purpose != string(p):
		return r, errNoToken()
	case err != nil:
		return r, fmt.Errorf("looking up a token: %w", err)
	case !time.Now().Before(r.ExpiresAt.Time):
		return r, fault.New(fault.Unauthorized, "Token has expired")
	}
	return r, nil
}

func errNoToken() error { return fault.New(fault.Invalid, "Invalid recovery token!") }

// redeem takes a token out of use, once and for all, and returns its user, who is held.
// A transaction that fails leaves it as it was.
func (t *Tx) redeem(ctx context.Context, p Purpose, token string) (queries.User, error) {
	r, err := tokenOf(ctx, t.Queries, p, token)
	if err != nil {
		return queries.User{}, err
	}
	n, err := t.UseRecovery(ctx, r.Digest)
	if err == nil && n == 0 {
		err = errNoToken() // somebody was faster
	}
	if err != nil {
		return queries.User{}, err
	}
	return t.HoldUser(ctx, r.UserID)
}

// ResetPassword sets the password of a token's user (/docs/tokens#recovery). All log-ins and
// tokens of the user end, and wrong passwords are forgotten; the second factor stays.
func (c *Core) ResetPassword(ctx context.Context, token, fresh string, from Origin) error {
	r, err := tokenOf(ctx, c.db.Queries, ForPassword, token)
	if err == nil {
		err = CheckPasswordPolicy(fresh)
	}
	if err != nil {
		return err
	}
	hash, err := c.hash(ctx, r.UserID, fresh)
	if err != nil {
		return err
	}
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.redeem(ctx, ForPassword, token)
		if err != nil {
			return err
		}
		return t.replacePassword(ctx, u, hash, from)
	})
	if err != nil {
		return fmt.Errorf("resetting a password: %w", err)
	}
	return nil
}

// SetPassword is ResetPassword for those who hold the database itself.
func (c *Core) SetPassword(ctx context.Context, username, fresh string) error {
	if err := CheckPasswordPolicy(fresh); err != nil {
		return err
	}
	hash, err := c.hash(ctx, 0, fresh)
	if err != nil {
		return err
	}
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.heldByName(ctx, username)
		if err != nil {
			return err
		}
		if err := t.CountChange(ctx); err != nil { // running servers forget what they know of the user
			return err
		}
		return t.replacePassword(ctx, u, hash, Origin{})
	})
	if err != nil {
		return fmt.Errorf("setting a password: %w", err)
	}
	return nil
}

// replacePassword gives a user, who is held, a new password in place of a lost one.
func (t *Tx) replacePassword(ctx context.Context, u queries.User, hash string, from Origin) error {
	u.Password = &hash
	if err := firstError(t.PasswordSet(ctx, &u), t.SaveUser(ctx, u)); err != nil {
		return err
	}
	if err := t.endSessions(ctx, u.ID); err != nil {
		return err
	}
	return firstError(t.forgiveAll(ctx, u.ID), t.notifyPasswordChanged(ctx, u, from))
}

// endSessions ends all tokens and live connections of an account.
func (t *Tx) endSessions(ctx context.Context, account int64) error {
	t.rightsChanged()
	t.closeSockets(account)
	return t.RevokeAllTokens(ctx, account)
}
