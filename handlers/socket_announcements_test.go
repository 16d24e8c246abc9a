package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// announcedTo lists the tasks that a client was told of so far.
func announcedTo(c *socketClient) (tasks []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.heard {
		if task, ok := strings.CutPrefix(e, "new_task "); ok {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// announces reports whether a node is still to be told of tasks.
func (b *liveBed) announces(socket string) bool {
	for _, k := range b.s.live.tasks.Sockets(socket) {
		if v := nodeOf(k); socket != "" && v != nil {
			v.telling.Lock()
			defer v.telling.Unlock()
			return len(v.waiting) > 0
		}
	}
	return false
}

// opens asks for the open results of a node, as nodes do.
func (b *liveBed) opens(t *testing.T, query string) {
	t.Helper()
	b.send(t, row{as: "node_iknl_z", method: "GET", path: "/result?state=open&include=task&node_id=12" + query, want: 200})
}

func (b *liveBed) makes(t *testing.T, organization int) {
	t.Helper()
	b.send(t, row{as: "researcher", method: "POST", path: "/task", want: 201,
		body: fmt.Sprintf(`{"collaboration_id":1,"organizations":[{"id":%d,"input":"aW4="}]}`, organization)})
}

// TestNodesHearOfOneTaskAfterTheOther: of the next one when they have asked for the one before, or do not ask.
func TestNodesHearOfOneTaskAfterTheOther(t *testing.T) {
	all := []string{"2", "3", "4", "5", "6"}
	for name, patience := range map[string]time.Duration{"a node that asks": time.Hour, "a node that does not ask": 0} {
		t.Run(name, func(t *testing.T) {
			b := newLiveBed(t, func(o *Options) { o.Periods.Ask = patience })
			node, watcher := b.join("node_iknl_z", means{}), b.join("admin", means{})
			b.opens(t, "") // it has missed nothing
			for range all {
				b.makes(t, 2)
			}
			eventually(t, "users hear of all tasks at once", func() bool { return slices.Equal(announcedTo(watcher), all) })
			for i := range all {
				eventually(t, "the node hears of the next task", func() bool { return len(announcedTo(node)) > i })
				if patience == 0 {
					continue
				}
				b.opens(t, "&task_id=1") // asked for long ago
				if got := announcedTo(node); !slices.Equal(got, all[:i+1]) {
					t.Errorf("before it asked for the last one the node heard of %v", got)
				}
				b.opens(t, "&task_id="+all[i])
			}
			eventually(t, "the node hears of all tasks in their order", func() bool { return slices.Equal(announcedTo(node), all) })
		})
	}
}

// TestNodesThatComeBackMissNothing: those up to 3.7 ask for the task that they asked for last.
func TestNodesThatComeBackMissNothing(t *testing.T) {
	for _, x := range []struct {
		name, query string
		want        []string
	}{
		{"a node that asks for all", "", nil},
		{"a node that asks for its last task", "&task_id=1", []string{"2", "3", "5"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newLiveBed(t)
			for _, organization := range []int{2, 2, 2, 2, 3} { // tasks 2 to 6
				b.makes(t, organization)
			}
			b.exec(`UPDATE result SET started_at = '2022-01-01 00:00:00Z' WHERE task_id = 3`,
				`UPDATE result SET started_at = '2022-01-01 00:00:00Z', finished_at = '2022-01-02 00:00:00Z' WHERE task_id = 4`)
			node := b.join("node_iknl_z", means{})
			b.opens(t, x.query)
			b.opens(t, x.query) // once is enough
			if len(x.want) > 0 {
				eventually(t, "the node hears of what it has not ended", func() bool { return len(announcedTo(node)) >= len(x.want) })
			}
			b.makes(t, 2)
			want := slices.Concat(x.want, []string{"7"})
			eventually(t, fmt.Sprintf("the node hears of %v", want), func() bool { return slices.Contains(announcedTo(node), "7") })
			if got := announcedTo(node); !slices.Equal(got, want) {
				t.Errorf("the node heard of %v, not %v", got, want)
			}
		})
	}
}

// TestNodesThatAskAnotherServerMissNothing: a balancer may lead the question of a node elsewhere than its connection.
func TestNodesThatAskAnotherServerMissNothing(t *testing.T) {
	b := newLiveBed(t, func(o *Options) { o.Periods.CatchUp = time.Hour })
	b.makes(t, 2)
	b.makes(t, 2)
	b.exec(`UPDATE result SET started_at = '2022-01-01 00:00:00Z' WHERE task_id = 3`)
	node := b.join("node_iknl_z", means{})
	at := b.s.live.tasks.Sockets(node.id)[0]
	b.s.live.remind(nodeOf(at))
	eventually(t, "the node hears of what it has not ended", func() bool { return slices.Equal(announcedTo(node), []string{"1", "2", "3"}) })
	later := b.join("node_iknl_z", means{})
	later.emit("node_info_update", `{"encryption":true}`) // from 3.8 on
	b.s.live.remind(nodeOf(b.s.live.tasks.Sockets(later.id)[0]))
	b.makes(t, 2)
	eventually(t, "the node hears of the next task", func() bool { return len(announcedTo(later)) > 0 })
	if got := announcedTo(later); !slices.Equal(got, []string{"4"}) {
		t.Errorf("a node that has caught up heard of %v", got)
	}
}
