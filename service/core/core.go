// Package core holds the use cases, a file for each noun: the permission, the
// transaction, the event. It knows no HTTP and no JSON of the wire; it imports
// access, fault, bus, queries, and vpn for what a portal gives.
//
// Every function that touches data of the field takes the access.Grant of its
// permission, and answers with faults whose texts are the contract's. Events go out
// after the commit.
//
// It is large because the nouns refer to each other: a collaboration that goes takes
// its tasks, results and nodes along in one transaction.
package core

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/bus"
	"vserver/service/vpn"
)

// Settings are the choices of the configuration that use cases depend on.
type Settings struct {
	MaxFailedAttempts int           // wrong passwords before an account is locked
	LockFor           time.Duration // how long it stays locked
	RootPassword      string        // of the first user; empty: the one everybody knows
	// RootFromAnywhere lets the first user in from anywhere while its password is the one
	// everybody knows: the environment is dev or test (/docs/security#t22).
	RootFromAnywhere bool
	// SecondFactor has every user log in with a code of an authenticator as well.
	SecondFactor bool
	Key          Key // of second factors; without Read there is none
	// PasswordCost is bcrypt's for new passwords; 0: the reference's. Tests take less,
	// because they would spend most of their time on it.
	PasswordCost int
	// NoticePause is the least time between two messages to a room about who came and
	// went (/docs/live#notices); 0: 200 ms.
	NoticePause time.Duration
	// TextLimit is how many bytes an input, a result or a log may have; 0: 1 GiB.
	TextLimit int64
	// VPN is the portal that nodes get their VPN from; nil: there is none.
	VPN *vpn.Portal
	// HoldFor is how long what a node says of a result is held while it cannot be stored;
	// 0: a minute.
	HoldFor time.Duration
	// KeyHold is how long somebody waits for the search for an API key that a 3.x server has left, before
	// the connection is cut; 0: 25 s.
	KeyHold time.Duration
	// KeyAnswer is how long the process that searches for it may take for one comparison; 0: a minute.
	KeyAnswer time.Duration
	// Mail reports whether mails are sent; without it nothing waits to be.
	Mail bool
	// RecoveryLife is how long a token may be used that lets somebody back in; 0: an hour.
	RecoveryLife time.Duration
}

// textLimit is the usual limit of a text.
const textLimit = 1 << 30

// Core is all use cases over one database.
type Core struct {
	takenOver  time.Time
	db         *queries.DB
	bus        *bus.Bus
	log        zerolog.Logger
	set        Settings
	identities *identityCache
	lastSeen   *lastSeen
	wrongTries *repetitions // of current passwords
	unwritten  *unwritten
	spent      *spentCodes // that could not be written
	sealing    atomic.Pointer[sealer]
	refused    LogInCount
	presence   *presence
	notices    *notices
	turns      *turns // at hashing passwords
	oldKeys    *oldKeys
	drafts     *drafts
	chunking   chan struct{} // a turn to write a chunk
	digester   []byte
	mailReady  chan struct{}
	leftOut    leftOut
	// Up to which id rows are tallied, as far as this server has seen.
	talliedTasks, talliedResults atomic.Int64
	peers                        *peers // nil: this is the only server of the database
}

// New makes the use cases and prepares the database for them: rules, default roles
// and the first user (/docs/permissions#start).
func New(ctx context.Context, db *queries.DB, b *bus.Bus, log zerolog.Logger, set Settings) (*Core, error) {
	set.PasswordCost = cmp.Or(set.PasswordCost, bcryptCost)
	set.TextLimit = cmp.Or(set.TextLimit, textLimit)
	set.HoldFor = cmp.Or(set.HoldFor, holdFor)
	set.KeyHold = cmp.Or(set.KeyHold, oldKeyHold)
	set.KeyAnswer = cmp.Or(set.KeyAnswer, keyAnswer)
	set.RecoveryLife = cmp.Or(set.RecoveryLife, recoveryLife)
	c := &Core{
		db: db, bus: b, log: log, set: set, identities: newIdentityCache(), lastSeen: newLastSeen(), wrongTries: newRepetitions(), unwritten: newUnwritten(), spent: newSpentCodes(), presence: newPresence(),
		turns:     newTurns(runtime.GOMAXPROCS(0)),
		oldKeys:   newOldKeys(),
		mailReady: make(chan struct{}, 1),
		drafts:    newDrafts(), chunking: make(chan struct{}, chunkWriters(db.Engine)),
	}
	c.notices = newNotices(c.spread, cmp.Or(set.NoticePause, noticePause))
	if err := c.firstRun(ctx); err != nil {
		return nil, fmt.Errorf("preparing the database: %w", err)
	}
	if err := c.countOldKeys(ctx); err != nil {
		return nil, err
	}
	if err := c.readTakeover(ctx); err != nil {
		return nil, err
	}
	b.Subscribe(func(m bus.Message) {
		if m.Topic == TopicRights || m.Topic == TopicClose || m.Topic == TopicResync {
			c.identities.forget()
		}
	})
	return c, nil
}

// Sent is what a request wants written, or the fault of its body. The fault counts
// only once the row and the permission are known to be there, as the contract's
// order of checks has it.
type Sent[F any] struct {
	Fields F
	Fault  error
}

// TakenOver is when the database was taken over from a 3.x server, whose refresh tokens of users go on
// for a while from then on (/docs/takeover#tokens); the zero time for one that was not.
func (c *Core) TakenOver() time.Time { return c.takenOver }

// readTakeover remembers when that was. It does not change while a server runs.
func (c *Core) readTakeover(ctx context.Context) error {
	at, err := c.db.TakenOverAt(ctx)
	if err != nil {
		return fmt.Errorf("looking for a takeover: %w", err)
	}
	if at > 0 {
		c.takenOver = time.Unix(at, 0)
	}
	return nil
}

// healthTime is how long the database may take to show that it is there.
const healthTime = 3 * time.Second

// Healthy reports whether the database answers.
func (c *Core) Healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	return c.db.Ping(ctx) == nil
}

// StorageFault turns what reading said about the storage into a fault; writing does so itself.
func StorageFault(err error) error { return queries.Named(err) }

// The topics of the messages that core publishes.
const (
	// TopicEmit: event Name with argument Data for everybody in room Key.
	TopicEmit = "emit"
	// TopicNotice: like TopicEmit, about who came and went. Many may hear it, and it need
	// not come at once. The socket with the id Except does not hear it.
	TopicNotice = "notice"
	// TopicRights: rights, members or collaborations changed; what was derived
	// from them is worth nothing now.
	TopicRights = "rights"
	// TopicClose: the sockets of the accounts in Data (a list of ids) have to be
	// closed.
	TopicClose = "close"
	// TopicResync: messages may have been missed. Who has a live connection has to come back, and to ask for what there is.
	TopicResync = "resync"
)

// mustJSON encodes values that this package made itself. What only HTML minds stays
// as it is.
func mustJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// CollaborationRoom is the room of a collaboration's nodes and watchers (/docs/live#rooms).
func CollaborationRoom(collaboration int64) string {
	return "collaboration_" + strconv.FormatInt(collaboration, 10)
}

// OrganizationRoom is the room of one organization's node and watchers within a
// collaboration (/docs/live#rooms).
func OrganizationRoom(collaboration, organization int64) string {
	return CollaborationRoom(collaboration) + "_organization_" + strconv.FormatInt(organization, 10)
}
