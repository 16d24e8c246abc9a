package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"vserver/service/plot"

	"github.com/coder/websocket"
)

// answer is the first line of an HTTP answer.
type answer struct {
	status int
	err    error
}

func firstLine(c net.Conn) answer {
	line, err := bufio.NewReader(c).ReadString('\n')
	var a answer
	if _, scanned := fmt.Sscanf(line, "HTTP/1.1 %d", &a.status); scanned != nil {
		a.err = errors.Join(errors.New("the connection was cut without an answer"), err)
	}
	return a
}

const (
	// joinAtOnce is how many connections of a crowd are under way at a time.
	joinAtOnce = 256
	// joinOver is the time over which they come, with what the aim of all of them leaves: as fast as
	// they can, the crowd itself takes the processors from the one who reads.
	joinOver = 4 * time.Second
)

// joins opens a crowd of live connections of one account while another one reads.
func joins(ctx context.Context, t *trial) error {
	c := newClient(t.url, "").as(t.root.token)
	var crowd crowd
	var took time.Duration
	idle, busy, err := t.beside(ctx, getEvery, t.getNode, nil, func() error {
		began := time.Now()
		err := crowd.gather(ctx, c, t.sizes.Sockets)
		took = time.Since(began)
		return err
	})
	crowd.leave()
	t.draw(drawn{
		plot: "latency-joins", points: busy.slowest(),
		axes: plot.Plot{
			Title: t.sizes.fill("Time of a GET of others while one account opens {sockets} live connections"),
			X:     "seconds since the first connection", Y: "time of a GET, ms", LogY: true,
		},
	})
	if err != nil {
		return err
	}
	t.found("took", took.Seconds())
	t.found("worst", busy.within(1))
	t.foundRatio("p99", "GET /node", idle, busy)
	return nil
}

// slowest is the slowest request of each tenth of a second.
func (p probed) slowest() []plot.Point {
	var all []plot.Point
	most := map[int]float64{}
	last := 0
	for _, s := range p.samples {
		at := int(s.at * 10)
		most[at] = max(most[at], milliseconds(s.took))
		last = max(last, at)
	}
	for at := range last + 1 {
		if y, there := most[at]; there {
			all = append(all, plot.Point{X: float64(at) / 10, Y: y})
		}
	}
	return all
}

// crowd is many live connections.
type crowd struct {
	mu    sync.Mutex
	conns []*websocket.Conn
	ears  crew
	stop  context.CancelFunc
}

// gather opens connections, and returns when all are in.
func (c *crowd) gather(ctx context.Context, as *client, n int) error {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	var next atomic.Int64
	began := time.Now()
	_, err := drive(ctx, joinAtOnce, n, func(ctx context.Context) error {
		turn := time.Duration(next.Add(1)-1) * joinOver / time.Duration(n)
		if !pause(ctx, turn-time.Since(began)) {
			return ctx.Err()
		}
		conn, err := as.join(ctx)
		if err != nil {
			return err
		}
		c.add(life, conn)
		return nil
	})
	return err
}

// add has a connection listened to.
func (c *crowd) add(life context.Context, conn *websocket.Conn) {
	c.mu.Lock()
	c.conns = append(c.conns, conn)
	c.mu.Unlock()
	c.ears.do(func() error { listen(life, conn); return nil })
}

// leave closes all of them.
func (c *crowd) leave() {
	if c.stop == nil {
		return
	}
	c.stop()
	for _, conn := range c.conns {
		_ = conn.CloseNow()
	}
	_ = c.ears.finish()
}

const (
	// gathering is how long strangers are at it before the right log-in.
	gathering = time.Second
	// patience is how long one looks at a server that does not let the right one in.
	patience = time.Minute
)

// logIns measures the right log-in alone, and beside strangers who guess.
func logIns(ctx context.Context, t *trial) error {
	const home = "127.0.0.9"
	hash, _, err := t.rightLogIns(ctx, func(int) string { return home }, patience)
	if err != nil {
		return err
	}
	t.found("hash", milliseconds(hash))
	for _, flood := range []struct {
		key       string
		from, ask func(int) string
	}{
		// Nobody has logged in before from where the right one comes, or there is a place kept for it.
		{"one", func(int) string { return "127.0.0.2" }, func(i int) string { return fmt.Sprintf("127.0.1.%d", i+1) }},
		{"many", func(i int) string { return fmt.Sprintf("127.0.2.%d", i%250+1) }, func(int) string { return home }},
	} {
		if flood.key == "one" && !manyAddresses() {
			continue
		}
		stop := t.guess(ctx, flood.from)
		pause(ctx, gathering)
		middle, longest, err := t.rightLogIns(ctx, flood.ask, patience)
		answered := stop()
		if err != nil {
			return err
		}
		t.found(flood.key, float64(middle)/float64(hash))
		t.note("beside strangers at %s: the longest of the right log-ins %.1f hash times; %s", map[string]string{"one": "one address", "many": "as many addresses"}[flood.key],
			float64(longest)/float64(hash), answered)
	}
	return nil
}

// rightLogIns logs in several times, or as often as a time allows, and returns the middle and the
// longest.
func (t *trial) rightLogIns(ctx context.Context, from func(int) string, within time.Duration) (middle, longest time.Duration, err error) {
	var took []time.Duration
	for began := time.Now(); len(took) < t.sizes.Tasks && (len(took) == 0 || time.Since(began) < within); {
		c := newClient(t.url, from(len(took)))
		begin := time.Now()
		_, err := c.logInUser(ctx, t.username, t.password)
		took = append(took, time.Since(begin))
		c.close()
		if err != nil {
			return 0, 0, err
		}
	}
	return quantile(took, .5), quantile(took, 1), nil
}

// guess has strangers try to log in until stop is called, which tells what they were answered.
func (t *trial) guess(ctx context.Context, from func(int) string) (stop func() (answered string)) {
	ctx, cancel := context.WithCancel(ctx)
	var strangers crew
	var refused, turned, other atomic.Int64
	for i := range t.sizes.Threads {
		strangers.do(func() error {
			c := newClient(t.url, from(i))
			defer c.close()
			for ctx.Err() == nil {
				_, err := c.logInUser(ctx, "nobody", "wrong")
				var s *statusError
				switch {
				case errors.As(err, &s) && s.status == http.StatusUnauthorized:
					refused.Add(1)
				case errors.As(err, &s) && s.status == http.StatusTooManyRequests:
					turned.Add(1)
				case ctx.Err() == nil:
					other.Add(1)
				}
			}
			return nil
		})
	}
	return func() string {
		cancel()
		_ = strangers.finish()
		return fmt.Sprintf("the strangers were answered 401 %d times, 429 %d times, otherwise %d times", refused.Load(), turned.Load(), other.Load())
	}
}

// served is how long somebody waits for an answer in the crowd of writers.
const servedWithin = 5 * time.Second

// writers fills a server that has few descriptors with bodies that do not end.
func writers(ctx context.Context, t *trial) error {
	for i := range t.sizes.Writers {
		c, err := t.dial(ctx, fmt.Sprintf("127.0.0.%d", 2+i%4))
		if err != nil {
			t.note("only %d of the slow bodies got a connection", i)
			break
		}
		defer func() { _ = c.Close() }()
		_, _ = io.WriteString(c, "POST /api/token/user HTTP/1.1\r\nHost: "+t.host+"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"user")
	}
	fresh := t.root.fresh(servedWithin)
	node := fresh.as(t.nodes[0].token)
	asks := map[string]ask{
		"health": func(ctx context.Context) error { return fresh.as("").get(ctx, "/health") },
		"a user": func(ctx context.Context) error { return fresh.get(ctx, "/organization") },
		"a node": func(ctx context.Context) error { return node.get(ctx, fmt.Sprintf("/node/%d", t.nodes[0].id)) },
		"a log-in": func(ctx context.Context) error {
			_, err := fresh.as("").logInUser(ctx, t.username, t.password)
			return err
		},
		"the metrics": (&client{"http://" + t.metrics, "", fresh.http}).metrics,
	}
	var mu sync.Mutex
	served, slowest, failed := 0, time.Duration(0), map[string]int{}
	for range t.sizes.Tasks {
		var round crew
		for who, request := range asks {
			round.do(func() error {
				began := time.Now()
				err := request(ctx)
				mu.Lock()
				defer mu.Unlock()
				slowest = max(slowest, time.Since(began))
				if err != nil {
					failed[who]++
				} else {
					served++
				}
				return nil
			})
		}
		_ = round.finish()
	}
	t.found("served", 100*float64(served)/float64(t.sizes.Tasks*len(asks)))
	t.found("slowest", milliseconds(slowest))
	if len(failed) > 0 {
		t.note("not served within %s: %v", servedWithin, failed)
	}
	return ctx.Err()
}

func (c *client) metrics(ctx context.Context) error { return c.get(ctx, "/metrics") }
