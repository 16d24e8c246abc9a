package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vserver/service/access"
	"vserver/service/bus"
	"vserver/service/core"
)

// hears compares what a client heard since the last time.
func hears(t *testing.T, c *socketClient, want ...string) {
	t.Helper()
	if got := c.take(); !slices.Equal(got, want) {
		t.Errorf("%s heard something else: %s", c.name, cmp.Diff(want, got))
	}
}

func joined(kind, name, room string) string {
	return fmt.Sprintf(`message "%s <%s> joined room <%s>"`, kind, name, room)
}

func left(name, room string) string { return fmt.Sprintf(`message "%s left room %s"`, name, room) }

func nodeIs(what string, id int, name string, organization int) string {
	return fmt.Sprintf(`node-%s {"id":%d,"name":"%s","org_id":%d}`, what, id, name, organization)
}

func TestSocketRoomsOfEveryKindOfAccount(t *testing.T) {
	b := newLiveBed(t)
	b.exec(
		`INSERT INTO user_rule (user_id, rule_id) VALUES (9, 49)`,               // noperm: a rule of its own
		`DELETE FROM member WHERE organization_id = 4 AND collaboration_id = 3`, // node_big_s stays outside
		`UPDATE node SET collaboration_id = NULL WHERE id = 17`,
	)
	const z, p = "collaboration_1", "collaboration_2"
	for name, rooms := range map[string][]string{
		"root":         {z, p, "collaboration_3"},
		"admin":        {z, p, "collaboration_3"}, // global, organization and collaboration rules: the widest counts
		"colladmin":    {z, p},
		"noperm":       {z, p},
		"viewer":       {z + "_organization_2", p + "_organization_2"},
		"viewer_big":   {z + "_organization_4", p + "_organization_4"},
		"node_iknl_z":  {"all_nodes", z, z + "_organization_2"},
		"node_iknl_p":  {"all_nodes", p, p + "_organization_2"},
		"node_big_s":   {"all_nodes"},
		"node_small_s": {"all_nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.join(name, means{only: "websocket"})
			kind, _ := accountOf(name)
			var want []string
			for _, room := range rooms {
				if room != "all_nodes" {
					want = append(want, joined(map[access.Kind]string{access.User: "User", access.Node: "Node"}[kind], name, room))
				}
			}
			hears(t, c, append(want, "connect")...)
			if got := b.s.live.tasks.Sockets(c.socket())[0].Rooms(); !slices.Equal(got, rooms) {
				t.Errorf("is in %v, not %v", got, rooms)
			}
			c.leave()
		})
	}
	t.Run("no event rule", func(t *testing.T) {
		b.exec(`DELETE FROM user_rule WHERE user_id = 9`)
		b.news.Publish(bus.Message{Topic: core.TopicRights})
		hears(t, b.join("noperm", means{}), "connect")
	})
}

// TestSocketAudience plays an example of /docs/live#rooms.
func TestSocketAudience(t *testing.T) {
	b := newLiveBed(t)
	glob, coll, orga := b.join("admin", means{}), b.join("colladmin", means{connect: "40/tasks,{}"}), b.join("viewer", means{only: "polling"})
	none, other := b.join("noperm", means{only: "websocket"}), b.join("node_big_p", means{})
	foreign := b.join("node_small_s", means{})
	everybody := []*socketClient{glob, coll, orga, none, other, foreign}
	for _, c := range everybody {
		c.take()
	}
	node := b.join("node_iknl_z", means{})
	online, name := nodeIs("online", 12, "node_iknl_z", 2), "node_iknl_z"
	const z, own = "collaboration_1", "collaboration_1_organization_2"
	hears(t, glob, online, joined("Node", name, z))
	hears(t, coll, online, joined("Node", name, z))
	hears(t, orga, online, joined("Node", name, own))
	hears(t, none)
	hears(t, other) // only all_nodes is common, which is skipped
	hears(t, foreign)
	hears(t, node, joined("Node", name, z), joined("Node", name, own), "connect")

	b.news.Publish(bus.Message{Topic: core.TopicEmit, Key: z, Name: "new_task", Data: []byte("5")})
	node.emit("algorithm_status_change", `{"node_id":12,"status":"active","result_id":1,"task_id":1,"collaboration_id":1,"organization_id":2,"parent_id":null}`)
	change := `algorithm_status_change {"collaboration_id":1,"node_id":12,"organization_id":2,"parent_id":null,"result_id":1,"run_id":1,"status":"active","task_id":1}`
	for _, c := range []*socketClient{glob, coll, node} {
		hears(t, c, "new_task 5", change)
	}
	for _, c := range []*socketClient{orga, none, other, foreign} {
		hears(t, c)
	}

	node.leave()
	hears(t, node)
	offline := nodeIs("offline", 12, "node_iknl_z", 2)
	hears(t, glob, left(name, z), offline)
	hears(t, coll, left(name, z), offline)
	hears(t, orga, left(name, own), offline)
	for _, c := range []*socketClient{none, other, foreign} {
		hears(t, c)
	}
}

func TestSocketStatusIsStoredBeforeAnythingIsSaid(t *testing.T) {
	b := newLiveBed(t)
	var seen []string
	b.news.Subscribe(func(m bus.Message) {
		if m.Topic == core.TopicEmit || m.Topic == core.TopicNotice {
			seen = append(seen, m.Name+" "+b.status("node_iknl_z"))
		}
	})
	c := b.join("node_iknl_z", means{only: "websocket"})
	c.leave()
	want := []string{
		"node-online online", "node-online online", "message online", "message online",
		"message online", "message online", "node-offline offline", "node-offline offline",
	}
	if !slices.Equal(seen, want) {
		t.Error(cmp.Diff(want, seen))
	}
}

func TestSocketPresenceCountsConnections(t *testing.T) {
	b := newLiveBed(t)
	watcher := b.join("admin", means{})
	watcher.take()
	first := b.join("node_iknl_z", means{only: "polling"})
	second := b.join("node_iknl_z", means{only: "websocket"})
	online := []string{nodeIs("online", 12, "node_iknl_z", 2), joined("Node", "node_iknl_z", "collaboration_1")}
	hears(t, watcher, append(slices.Clone(online), online...)...)
	first.emit("node_info_update", `{"encryption":true}`)
	first.take()
	second.leave()
	hears(t, watcher, left("node_iknl_z", "collaboration_1"))
	hears(t, first, left("node_iknl_z", "collaboration_1"), left("node_iknl_z", "collaboration_1_organization_2"))
	if got := b.status("node_iknl_z"); got != "online" {
		t.Errorf("%s with a connection left", got)
	}
	if got := b.config(12); !slices.Equal(got, []string{"encryption=1"}) {
		t.Errorf("configuration %v with a connection left", got)
	}
	first.cut()
	hears(t, watcher, left("node_iknl_z", "collaboration_1"), nodeIs("offline", 12, "node_iknl_z", 2))
	if got := b.status("node_iknl_z"); got != "offline" {
		t.Errorf("%s without a connection", got)
	}
	if got := b.config(12); len(got) > 0 {
		t.Errorf("configuration %v without a connection", got)
	}
	user := b.join("viewer", means{})
	if got := b.status("viewer"); got != "online" {
		t.Errorf("a connected user is %s", got)
	}
	user.leave()
	if got := b.status("viewer"); got != "offline" {
		t.Errorf("a user who left is %s", got)
	}
}

// config returns what a node told about itself, as key=value in the order of telling.
func (b *liveBed) config(node int) []string {
	b.Helper()
	return b.rows(fmt.Sprintf(`SELECT key || '=' || value FROM nodeconfig WHERE node_id = %d ORDER BY id`, node))
}

// TestReliability_R9 lets old connections of a node end while new ones begin, in every
// order that comes up: whoever is connected at the end is online, and whoever watched
// has heard so last.
func TestReliability_R9_AnOldDisconnectNeverTakesANodeOffline(t *testing.T) {
	b := newLiveBed(t)
	watcher := b.join("admin", means{})
	for round := range 20 {
		old := b.join("node_iknl_z", means{only: "websocket"})
		cut := make(chan struct{})
		go func() {
			defer close(cut)
			old.hangUp()
		}()
		fresh := b.join("node_iknl_z", means{only: "websocket"})
		<-cut
		old.away()
		if got := b.status("node_iknl_z"); got != "online" {
			t.Fatalf("round %d: %s while connected", round, got)
		}
		if got := lastOf(watcher.take(), "node-"); got != nodeIs("online", 12, "node_iknl_z", 2) {
			t.Fatalf("round %d: the last that was said is %s", round, got)
		}
		fresh.cut()
		if got := b.status("node_iknl_z"); got != "offline" {
			t.Fatalf("round %d: %s while nobody is connected", round, got)
		}
		if got := lastOf(watcher.take(), "node-"); got != nodeIs("offline", 12, "node_iknl_z", 2) {
			t.Fatalf("round %d: the last that was said is %s", round, got)
		}
	}
}

func lastOf(list []string, prefix string) string {
	for _, e := range slices.Backward(list) {
		if strings.HasPrefix(e, prefix) {
			return e
		}
	}
	return ""
}

func TestSocketShutDownStoresThatNobodyIsOnline(t *testing.T) {
	b := newLiveBed(t)
	b.join("node_iknl_z", means{})
	b.join("node_small_z", means{only: "polling"})
	b.join("viewer", means{only: "websocket"})
	b.close()
	for _, name := range []string{"node_iknl_z", "node_small_z", "viewer"} {
		if got := b.status(name); got != "offline" {
			t.Errorf("%s is %s after the end", name, got)
		}
	}
}

func TestSocketStartPutsEverybodyOffline(t *testing.T) {
	b := newLiveBed(t)
	b.exec(
		`UPDATE authenticatable SET status = 'online' WHERE id IN (2, 12)`,
		`INSERT INTO nodeconfig (node_id, key, value) VALUES (12, 'encryption', '1')`,
	)
	if err := b.s.core.AllOffline(t.Context()); err != nil {
		t.Fatal(err)
	}
	if admin, node, never := b.status("admin"), b.status("node_iknl_z"), b.status("viewer"); admin != "offline" || node != "offline" || never != "never" {
		t.Errorf("admin is %s, the node %s, viewer %s", admin, node, never)
	}
	if got := b.config(12); len(got) > 0 {
		t.Errorf("configuration %v of a node that is not connected", got)
	}
}

func TestSocketPingOfBothSchemesRefreshesLastSeen(t *testing.T) {
	quick := func(o *Options) {
		o.Periods = Periods{FirstPing: 10 * time.Millisecond, Ping: 10 * time.Millisecond, Flush: 10 * time.Millisecond}
	}
	for name, how := range map[string]means{"answer with id": {ack: "[12]"}, "empty answer": {ack: "[]"}, "wrong answer": {ack: `["x",99]`}} {
		t.Run(name, func(t *testing.T) {
			b := newLiveBed(t, quick)
			c := b.join("node_iknl_z", how)
			eventually(t, "ping", func() bool { return c.has("ping") })
			seen := b.lastSeen(12)
			eventually(t, "later last_seen", func() bool { return b.lastSeen(12) > seen })
			if got := b.lastSeen(13); got != "" {
				t.Errorf("a node that is not there was seen at %s", got)
			}
		})
	}
	t.Run("event", func(t *testing.T) {
		b := newLiveBed(t, func(o *Options) { quick(o); o.Periods.FirstPing = time.Hour })
		for _, name := range []string{"node_iknl_z", "viewer"} {
			c := b.join(name, means{})
			_, id := accountOf(name)
			seen := b.lastSeen(id)
			c.send(`42/tasks,["ping"]`)
			eventually(t, "later last_seen", func() bool { return b.lastSeen(id) > seen })
			if got := c.emit("ping", ""); got != "[]" {
				t.Errorf("ping was acknowledged with %s", got)
			}
		}
	})
	t.Run("heartbeat", func(t *testing.T) {
		b := newLiveBed(t, func(o *Options) {
			quick(o)
			o.Periods.FirstPing, o.Live.PingInterval = time.Hour, 20*time.Millisecond
		})
		b.join("node_iknl_z", means{only: "websocket"})
		seen := b.lastSeen(12)
		eventually(t, "later last_seen", func() bool { return b.lastSeen(12) > seen })
	})
}

func (b *liveBed) lastSeen(id int64) string {
	b.Helper()
	row := b.account(id)
	if row.LastSeen == nil {
		return ""
	}
	return row.LastSeen.Format(time.RFC3339Nano)
}

// TestSocketSilenceOfTheEventsIsNoAbsence: a node that answers no `ping` of either
// scheme stays online as long as its connection has a heartbeat.
func TestSocketSilenceOfTheEventsIsNoAbsence(t *testing.T) {
	b := newLiveBed(t, func(o *Options) {
		o.Periods = Periods{FirstPing: time.Millisecond, Ping: time.Millisecond, Flush: time.Millisecond}
		o.Live.PingInterval = 20 * time.Millisecond
	})
	c := b.join("node_iknl_z", means{only: "websocket", ack: "deaf"})
	pings := 0
	eventually(t, "fifty pings without an answer", func() bool {
		for _, e := range c.take() {
			if e == "ping" {
				pings++
			}
		}
		return pings >= 50
	})
	if got := b.status("node_iknl_z"); got != "online" {
		t.Errorf("%s", got)
	}
}

func TestSocketSilentClientGoesOffline(t *testing.T) {
	b := newLiveBed(t, func(o *Options) {
		o.Live.PingInterval, o.Live.PingTimeout = 100*time.Millisecond, 2*time.Second
	})
	watcher := b.join("admin", means{only: "websocket"})
	watcher.take()
	c := b.join("node_iknl_z", means{only: "websocket", ack: "dead"})
	c.away()
	hears(t, watcher, nodeIs("online", 12, "node_iknl_z", 2), joined("Node", "node_iknl_z", "collaboration_1"),
		left("node_iknl_z", "collaboration_1"), nodeIs("offline", 12, "node_iknl_z", 2))
	if got := b.status("node_iknl_z"); got != "offline" {
		t.Errorf("%s", got)
	}
}

// TestSocketWhoLeavesHearsNoMore: a client may leave the namespace and keep its session.
func TestSocketWhoLeavesHearsNoMore(t *testing.T) {
	b := newLiveBed(t)
	c := b.join("node_iknl_z", means{only: "websocket"})
	c.take()
	c.send("41/tasks,")
	c.away()
	c.send("40/tasks,")
	eventually(t, "a second socket of the session", func() bool { return c.has("connect") })
	hears(t, c, joined("Node", "node_iknl_z", roomZ), joined("Node", "node_iknl_z", roomZOwn), "connect")
}

func TestSocketOtherNamespaces(t *testing.T) {
	b := newLiveBed(t)
	c := b.join("admin", means{})
	c.take()
	c.send(`40/admin,`)
	eventually(t, "a refusal", func() bool { return c.has(`refused /admin,"Unable to connect"`) })
	c.send("40")
	c.send(`42["message","hello"]`)
	if got := c.emit("no such event", `{"a":1}`); got != "[]" {
		t.Errorf("an unknown event was acknowledged with %s", got)
	}
}
