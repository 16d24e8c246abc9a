package handlers

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"vserver/service/access"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/live"
)

const (
	mostUnasked = 10_000 // tasks that one is told of and does not ask for
	mostMissed  = 10_000 // tasks that one is told of again
)

// announced are the tasks that one connection of a node is told of, one after another: nodes up to 3.7 mix up requests
// for tasks that they hear of at the same moment, and then never start some of them (/docs/live#new-task).
type announced struct {
	patience time.Duration // for the question for one, before the next one is told

	telling  sync.Mutex
	waiting  []int64
	last     int64          // what it was told of last; 0: it has asked for it
	unasked  map[int64]bool // what waits, or was told and not asked for yet
	caughtUp bool           // it has seen, or was told again, what it had missed
}

// announceTask tells everybody in a room of a task.
func (l *sockets) announceTask(m bus.Message) {
	var task int64
	err := json.Unmarshal(m.Data, &task)
	if err == nil {
		err = l.tasks.EmitTo(m.Key, func(k *live.Socket) bool { return nodeOf(k) == nil }, m.Name, task)
	}
	if err != nil {
		l.s.log.Error().Err(err).Msgf("An event %s went to nobody", m.Name)
		return
	}
	for _, k := range l.tasks.Sockets(m.Key) {
		if v := nodeOf(k); v != nil {
			v.tell(task)
		}
	}
}

// nodeOf returns the connection of a socket if it is a node's.
func nodeOf(k *live.Socket) *connection {
	if v, ok := k.Data.(*connection); ok && v.Kind == access.Node {
		return v
	}
	return nil
}

// tell puts tasks in the line of those that the node is told of.
func (v *connection) tell(tasks ...int64) {
	v.telling.Lock()
	if v.unasked == nil || len(v.unasked) > len(v.waiting)+mostUnasked { // it asks for none
		v.unasked = map[int64]bool{}
	}
	for _, task := range tasks {
		if !v.unasked[task] {
			v.unasked[task] = true
			v.waiting = append(v.waiting, task)
		}
	}
	free := v.last == 0
	v.telling.Unlock()
	if free {
		v.tellNext(0)
	}
}

// tellNext tells the node of the next task, unless another one than done was its last meanwhile.
func (v *connection) tellNext(done int64) {
	v.telling.Lock()
	if v.last != done || len(v.waiting) == 0 {
		if v.last == done {
			v.last = 0
		}
		v.telling.Unlock()
		return
	}
	task := v.waiting[0]
	v.waiting, v.last = v.waiting[1:], task
	v.telling.Unlock()
	_ = v.socket.Emit(core.EventNewTask, task) // a number is JSON
	time.AfterFunc(v.patience, func() { v.tellNext(task) })
}

// asks notes that the node asks for open results, and reports whether it asks for one task that nobody told it of. A node
// that comes back asks for all; those up to 3.7 name the task that they asked for last, and miss the others.
func (v *connection) asks(task *int64) (misses bool) {
	v.telling.Lock()
	if task == nil {
		v.caughtUp = true
		v.telling.Unlock()
		return false
	}
	misses = !v.unasked[*task] && !v.caughtUp
	v.caughtUp = v.caughtUp || misses
	delete(v.unasked, *task)
	v.telling.Unlock()
	v.tellNext(*task)
	return misses
}

// remind tells a node of its open tasks unless it has caught up: its question went to another server, which does not
// have its connection.
func (l *sockets) remind(v *connection) {
	if v.catchesUp() && slices.Contains(l.of([]int64{v.ID}), v.socket) {
		l.tellMissed(v, 0)
	}
}

// catchesUp notes that a node has caught up, and reports whether it had not before.
func (v *connection) catchesUp() bool {
	v.telling.Lock()
	defer v.telling.Unlock()
	before := v.caughtUp
	v.caughtUp = true
	return !before
}

// catchUp notes that a node asks for all that it missed, wherever, as those from 3.8 on do.
func (l *sockets) catchUp(node int64) {
	for _, k := range l.of([]int64{node}) {
		if v := nodeOf(k); v != nil {
			v.catchesUp()
		}
	}
}

// fetched notes that a node asks for its open results, and tells it of those that it misses.
func (l *sockets) fetched(who access.Actor, task *int64) {
	if who.Kind != access.Node {
		return
	}
	for _, k := range l.of([]int64{who.ID}) {
		if v := nodeOf(k); v != nil && v.asks(task) {
			go l.tellMissed(v, *task)
		}
	}
}

// tellMissed tells a node of its open tasks, but the one that it asks for. Those that it is running it leaves alone.
func (l *sockets) tellMissed(v *connection, asked int64) {
	ctx, cancel := context.WithTimeout(context.Background(), packetTimeout)
	defer cancel()
	err := fault.Caught(func() error {
		g, err := access.Judge[access.NodeItself](v.Actor)
		if err != nil {
			return err
		}
		tasks, err := l.s.core.TasksOfNode(ctx, g, mostMissed)
		v.tell(slices.DeleteFunc(tasks, func(task int64) bool { return task == asked })...)
		return err
	})
	if err != nil {
		l.s.log.Warn().Err(err).Msgf("%s is not told of the tasks that it missed", v)
	}
}
