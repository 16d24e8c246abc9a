package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/live"
)

const (
	// tasksNamespace is the only namespace with events (/docs/live#namespaces).
	tasksNamespace = "/tasks"
	// refusedFor is how long a socket with a bad token has to leave by itself; at
	// most five seconds (/docs/security#u3).
	refusedFor = 3 * time.Second
	// packetTimeout is how long the work on one packet may wait for the database.
	packetTimeout = 15 * time.Second
	// admissions is how often a connection is judged anew because rights changed
	// while it was judged.
	admissions = 20
)

// Periods are the times of the work in the background; zero stands for the default.
type Periods struct {
	FirstPing time.Duration // until nodes are first asked whether they are there: 5 s
	Ping      time.Duration // between two such questions: 65 s (/docs/live#presence)
	Flush     time.Duration // between two writes of when accounts were last seen: 5 s
	Ask       time.Duration // that a node has to ask for a task before it is told of the next one anyway: 50 ms
	CatchUp   time.Duration // that a node which came has to ask for what it missed before it is told anyway: 10 s
}

func (p Periods) withDefaults() Periods {
	return Periods{
		FirstPing: cmp.Or(p.FirstPing, 5*time.Second),
		Ping:      cmp.Or(p.Ping, 65*time.Second),
		Flush:     cmp.Or(p.Flush, 5*time.Second),
		Ask:       cmp.Or(p.Ask, 50*time.Millisecond),
		CatchUp:   cmp.Or(p.CatchUp, 10*time.Second),
	}
}

// sockets is the live channel as the field sees it: who is connected, and what they
// may hear and say.
type sockets struct {
	s           *Server
	engine      *live.Server
	tasks       *live.Namespace
	periods     Periods
	unsubscribe func() // ends the subscription to the bus
	standing    judgements
	unstored    map[string]bool // what could not be stored at the last try
	registry
}

func newSockets(s *Server) *sockets {
	o := s.opt.Live
	o.AllowOrigin, o.Admit = s.mayConnect, s.admitSession
	o.Report = s.reportLive
	l := &sockets{s: s, engine: live.New(o), periods: s.opt.Periods.withDefaults(), registry: newRegistry(), unstored: map[string]bool{}}
	l.standing.read = s.core.Standings
	l.tasks = l.engine.Namespace(tasksNamespace)
	l.tasks.OnConnect(l.connect)
	l.tasks.OnDisconnect(l.disconnect)
	l.events()
	l.unsubscribe = s.core.Listen(l.receive)
	return l
}

// reportLive logs what went wrong on the live channel.
func (s *Server) reportLive(err error) {
	var p *fault.Panic
	if errors.As(err, &p) {
		s.log.Error().Func(p.Detail).Msgf("The live channel: %s", err)
		return
	}
	s.log.Error().Err(err).Msg("The live channel")
}

// Close ends all live connections and stores that nobody is online any more. It
// comes before http.Server.Shutdown, which knows nothing of live connections.
func (s *Server) Close(ctx context.Context) error {
	err := s.live.engine.Close(ctx)
	s.live.unsubscribe()
	return err
}

// connection is one admitted connection.
type connection struct {
	access.Actor
	socket    *live.Socket
	standing  core.Standing
	leftRooms // from rooms of its standing
	announced
}

// connect lets a client in (/docs/live#connect): the token, the status, who has come,
// the rooms. The engine acknowledges afterwards.
func (l *sockets) connect(k *live.Socket) {
	ctx, cancel := context.WithTimeout(context.Background(), packetTimeout)
	defer cancel()
	v, err := l.admit(ctx, k)
	if badCredentials(err) {
		l.s.log.Info().Str("sid", k.ID()).Str("from", k.RemoteAddr()).Msgf("Refused a live connection: %s", err)
		_ = k.Emit("expired_token") // without an argument there is nothing that could fail
		k.Refuse(refusedFor)
		return
	}
	if err == nil {
		err = l.s.core.Arrive(ctx, v.Actor)
	}
	if err != nil {
		l.s.log.Warn().Err(err).Str("sid", k.ID()).Msg("Dropped a live connection, its client will try again")
		l.exit(v)
		k.Drop()
		return
	}
	k.Data = v
	l.s.log.Info().Str("sid", k.ID()).Msgf("Client identified as %s: <%s>", v.Kind, v.Name)
	l.s.core.Greet(v.Actor, k.ID(), v.standing.Rooms, v.join, func(text string) {
		_ = k.EmitSoon("message", text) // a text cannot fail; the acknowledgement takes it along
	})
	if v.Kind == access.Node {
		time.AfterFunc(l.periods.CatchUp, func() { l.remind(v) })
	}
}

// admit finds out who a client is by the token of its first request. A judgement
// that a change of rights has overtaken is made again, so that whoever is on the
// registry stands there rightly.
func (l *sockets) admit(ctx context.Context, k *live.Socket) (*connection, error) {
	token, err := bearer(k.Authorization())
	if err != nil {
		return nil, err
	}
	for range admissions {
		age := l.age()
		v, err := l.judge(ctx, k, token)
		if err != nil {
			return nil, err
		}
		if l.enter(v, age) {
			return v, nil
		}
	}
	return nil, errors.New("rights change too quickly to judge a connection")
}

func (l *sockets) judge(ctx context.Context, k *live.Socket, token string) (*connection, error) {
	who, err := l.s.actor(ctx, token)
	if err != nil {
		return nil, err
	}
	if who.Kind == access.Container {
		return nil, fault.New(fault.BadToken, "containers have no live connection")
	}
	standing, ok, err := l.standing.of(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.Unauthorized, "%s %d is gone", who.Kind, who.ID)
	}
	return &connection{Actor: who, socket: k, standing: standing, announced: announced{patience: l.periods.Ask}}, nil
}

// badCredentials reports whether an error is about the token, and not a failure of the server.
func badCredentials(err error) bool {
	return fault.Is(err, fault.Unauthorized) || fault.Is(err, fault.BadToken)
}

// disconnect does what /docs/live#disconnect says. The status that it leaves behind
// follows from the connections that are still there.
func (l *sockets) disconnect(k *live.Socket, reason live.Reason) {
	v, ok := k.Data.(*connection)
	if !ok {
		return // it never got in
	}
	l.exit(v)
	rooms := v.rooms()
	k.Leave(rooms...) // who only leaves the namespace could still hear what is said now
	ctx, cancel := context.WithTimeout(context.Background(), packetTimeout)
	defer cancel()
	if err := l.s.core.Depart(ctx, v.Actor, rooms); err != nil {
		l.s.log.Warn().Err(err).Msg("Could not store a departure, it will be tried again")
	}
	l.s.log.Info().Str("sid", k.ID()).Str("reason", string(reason)).Msgf("%s disconnected", v.Name)
}

// join enters a room of the connection's standing unless it had to leave it meanwhile.
func (v *connection) join(room string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.from[room] {
		return false
	}
	v.socket.Join(room)
	return true
}

// leaveRooms takes the connection out of the rooms that its new standing does not name, without
// a word, and joins none (/docs/security#u6).
func (v *connection) leaveRooms(now core.Standing) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, room := range v.standing.Rooms {
		if slices.Contains(now.Rooms, room) || v.from[room] {
			continue
		}
		if v.from == nil {
			v.from = map[string]bool{}
		}
		v.from[room] = true
		v.socket.Leave(room)
	}
}

// rooms lists the rooms that the connection is in, in the order of joining.
func (v *connection) rooms() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(v.standing.Rooms), func(room string) bool { return v.from[room] })
}

// moved reports whether an account is no longer the one that connected: another
// organization or collaboration, or access taken back.
func (v *connection) moved(now core.Standing) bool {
	was := v.standing
	return now.Era != was.Era || now.OrganizationID != was.OrganizationID || now.CollaborationID != was.CollaborationID
}

func (v *connection) String() string { return fmt.Sprintf("%s %d <%s>", v.Kind, v.ID, v.Name) }
