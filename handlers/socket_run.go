package handlers

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/live"
)

// Run does the work in the background until ctx ends, and a last time then: it judges
// live connections after changes of rights, asks nodes whether they are there, writes
// when accounts were last seen, and deletes texts that nobody took over.
func (s *Server) Run(ctx context.Context) {
	var loops sync.WaitGroup
	report := func(p *fault.Panic) {
		s.log.Error().Func(p.Detail).Msg("Work in the background panicked, it begins again")
	}
	for _, loop := range []func(context.Context){
		s.live.judgeOnChanges, s.live.pingNodes, s.live.flushRegularly, s.core.KeepDrafts, s.core.Tend, s.core.TendExtents,
	} {
		loops.Go(func() { fault.Steadily(ctx, report, loop) })
	}
	loops.Wait()
}

// pingNodes sends `ping` to all nodes, as nodes of 3.6 to 3.8.1 expect it. An answer of any
// kind shows that the node is there; a missing one shows nothing, since the connection
// itself has a heartbeat (/docs/live#presence).
func (l *sockets) pingNodes(ctx context.Context) {
	next := time.NewTimer(l.periods.FirstPing)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			next.Reset(l.periods.Ping)
			_ = l.tasks.EmitAck(core.AllNodes, "ping", l.answered) // without an argument there is nothing that could fail
		}
	}
}

// answered takes the acknowledgement of a `ping`. What it says is not looked at: who
// answers is known from the connection.
func (l *sockets) answered(k *live.Socket, _ []json.RawMessage) {
	if v, ok := k.Data.(*connection); ok {
		l.s.core.NoteSeen(v.ID)
	}
}

// flushRegularly writes when accounts were last seen, and departures that could not be stored
// before.
func (l *sockets) flushRegularly(ctx context.Context) {
	tick := time.NewTicker(l.periods.Flush)
	defer tick.Stop()
	since := time.Now()
	for more := true; more; {
		select {
		case <-ctx.Done():
			more = false
		case <-tick.C:
		}
		now := time.Now()
		l.noteHeartbeats(since)
		l.flush(context.WithoutCancel(ctx))
		since = now
	}
}

// noteHeartbeats notes who was heard of through the heartbeat since a moment.
func (l *sockets) noteHeartbeats(since time.Time) {
	all, _ := l.present()
	for _, v := range all {
		if at := v.socket.LastHeard(); at.After(since) {
			l.s.core.NoteSeenAt(v.ID, at)
		}
	}
}

func (l *sockets) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, packetTimeout)
	defer cancel()
	l.stored("Times when accounts were last seen", l.s.core.FlushSeen(ctx))
	l.stored("Wrong passwords", l.s.core.FlushFailures(ctx))
	l.stored("Departures", l.s.core.SettlePresence(ctx))
}

// stored logs when something cannot be stored any more, and when it can again, but not every
// try: on a full disk the log would hold nothing else after some days. Only
// flushRegularly calls it.
func (l *sockets) stored(what string, err error) {
	switch was := l.unstored[what]; {
	case err != nil && !was:
		l.s.log.Warn().Err(err).Msg(what + " could not be stored; the next line about it comes when they are")
	case err == nil && was:
		l.s.log.Info().Msg(what + " are stored again")
	}
	l.unstored[what] = err != nil
}
