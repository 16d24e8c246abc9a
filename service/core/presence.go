package core

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"vserver/service/access"
	"vserver/service/bus"
)

// The status of an account (/docs/live#connect).
const (
	online  = "online"
	offline = "offline"
)

// presence counts the live connections of accounts. An account is online as long as
// it has one: the stored status follows the count and no single arrival or departure,
// so that a late departure takes nobody offline who is back already (/docs/reliability#r9).
type presence struct {
	mu sync.Mutex
	by map[int64]*attendance

	// Held while others are told who comes and goes: thousands who do so together then
	// keep one core busy and not all.
	news sync.Mutex
}

// attendance is the state of one account. It is forgotten when nobody is connected,
// nobody works on it, and the database says so too.
type attendance struct {
	// Guarded by presence.mu.
	connections int
	held        int

	// Held over every write of the status and what is announced about it, so that
	// they come in one order.
	turn      sync.Mutex
	stored    string // the status in the database, "" when that is not known
	announced bool   // others were told, or will be, that it is online
}

func newPresence() *presence { return &presence{by: map[int64]*attendance{}} }

// hold changes the number of connections of an account and gives its state, to be
// released.
func (p *presence) hold(account int64, change int) *attendance {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.by[account]
	if a == nil {
		a = &attendance{}
		p.by[account] = a
	}
	a.connections += change
	a.held++
	return a
}

func (p *presence) release(account int64, a *attendance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.held--; a.held == 0 && a.connections == 0 && a.stored == offline {
		delete(p.by, account)
	}
}

func (p *presence) connected(a *attendance) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.connections > 0
}

// unsettled lists the accounts without a connection whose departure is not stored.
func (p *presence) unsettled() []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []int64
	for id, a := range p.by {
		if a.connections == 0 && a.held == 0 {
			list = append(list, id)
		}
	}
	return list
}

// Arrive counts a new live connection of a user or node. When it returns without an
// error the account is stored as online, which comes before any event about it
// (/docs/live#connect). Every arrival needs a Depart; one that failed needs none.
func (c *Core) Arrive(ctx context.Context, who access.Actor) error {
	a := c.presence.hold(who.ID, 1)
	defer c.presence.release(who.ID, a)
	a.turn.Lock()
	defer a.turn.Unlock()
	if _, err := c.settle(ctx, who.ID, a); err != nil {
		c.presence.hold(who.ID, -1)
		c.presence.release(who.ID, a)
		return err
	}
	a.announced = true
	return nil
}

// Greet announces a new socket in its rooms (/docs/live#connect).
// It calls join for each room after the room was told that a node is online and before
// it is told who joined; a room that join refuses is passed over. The socket itself gets
// own, for each room and in any case; the others in the room may hear of several at once.
func (c *Core) Greet(who access.Actor, socket string, rooms []string, join func(room string) bool, own func(text string)) {
	c.presence.news.Lock()
	defer c.presence.news.Unlock()
	title := "User"
	if who.Kind == access.Node {
		title = "Node"
		c.emitNodeNews(who, rooms, "node-online")
	}
	for _, room := range rooms {
		if join(room) && room != AllNodes {
			text := fmt.Sprintf("%s <%s> joined room <%s>", title, who.Name, room)
			own(text)
			c.notices.tell(room, notice{text: text, except: socket, joined: 1})
		}
	}
}

// Depart takes back an Arrive. The rooms that the connection was in are told that it
// left, and after the account's last connection that a node is offline; that is then
// stored before it returns, and what the node told about itself is forgotten
// (/docs/live#disconnect). An error means that the store lags behind: SettlePresence
// tries again.
func (c *Core) Depart(ctx context.Context, who access.Actor, rooms []string) error {
	a := c.presence.hold(who.ID, -1)
	defer c.presence.release(who.ID, a)
	c.announceLeft(who, rooms)
	a.turn.Lock()
	defer a.turn.Unlock()
	elsewhere, err := c.settle(ctx, who.ID, a)
	if a.announced && !c.presence.connected(a) {
		a.announced = false
		if who.Kind == access.Node && !elsewhere {
			c.announceOffline(who, rooms)
		}
	}
	return err
}

func (c *Core) announceOffline(who access.Actor, rooms []string) {
	c.presence.news.Lock()
	defer c.presence.news.Unlock()
	c.emitNodeNews(who, rooms, "node-offline")
}

func (c *Core) announceLeft(who access.Actor, rooms []string) {
	c.presence.news.Lock()
	defer c.presence.news.Unlock()
	for _, room := range rooms {
		if room != AllNodes {
			c.notices.tell(room, notice{text: fmt.Sprintf("%s left room %s", who.Name, room), left: 1})
		}
	}
}

// settle stores the status that the count of this moment gives, unless the account is connected to another server;
// it reports whether it is. It needs the turn.
func (c *Core) settle(ctx context.Context, account int64, a *attendance) (elsewhere bool, err error) {
	status := offline
	if c.presence.connected(a) {
		status = online
	}
	if a.stored == status {
		return false, nil
	}
	a.stored = ""
	err = c.transact(ctx, func(ctx context.Context, t *Tx) (err error) {
		if elsewhere, err = t.storeAttendance(ctx, account, status); err != nil || elsewhere {
			return err
		}
		if err := t.notePresence(ctx, account, status); err != nil {
			return err
		}
		if _, err := t.SetStatus(ctx, &status, account); err != nil {
			return err
		}
		if status == online {
			return nil
		}
		return t.DeleteNodeConfig(ctx, &account, nil)
	})
	if err != nil {
		return false, fmt.Errorf("storing that account %d is %s: %w", account, status, err)
	}
	a.stored = status
	return elsewhere, nil
}

// SettlePresence stores the departures that could not be stored when they happened.
func (c *Core) SettlePresence(ctx context.Context) error {
	var errs []error
	for _, id := range c.presence.unsettled() {
		a := c.presence.hold(id, 0)
		a.turn.Lock()
		_, err := c.settle(ctx, id, a)
		errs = append(errs, err)
		a.turn.Unlock()
		c.presence.release(id, a)
	}
	return errors.Join(errs...)
}

// AllOffline stores every account as offline that is connected to no other server. It is
// called at the start, before anything listens: whoever was connected to the process
// before has to come back (/docs/live#presence).
func (c *Core) AllOffline(ctx context.Context) error {
	if c.peers != nil {
		return c.SettleAbsent(ctx)
	}
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		if err := firstError(t.InsertOfflineEvents(ctx, t.Now, eventNodeOffline), t.SetAllOffline(ctx)); err != nil {
			return err
		}
		return t.DeleteNodeConfig(ctx, nil, nil)
	})
	if err != nil {
		return fmt.Errorf("storing all accounts as offline: %w", err)
	}
	return nil
}

// emitNodeNews sends what other parties learn about a node's connection. Nodes of other
// collaborations learn nothing (/docs/live#server-events).
func (c *Core) emitNodeNews(who access.Actor, rooms []string, event string) {
	news := mustJSON(nodeNews{who.ID, who.Name, who.OrganizationID})
	for _, room := range rooms {
		if room != AllNodes {
			c.spread(bus.Message{Topic: TopicNotice, Key: room, Name: event, Data: news})
		}
	}
}

// nodeNews is the argument of node-online and node-offline.
type nodeNews struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Organization int64  `json:"org_id"`
}

// emitNow sends an event that no transaction stands behind.
func (c *Core) emitNow(room, event string, data any) {
	c.spread(bus.Message{Topic: TopicEmit, Key: room, Name: event, Data: mustJSON(data)})
}

// Listen calls f with every message of the bus from now on, until cancel is called. f
// must not block.
func (c *Core) Listen(f func(bus.Message)) (cancel func()) { return c.bus.Subscribe(f) }
