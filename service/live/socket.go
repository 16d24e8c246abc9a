package live

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// maxAsked is the number of acknowledgements one socket may owe; the oldest are forgotten.
const maxAsked = 64

// owed is an acknowledgement that a client owes.
type owed struct {
	id    uint64
	acked func([]json.RawMessage)
}

// Socket is one client in one namespace. Its methods may be called from anywhere at any time; for a socket that has
// ended they do nothing.
type Socket struct {
	// Data is the caller's own. Set it in the connect handler, before the first Join, and do not change it later.
	Data any

	id      string
	ns      *Namespace
	session *session

	// Guarded by the turn of the session.
	auth       json.RawMessage
	refused    bool
	closeAfter time.Duration

	// Guarded by ns.mu.
	rooms []string // few, each once
	gone  bool

	// Guarded by session.mu.
	lastAsked uint64
	asked     []owed // in the order of asking
}

// ID returns the id the client is told when it connects. It differs from the id of the engine session.
func (k *Socket) ID() string { return k.id }

// Authorization returns that header of the first request of the engine session, which is where the bearer token is
// (/docs/live#log-in).
func (k *Socket) Authorization() string { return k.session.authorization }

// RemoteAddr returns the network address the first request came from, as http.Request has it.
func (k *Socket) RemoteAddr() string { return k.session.remote }

// Host returns the host the first request was sent to, as http.Request has it.
func (k *Socket) Host() string { return k.session.host }

// Auth returns the JSON payload of the CONNECT packet, nil if there is none. It is there for the connect handler only.
func (k *Socket) Auth() json.RawMessage { return k.auth }

// LastHeard returns when the last packet of any kind arrived from the client: a pong, an event, an acknowledgement. A
// client that lives answers a ping every PingInterval.
func (k *Socket) LastHeard() time.Time {
	return k.session.server.born.Add(time.Duration(k.session.heard.Load()))
}

// Emit sends an event to this socket alone. The error is that of an argument that is no JSON.
func (k *Socket) Emit(event string, args ...any) error {
	data, err := eventData(event, args)
	if err != nil {
		return err
	}
	k.session.send(encode(packetEvent, k.ns.name, "", data))
	return nil
}

// EmitSoon is Emit for an event that is not urgent, see Namespace.EmitSoon.
func (k *Socket) EmitSoon(event string, args ...any) error {
	data, err := eventData(event, args)
	if err != nil {
		return err
	}
	k.session.sendSoon(encode(packetEvent, k.ns.name, "", data))
	return nil
}

// EmitAck is Emit with a request for an acknowledgement. acked is called, as a handler of this socket, with the arguments
// of the answer, which may be none; it is never called if none comes.
func (k *Socket) EmitAck(event string, acked func(args []json.RawMessage), args ...any) error {
	data, err := eventData(event, args)
	if err != nil {
		return err
	}
	k.ask(data, acked)
	return nil
}

// ask sends an event with the next acknowledgement id of this socket; the first is 1.
func (k *Socket) ask(data []byte, acked func([]json.RawMessage)) {
	k.session.mu.Lock()
	k.lastAsked++
	id := k.lastAsked
	if len(k.asked) >= maxAsked {
		k.asked = slices.Delete(k.asked, 0, 1)
	}
	k.asked = append(k.asked, owed{id, acked})
	k.session.mu.Unlock()
	k.session.send(encode(packetEvent, k.ns.name, strconv.FormatUint(id, 10), data))
}

// answered returns what is to be called for an acknowledgement, once; nil if nobody asked.
func (k *Socket) answered(id string) func([]json.RawMessage) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil
	}
	k.session.mu.Lock()
	defer k.session.mu.Unlock()
	at := slices.IndexFunc(k.asked, func(q owed) bool { return q.id == n })
	if at < 0 {
		return nil
	}
	acked := k.asked[at].acked
	if k.asked = slices.Delete(k.asked, at, at+1); len(k.asked) == 0 {
		k.asked = nil // thousands are asked now and then
	}
	return acked
}

// Join puts the socket in a room.
func (k *Socket) Join(room string) {
	k.ns.mu.Lock()
	defer k.ns.mu.Unlock()
	if k.gone || slices.Contains(k.rooms, room) {
		return
	}
	k.rooms = append(k.rooms, room)
	members := k.ns.rooms[room]
	if members == nil {
		members = map[*Socket]struct{}{}
		k.ns.rooms[room] = members
	}
	members[k] = struct{}{}
}

// Leave takes the socket out of rooms.
func (k *Socket) Leave(rooms ...string) {
	k.ns.mu.Lock()
	defer k.ns.mu.Unlock()
	for _, room := range rooms {
		k.ns.leave(k, room)
	}
}

// Rooms returns the names of the rooms joined, sorted.
func (k *Socket) Rooms() []string {
	k.ns.mu.RLock()
	defer k.ns.mu.RUnlock()
	return slices.Sorted(slices.Values(k.rooms))
}

// Refuse is for the connect handler: the client is still told that it is connected, after what was sent to it so far,
// but the socket is in no room, no event of it is heeded, the disconnect handler is not called, and after the given
// time Disconnect is (/docs/live#log-in).
func (k *Socket) Refuse(after time.Duration) {
	k.refused, k.closeAfter = true, after
	k.ns.mu.Lock()
	defer k.ns.mu.Unlock()
	k.gone = true
	k.ns.leaveAll(k)
}

// Disconnect sends the client away: it is told to leave the namespace, then the session is closed. Clients take that for
// final and do not come back by themselves.
func (k *Socket) Disconnect() {
	k.session.end(ServerDisconnect, encode(packetDisconnect, k.ns.name, "", nil), []byte{engineClose})
}

// Drop cuts the connection without a word; what was not sent yet is lost. Clients take that for a fault of the network
// and come back by themselves, with a new session.
func (k *Socket) Drop() { k.session.end(ServerDropped) }

// Renew is Drop for a client that may stay a moment, until it is settled.
func (k *Socket) Renew() { k.session.endSettled(ServerDropped) }
