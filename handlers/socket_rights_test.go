package handlers

import (
	"slices"
	"testing"
	"time"

	"vserver/service/access"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/promise"
)

const (
	roomZ    = "collaboration_1"
	roomZOwn = "collaboration_1_organization_2"
	roomP    = "collaboration_2"
	roomPOwn = "collaboration_2_organization_2"
	roomS    = "collaboration_3"
	closed   = "closed"
	promptly = time.Second // /docs/security#u6
)

// TestAdvisory_U6: what was taken away stops reaching open sockets within a second and
// without a word; what was given is not joined before the next connection.
func TestAdvisory_U6_OpenSocketsFollowTheRights(t *testing.T) {
	for _, x := range []struct {
		name    string
		request row
		// after tells the rooms that somebody is in afterwards.
		after map[string][]string
	}{
		{
			"roles of a user taken away",
			row{as: "root", method: "PATCH", path: "/user/5", body: `{"roles":[]}`, want: 200},
			map[string][]string{"viewer": {}, "colladmin": {roomZ, roomP}, "node_iknl_z": {"all_nodes", roomZ, roomZOwn}},
		},
		{
			"rules of a role taken away",
			row{as: "root", method: "PATCH", path: "/role/8", body: `{"rules":[48]}`, want: 200},
			map[string][]string{"admin": {}, "viewer": {roomZOwn, roomPOwn}},
		},
		{
			"rights given",
			row{as: "root", method: "PATCH", path: "/user/9", body: `{"roles":[7]}`, want: 200},
			map[string][]string{"noperm": {}},
		},
		{
			"an organization leaves a collaboration",
			row{as: "root", method: "DELETE", path: "/collaboration/1/organization", body: `{"id":2}`, want: 200},
			map[string][]string{
				"node_iknl_z": {"all_nodes"}, "node_small_z": {"all_nodes", roomZ, "collaboration_1_organization_3"},
				"viewer": {roomPOwn}, "colladmin": {roomP}, "admin": {roomZ, roomP, roomS},
			},
		},
		{
			"the members of a collaboration are replaced",
			row{as: "root", method: "PATCH", path: "/collaboration/1", body: `{"organization_ids":[3,4]}`, want: 200},
			map[string][]string{"node_iknl_z": {"all_nodes"}, "viewer": {roomPOwn}, "colladmin": {roomP}},
		},
		{
			"a collaboration is deleted",
			row{as: "root", method: "DELETE", path: "/collaboration/3", want: 200},
			map[string][]string{"admin": {roomZ, roomP}, "node_small_s": {closed}, "researcher_small": {"collaboration_1_organization_3"}},
		},
		{
			"a user is deleted",
			row{as: "root", method: "DELETE", path: "/user/5", want: 200},
			map[string][]string{"viewer": {closed}, "colladmin": {roomZ, roomP}},
		},
		{
			"a node is deleted",
			row{as: "root", method: "DELETE", path: "/node/12", want: 200},
			map[string][]string{"node_iknl_z": {closed}, "node_iknl_p": {"all_nodes", roomP, roomPOwn}},
		},
		{
			"a node is taken out of its collaboration",
			row{as: "root", method: "DELETE", path: "/collaboration/1/node", body: `{"id":12}`, want: 200},
			map[string][]string{"node_iknl_z": {closed}, "node_small_z": {"all_nodes", roomZ, "collaboration_1_organization_3"}},
		},
		{
			"the key of a node is reset",
			row{as: "root", method: "POST", path: "/recover/node", body: `{"id":12}`, want: 200},
			map[string][]string{"node_iknl_z": {closed}},
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newLiveBed(t)
			sockets := map[string]*socketClient{}
			for name := range x.after {
				sockets[name] = b.join(name, means{only: "websocket"})
			}
			for _, c := range sockets {
				c.take()
			}
			reply := b.send(t, x.request)
			if reply.Code != x.request.want {
				t.Fatalf("got %d %s", reply.Code, reply.Body)
			}
			done := time.Now()
			for name, want := range x.after {
				c := sockets[name]
				eventually(t, name+" is where it may be", func() bool { return slices.Equal(b.whereIs(c), want) })
				if took := time.Since(done); took > promise.Within(promptly) {
					t.Errorf("%s: it took %v", name, took)
				}
			}
			closes := slices.ContainsFunc(b.values(x.after), func(room string) bool { return room == closed })
			for name, c := range sockets {
				if got := c.take(); len(got) > 0 && !closes {
					t.Errorf("%s heard %q", name, got)
				}
			}
		})
	}
}

// whereIs returns the rooms of a client, or that it was closed.
func (b *liveBed) whereIs(c *socketClient) []string {
	list := b.s.live.tasks.Sockets(c.socket())
	if len(list) == 0 {
		return []string{closed}
	}
	rooms := list[0].Rooms()
	if rooms == nil {
		return []string{}
	}
	return rooms
}

func (b *liveBed) values(rooms map[string][]string) []string {
	var all []string
	for _, list := range rooms {
		all = append(all, list...)
	}
	return all
}

// TestSocketOfANodeThatWasTakenAway: its connections end as if it had left, and its
// tokens open no new one.
func TestSocketOfANodeThatWasTakenAway(t *testing.T) {
	for name, request := range map[string]row{
		"deleted": {as: "root", method: "DELETE", path: "/node/12", want: 200},
		"reset":   {as: "root", method: "POST", path: "/recover/node", body: `{"id":12}`, want: 200},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLiveBed(t)
			watcher, node := b.join("colladmin", means{}), b.join("node_iknl_z", means{})
			second := b.join("node_iknl_z", means{only: "polling"})
			watcher.take()
			if reply := b.send(t, request); reply.Code != request.want {
				t.Fatalf("got %d %s", reply.Code, reply.Body)
			}
			node.away()
			second.away()
			<-node.gone
			hears(t, watcher, left("node_iknl_z", roomZ), left("node_iknl_z", roomZ), nodeIs("offline", 12, "node_iknl_z", 2))
			again := b.dial("node_iknl_z", means{})
			eventually(t, "the refusal", func() bool { return again.socket() != "" })
			hears(t, again, "expired_token", "connect")
		})
	}
}

// TestSocketJudgementNeedsNoNames: when only "rights changed" is heard, say after news
// were lost, whoever is gone, has moved or has lost access is found all the same; and
// whoever is named goes at once.
func TestSocketJudgementNeedsNoNames(t *testing.T) {
	rights := bus.Message{Topic: core.TopicRights}
	for name, x := range map[string]struct {
		statements []string
		news       bus.Message
	}{
		"access revoked":        {[]string{`UPDATE authenticatable SET access_era = access_era + 1 WHERE id = 12`}, rights},
		"another collaboration": {[]string{`UPDATE node SET collaboration_id = NULL WHERE id = 12`}, rights},
		"another organization":  {[]string{`UPDATE node SET organization_id = NULL WHERE id = 12`}, rights},
		"gone":                  {[]string{`DELETE FROM authenticatable WHERE id = 12`}, rights},
		"named":                 {nil, bus.Message{Topic: core.TopicClose, Data: []byte(`[12,4711]`)}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLiveBed(t)
			c, other := b.join("node_iknl_z", means{}), b.join("node_iknl_p", means{})
			b.exec(x.statements...)
			b.news.Publish(x.news)
			c.away()
			if got := b.whereIs(other); len(got) != 3 {
				t.Errorf("another node is in %v", got)
			}
		})
	}
}

func TestSocketRollTakesNoJudgementThatIsOvertaken(t *testing.T) {
	r := newRegistry()
	v := &connection{Actor: access.Actor{ID: 12}}
	age := r.age()
	r.changed()
	if r.enter(v, age) {
		t.Error("entered with a judgement from before the change")
	}
	if all, _ := r.present(); len(all) > 0 {
		t.Errorf("%d are present", len(all))
	}
	if !r.enter(v, r.age()) {
		t.Error("not entered with a judgement of now")
	}
	r.exit(v)
	if _, accounts := r.present(); len(accounts) > 0 {
		t.Errorf("accounts %v without anybody", accounts)
	}
}

// TestSocketRightsChangeWhileConnecting lets members come and go while a node connects:
// in the end it is in the rooms that it may be in, whatever came first.
func TestSocketRightsChangeWhileConnecting(t *testing.T) {
	b := newLiveBed(t)
	take := row{as: "root", method: "DELETE", path: "/collaboration/1/organization", body: `{"id":2}`}
	give := row{as: "root", method: "POST", path: "/collaboration/1/organization", body: `{"id":2}`}
	for round := range 15 {
		changed := make(chan struct{})
		go func() {
			defer close(changed)
			b.send(t, take)
		}()
		c := b.join("node_iknl_z", means{only: "websocket"})
		<-changed
		eventually(t, "no room of the collaboration", func() bool { return slices.Equal(b.whereIs(c), []string{"all_nodes"}) })
		if reply := b.send(t, give); reply.Code != 200 {
			t.Fatalf("round %d: %d %s", round, reply.Code, reply.Body)
		}
		if got := b.whereIs(c); !slices.Equal(got, []string{"all_nodes"}) {
			t.Fatalf("round %d: joined %v without a new connection", round, got)
		}
		c.cut()
	}
}
