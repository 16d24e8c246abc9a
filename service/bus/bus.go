// Package bus carries messages between the parts of a server, and later between
// replicas: who publishes does not know who listens. It knows no noun of the field
// and imports nothing of ours but fault.
package bus

import (
	"encoding/json"
	"sync"

	"github.com/rs/zerolog"

	"vserver/service/fault"
)

// Message is one piece of news. What the fields mean is agreed between publisher
// and subscriber.
type Message struct {
	Topic  string          `json:"topic"`
	Key    string          `json:"key,omitempty"`
	Except string          `json:"except,omitempty"`
	Name   string          `json:"name,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// Bus hands each message to every subscriber, in the order of publishing.
type Bus struct {
	log  zerolog.Logger
	mu   sync.RWMutex
	next int
	subs map[int]func(Message)
}

// New makes a bus within this process.
func New(log zerolog.Logger) *Bus { return &Bus{log: log, subs: map[int]func(Message){}} }

// Publish calls every subscriber with every message before it returns, also when one of
// them panics.
func (b *Bus) Publish(messages ...Message) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, m := range messages {
		for i := range b.next {
			if f := b.subs[i]; f != nil {
				b.deliver(m, f)
			}
		}
	}
}

// deliver calls one subscriber. Its panic is nobody else's: neither the other subscribers
// nor whoever publishes can do anything about it.
func (b *Bus) deliver(m Message, f func(Message)) {
	defer func() {
		if p := recover(); p != nil {
			b.log.Error().Func(fault.Recovered(p).Detail).Str("topic", m.Topic).Msg("A part of the server panicked at a message, the others have it")
		}
	}()
	f(m)
}

// Subscribe calls f with every message from now on, until cancel is called. f must
// not block, and must not subscribe.
func (b *Bus) Subscribe(f func(Message)) (cancel func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.next
	b.next++
	b.subs[id] = f
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, id)
	}
}
