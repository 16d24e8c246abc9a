// Package limits keeps one client from taking what belongs to all: connections, sockets, bodies and anonymous requests,
// counted by address and by account (/docs/security#u12), the memory that bodies take, connections whose client takes nothing, and the file
// descriptors that everything else needs. It may touch connections that it is given and the limits of the process; of the
// house it imports config, for the settings, and it knows no noun.
package limits

import (
	"fmt"
	"net/netip"
	"time"

	"vserver/service/config"
)

// Who is whom something counts for.
type Who struct {
	Network netip.Prefix // see NetworkOf; not valid: no limit by address applies
	Account int64        // of the user or node, below zero that of a node for its containers; 0: nobody has shown a token
	Node    bool
}

// NetworkOf returns what limits by address go by: who has one IPv6 address has the 2^64 beside it as well.
func NetworkOf(a netip.Addr) netip.Prefix {
	bits := a.Unmap().BitLen()
	if a = a.Unmap(); a.Is6() {
		bits = 64
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Excess says that somebody has reached a limit.
type Excess struct {
	Limit string // its setting, below `limits`
	Most  int
	Who   string        // an address or an account
	After time.Duration // when to try again
}

// Error implements error; it is fit for the one who is refused.
func (e *Excess) Error() string {
	return fmt.Sprintf("%s has reached the limit of %d (limits.%s), try again in %d seconds",
		e.Who, e.Most, e.Limit, int(e.After/time.Second))
}

// The names of limits: settings below `limits`, and what has no setting.
const (
	connectionsPerAddress = "connections_per_address"
	connectionsPerAccount = "connections_per_account"
	socketsPerAddress     = "sockets_per_address"
	socketsPerAccount     = "sockets_per_account"
	bodiesPerAddress      = "bodies_per_address"
	bodiesPerAccount      = "bodies_per_account"
	bodyMemory            = "body_memory"
	bodyMemoryPerAccount  = "body_memory_per_account"
	anonymousPerMinute    = "anonymous_per_minute"
	openFiles             = "descriptors"
	silentReaders         = "silent_readers"
)

// Limits are all limits of a server.
type Limits struct {
	Crowd     *Crowd
	Sockets   *Counter // sessions of the live channel
	Bodies    *Counter // bodies of requests that are being read
	Memory    *Memory  // of those
	Anonymous *Rate    // requests without a good token
	*record
}

// Options are what limits depend on beside their settings.
type Options struct {
	Settings config.Limits // 0 turns a limit off
	// Connections is how many connections the process can have, see Room; 0: any number.
	Connections int
	// Trusted tells the proxies whose word about addresses counts: they have no limit by address. Nil: none.
	Trusted func(netip.Addr) bool
	// Warn writes a line to the log; nil for nowhere.
	Warn func(string)
}

// New returns the limits of a server.
func New(o Options) *Limits {
	r := newRecord(o.Warn)
	s := o.Settings
	all, each := s.BodyBytes()
	return &Limits{
		record:    r,
		Crowd:     newCrowd(o, r),
		Sockets:   newCounter(r, socketsPerAddress, s.SocketsPerAddress, socketsPerAccount, s.SocketsPerAccount),
		Bodies:    newCounter(r, bodiesPerAddress, s.BodiesPerAddress, bodiesPerAccount, s.BodiesPerAccount),
		Memory:    newMemory(r, all, each),
		Anonymous: newRate(r, s.AnonymousPerMinute),
	}
}
