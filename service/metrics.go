package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"vserver/handlers"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/limits"
	"vserver/service/mail"
)

// metrics are the measures of a server for Prometheus, which asks for them on a
// listener of their own: they are for the operator, not for users.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	files    *descriptors
}

func newMetrics(files *descriptors) *metrics {
	m := &metrics{
		files:    files,
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vserver_requests_total", Help: "Requests that were answered, by route, method and status; those to no route have /*.",
		}, []string{"route", "method", "status"}),
	}
	m.registry.MustRegister(m.requests)
	return m
}

// request counts a request; it fits handlers.Options.
func (m *metrics) request(route, method string, status int) {
	m.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status)).Inc()
}

// knownMethod keeps clients from making a series for each word that they think of.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// refused adds what an attack leaves behind, a series for each reason.
func (m *metrics) refused(c *core.LogInCount) {
	for reason, count := range map[string]*atomic.Int64{
		"password": &c.WrongPasswords, "code": &c.WrongCodes, "initial_password": &c.InitialPasswords, "api_key": &c.WrongKeys,
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "vserver_refused_logins_total", Help: "Log-ins that were refused, by what was wrong; a change of password or of recovery codes counts as well.",
			ConstLabels: prometheus.Labels{"reason": reason},
		}, func() float64 { return float64(count.Load()) }))
	}
	for kind, count := range map[string]*atomic.Int64{"address": &c.LockedPairs, "account": &c.LockedAccounts} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "vserver_locked_accounts_total", Help: "How often an account was locked after wrong passwords or codes: for one address, or the account as a whole.",
			ConstLabels: prometheus.Labels{"for": kind},
		}, func() float64 { return float64(count.Load()) }))
	}
}

// queued adds what waits to have a password hashed, a series for each crowd.
func (m *metrics) queued(c *core.Core) {
	for crowd, waiting := range c.Waiting() {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "vserver_logins_waiting", Help: "Log-ins and other requests with a password that wait for their turn, by where they come from.",
			ConstLabels: prometheus.Labels{"from": crowd},
		}, func() float64 { return float64(waiting.Load()) }))
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "vserver_logins_turned_away_total", Help: "Log-ins that were answered 429 because too many waited.",
	}, func() float64 { return float64(c.TurnedAway().Load()) }))
}

// oldKeys adds how many nodes have a key that a 3.x server has left.
func (m *metrics) oldKeys(c *core.Core) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "vserver_old_node_keys", Help: "Nodes whose API key a 3.x server has left as a slow hash, and that have not logged in since.",
	}, func() float64 { return float64(c.OldKeysLeft().Load()) }))
}

// mails adds what became of mails, a series for each outcome, and how many wait.
func (m *metrics) mails(ctx context.Context, c *core.Core, p *mail.Counts) {
	for outcome, count := range map[string]*atomic.Int64{"sent": &p.Sent, "failed": &p.Failed, "given_up": &p.GivenUp, "left_out": c.MailsLeftOut()} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "vserver_mails_total", Help: "What became of mails: sent, failed and to be tried again, given up, or left out because there were enough of them or no address.",
			ConstLabels: prometheus.Labels{"outcome": outcome},
		}, func() float64 { return float64(count.Load()) }))
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "vserver_mails_waiting", Help: "Mails that have to be sent; -1 when the database does not answer.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(ctx, headerTime)
		defer cancel()
		n, err := c.WaitingMails(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	}))
}

// connections adds how many connections found no file descriptor.
func (m *metrics) connections() {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "vserver_connections_without_descriptor_total", Help: "Times that a connection could not be taken because too many files were open.",
	}, func() float64 { return float64(m.files.refused.Load()) }))
}

// limits adds how often limits were reached, a series for each, and what they count.
func (m *metrics) limits(l *limits.Limits) {
	for limit := range l.Reached() {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "vserver_limited_total", Help: "How often a limit was reached, by its name in the configuration; what was over it was refused or cut.",
			ConstLabels: prometheus.Labels{"limit": limit},
		}, func() float64 { return float64(l.Reached()[limit]) }))
	}
	for _, g := range []struct {
		name, help string
		read       func() int
	}{
		{"vserver_connections", "Connections that are open, without those of the metrics.", l.Crowd.Len},
		{"vserver_connections_most", "How many there can be with the descriptors of the process; 0 for any number.", l.Crowd.Most},
		{"vserver_sessions", "Sessions of the live channel.", l.Sockets.Len},
		{"vserver_bodies", "Requests whose body is being read.", l.Bodies.Len},
		{"vserver_bodies_memory_bytes", "Memory that bodies of more than 64 KiB have taken.", l.Memory.Len},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help}, func() float64 { return float64(g.read()) }))
	}
	nodes := func() int { n, _ := l.Memory.Waiting(); return n }
	others := func() int { _, n := l.Memory.Waiting(); return n }
	for of, read := range map[string]func() int{"nodes": nodes, "others": others} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "vserver_bodies_waiting", Help: "Bodies that are left unread until there is memory for them.", ConstLabels: prometheus.Labels{"of": of},
		}, func() float64 { return float64(read()) }))
	}
}

// watch adds what is asked of the server at the moment of reading.
func (m *metrics) watch(ctx context.Context, opened *Opened, wire *handlers.Server) {
	gauge := func(name, help string, read func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
	}
	counter := func(name, help string, read func() float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
	}
	gauge("vserver_sockets", "Sockets that are connected to a namespace of the live channel.", func() float64 { return float64(wire.SocketCount()) })
	gauge("vserver_sockets_unjoined", "Connections to the live channel that have not joined a namespace with a good token.", func() float64 { return float64(wire.UnjoinedCount()) })
	counter("vserver_sockets_expired_total", "Of those, the ones that were ended because they did not join in time.", func() float64 { return float64(wire.ExpiredCount()) })
	gauge("vserver_nodes_online", "Nodes that are online; -1 when the database does not answer.", func() float64 {
		ctx, cancel := context.WithTimeout(ctx, headerTime)
		defer cancel()
		n, err := opened.Core.NodesOnline(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	})
	m.refused(opened.Core.Refused())
	m.queued(opened.Core)
	m.oldKeys(opened.Core)
	m.connections()
	if opened.DB.Commits() == nil {
		return // Postgres groups commits by itself
	}
	counter("vserver_database_write_batches_total", "Commits of the database, each for one or more transactions.", func() float64 {
		return float64(opened.DB.Commits().Commits.Load())
	})
	counter("vserver_database_writes_total", "Transactions that shared those commits.", func() float64 {
		return float64(opened.DB.Commits().Transactions.Load())
	})
}

// mostScrapes is how many connections the listener of the metrics has at a time; the oldest makes room for another one.
// The descriptors for them are not those of clients.
const mostScrapes = 8

// handler answers at /metrics.
func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// serve answers at /metrics until the returned function is called. Whoever asks before fill has added what there is to
// read waits for it, not the clients of the server.
func (m *metrics) serve(ctx context.Context, at config.Metrics, log zerolog.Logger, fill func()) (stop func(), err error) {
	address := net.JoinHostPort(at.IP, strconv.Itoa(at.Port))
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for metrics: %w", address, err)
	}
	readers := limits.New(limits.Options{Connections: mostScrapes}).Crowd
	server := &http.Server{
		Handler: shielded(m.handler(), log), ReadHeaderTimeout: headerTime, ReadTimeout: headerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerSize, ErrorLog: complain(log),
	}
	log.Info().Msgf("Metrics are at http://%s/metrics", l.Addr())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := fault.Caught(func() error {
			fill()
			return server.Serve(readers.Watch(m.files.watch(l)))
		})
		if !errors.Is(err, http.ErrServerClosed) {
			log.Error().Err(err).Msg("The metrics cannot be read any more")
		}
	}()
	return func() {
		_ = server.Close()
		<-ended
	}, nil
}

// shielded answers 500 where a handler panics, with the incident that is in the log.
func shielded(next http.Handler, log zerolog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p *fault.Panic
		err := fault.Caught(func() error {
			next.ServeHTTP(w, r)
			return nil
		})
		if errors.As(err, &p) {
			log.Error().Func(p.Detail).Msgf("%s panicked", r.URL.Path)
			w.Header().Set("X-Incident", p.Incident)
			http.Error(w, "This is a fault of the server", http.StatusInternalServerError)
		}
	})
}
