package live

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Handler answers an event. args are the arguments of the event as the client sent them, valid JSON each; they may be
// kept. The result is sent as acknowledgement if the client asked for one: each element is an argument of it, and nil
// makes an empty one.
type Handler func(k *Socket, args []json.RawMessage) []any

// Namespace is a set of sockets that see the same events, and the rooms they are in.
type Namespace struct {
	server     *Server
	name       string
	registered bool // guarded by server.mu until the first request

	onConnect    func(*Socket)
	onDisconnect func(*Socket, Reason)
	events       map[string]Handler

	mu      sync.RWMutex
	sockets map[string]*Socket // the admitted ones, by their id
	rooms   map[string]map[*Socket]struct{}
}

func newNamespace(s *Server, name string) *Namespace {
	return &Namespace{
		server:  s,
		name:    name,
		events:  map[string]Handler{},
		sockets: map[string]*Socket{},
		rooms:   map[string]map[*Socket]struct{}{},
	}
}

// OnConnect sets what is done with a new socket before the client is told that it is connected: what the handler sends
// to it arrives before that (/docs/live#packets). The handler sets Data and joins rooms, or calls Refuse, Disconnect
// or Drop. Set it before the first request.
func (ns *Namespace) OnConnect(handler func(*Socket)) { ns.onConnect = handler }

// OnDisconnect sets what is done when a socket has ended for whatever reason. It is called once for each socket whose
// connect handler was called and did not refuse it. The socket is still in its rooms and leaves them afterwards; it can be
// sent nothing. Set it before the first request.
func (ns *Namespace) OnDisconnect(handler func(*Socket, Reason)) { ns.onDisconnect = handler }

// On sets the handler of an event; names are case sensitive. Events without a handler are ignored, and acknowledged
// empty if the client asks for it. Set it before the first request.
func (ns *Namespace) On(event string, handler Handler) { ns.events[event] = handler }

// Len returns the number of admitted sockets.
func (ns *Namespace) Len() int {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	return len(ns.sockets)
}

// Sockets returns the sockets in a room at this moment, in no order. The room "" is that of all admitted sockets, and
// each socket is alone in the room of its id.
func (ns *Namespace) Sockets(room string) []*Socket {
	var list []*Socket
	ns.each(room, func(k *Socket) { list = append(list, k) })
	return list
}

// each calls f with the sockets of a room. f must not end a session: that needs locks that come before those held here.
func (ns *Namespace) each(room string, f func(*Socket)) {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	if k := ns.sockets[room]; k != nil {
		f(k)
		return
	}
	if room == "" {
		for _, k := range ns.sockets {
			f(k)
		}
	}
	for k := range ns.rooms[room] {
		f(k)
	}
}

// Emit sends an event to the sockets of a room, as Sockets lists them. It is encoded once and waits for nobody. The
// error is that of an argument that is no JSON.
func (ns *Namespace) Emit(room, event string, args ...any) error {
	data, err := eventData(event, args)
	if err != nil {
		return err
	}
	ns.hand(room, nil, encode(packetEvent, ns.name, "", data), false)
	return nil
}

// EmitTo is Emit to those of a room for whom to reports true. It must not send or end anything.
func (ns *Namespace) EmitTo(room string, to func(*Socket) bool, event string, args ...any) error {
	data, err := eventData(event, args)
	if err != nil {
		return err
	}
	ns.hand(room, to, encode(packetEvent, ns.name, "", data), false)
	return nil
}

// EmitSoon is Emit for an event that many clients hear and that is not urgent: each gets it within SoonPause, in the
// order of sending, in one write with whatever else there is for it. The socket with the id except does not get it.
func (ns *Namespace) EmitSoon(room, except, event string, args ...any) error {
	data, err := eventData(event, args)
	if err != nil {
		return err
	}
	others := func(k *Socket) bool { return k.id != except }
	ns.hand(room, others, encode(packetEvent, ns.name, "", data), true)
	return nil
}

// hand queues a frame for the sockets of a room, or for some of them, and ends the sessions of clients that are too slow.
func (ns *Namespace) hand(room string, to func(*Socket) bool, frame []byte, soon bool) {
	var slow []*session
	ns.each(room, func(k *Socket) {
		if (to == nil || to(k)) && !k.session.put(frame, soon) {
			slow = append(slow, k.session)
		}
	})
	for _, c := range slow {
		c.end(SlowClient)
	}
}

// EmitAck is Emit with a request for an acknowledgement: acked is called for each socket that answers, as a handler of
// that socket. Those that never answer are forgotten.
func (ns *Namespace) EmitAck(room, event string, acked func(k *Socket, args []json.RawMessage), args ...any) error {
	data, err := eventData(event, args)
	if err != nil {
		return err
	}
	for _, k := range ns.Sockets(room) {
		k.ask(data, func(args []json.RawMessage) { acked(k, args) })
	}
	return nil
}

func eventData(event string, args []any) ([]byte, error) {
	return array(append([]any{event}, args...)...)
}

// admit makes a socket visible to all, unless it is gone again.
func (ns *Namespace) admit(k *Socket) {
	ns.mu.Lock()
	ns.sockets[k.id] = k
	ns.mu.Unlock()
}

// drop lets a socket go. It needs the turn of its session.
func (ns *Namespace) drop(k *Socket, reason Reason) {
	if !k.refused && ns.onDisconnect != nil {
		ns.server.guard("disconnect handler", func() { ns.onDisconnect(k, reason) })
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	k.gone = true
	delete(ns.sockets, k.id)
	ns.leaveAll(k)
}

// leaveAll needs ns.mu.
func (ns *Namespace) leaveAll(k *Socket) {
	for len(k.rooms) > 0 {
		ns.leave(k, k.rooms[len(k.rooms)-1])
	}
}

// leave needs ns.mu.
func (ns *Namespace) leave(k *Socket, room string) {
	k.rooms = slices.DeleteFunc(k.rooms, func(r string) bool { return r == room })
	delete(ns.rooms[room], k)
	if len(ns.rooms[room]) == 0 {
		delete(ns.rooms, room)
	}
}

// message handles a Socket.IO packet. An error means broken framing. It needs the turn.
func (c *session) message(b []byte) error {
	p, err := decode(b)
	if err != nil {
		return err
	}
	k := c.socket(p.namespace)
	switch {
	case p.kind == packetConnect && k == nil:
		c.connect(p)
	case k == nil || p.kind == packetConnect:
		// a packet for a namespace that is not connected, or connected already
	case p.kind == packetDisconnect:
		c.leave(k)
	case p.kind == packetEvent && !k.refused:
		c.event(k, p)
	case p.kind == packetAck:
		c.acknowledge(k, p)
	}
	return nil
}

// socket returns the socket of the session in a namespace, or nil.
func (c *session) socket(namespace string) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.sockets {
		if k.ns.name == namespace {
			return k
		}
	}
	return nil
}

// connect makes a socket in the namespace the client asks for. The refusal of an unknown namespace carries a string, as
// that of the reference does; python-socketio and socket.io-client report it both as an error of the connection.
func (c *session) connect(p packet) {
	ns := c.server.namespace(p.namespace)
	if ns == nil {
		c.send(encode(packetConnectError, p.namespace, "", []byte(`"Unable to connect"`)))
		return
	}
	k := &Socket{id: newID(), ns: ns, session: c, auth: p.data}
	if !c.add(k) {
		return
	}
	if ns.onConnect != nil && !c.server.guard("connect handler", func() { ns.onConnect(k) }) {
		c.end(HandlerFailed)
		return
	}
	k.auth = nil
	if !k.refused {
		ns.admit(k)
		c.count(k, 1)
	}
	c.send(encode(packetConnect, ns.name, "", fmt.Appendf(nil, `{"sid":%q}`, k.id)))
	if k.refused {
		time.AfterFunc(k.closeAfter, k.Disconnect)
	}
}

// add notes a socket of the session, unless that is closed.
func (c *session) add(k *Socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.sockets = append(c.sockets, k)
	return true
}

// count keeps the number of admitted sockets in registered namespaces, without which a session may not stay.
func (c *session) count(k *Socket, change int) {
	if !k.ns.registered {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members += change
	c.lonely = time.Time{}
	if change > 0 {
		c.joined = time.Now()
	}
	if c.members == 0 {
		c.lonely = time.Now()
	}
}

// leave ends a socket whose client left the namespace and keeps the session.
func (c *session) leave(k *Socket) {
	c.mu.Lock()
	c.sockets = slices.DeleteFunc(c.sockets, func(other *Socket) bool { return other == k })
	c.mu.Unlock()
	if !k.refused {
		c.count(k, -1)
	}
	k.ns.drop(k, ClientLeft)
}

func (c *session) event(k *Socket, p packet) {
	var answer []any
	if name, args, ok := eventOf(p.data); ok {
		if handler := k.ns.events[name]; handler != nil {
			c.server.guard(strconv.Quote(name)+" handler", func() { answer = handler(k, args) })
		}
	}
	if p.id == "" {
		return
	}
	data, err := array(answer...)
	if err != nil {
		c.server.opt.Report(err)
		data = []byte("[]")
	}
	c.send(encode(packetAck, k.ns.name, p.id, data))
}

func (c *session) acknowledge(k *Socket, p packet) {
	if acked := k.answered(p.id); acked != nil {
		args := elements(p.data, maxArguments)
		c.server.guard("acknowledgement handler", func() { acked(args) })
	}
}
