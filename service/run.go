package service

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"vserver/handlers"
	"vserver/queries"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/daemon"
	"vserver/service/fault"
	"vserver/service/limits"
	"vserver/service/log"
	"vserver/service/mail"
)

// RunOptions is what serving needs beside the instance.
type RunOptions struct {
	Console io.Writer    // where `logging.use_console` writes to; nil for nowhere
	Warned  func(string) // gets every warning of the log; nil for nobody
	Upkeep  Upkeep       // what is done to the instance over the API
	// RootFromAnywhere tells that the environment dev or test was asked for by name: then
	// the first user gets in from anywhere with its initial password (/docs/security#t22).
	RootFromAnywhere bool
	Ready            func(net.Addr) // called once requests are answered; may be nil
	// Getenv is the environment, where a service manager says how to tell it that the
	// server is ready, lives and ends; nil for none.
	Getenv func(string) string
	// CompareKeys is the command line of a process that calls core.CompareKeys; none: this one compares.
	CompareKeys []string
	// Lease is how long other servers of the database take this one for alive after it was heard of last;
	// 0: 15 s. Tests take less.
	Lease time.Duration
	// Seen is what the database was seen to be a moment ago; nil: it is looked at.
	Seen *Sighting
}

const (
	// headerTime is how long a client may take to send the head of a request. Bodies
	// may take long as long as they move, and live connections last.
	headerTime = 10 * time.Second
	// idleTime is how long a connection may be kept without a request.
	idleTime = 2 * time.Minute
	// headerSize is the largest head of a request in bytes.
	headerSize = 64 << 10
	// drainTime is how long requests may go on after the end was asked for.
	drainTime = 10 * time.Second
	// settledTime is when a start is over.
	settledTime = time.Second
)

// Run serves an instance until ctx ends, then lets requests finish, closes live
// connections and the database, and returns nil. Any other end is an error, which is
// in the log as well.
func Run(ctx context.Context, inst config.Instance, o RunOptions) error {
	logs, err := log.Open(log.Options{
		Settings: inst.Config.Logging, File: inst.LogFile, Console: o.Console, Secrets: inst.Config.Secrets(), Warned: o.Warned,
		Plain: o.Getenv != nil && o.Getenv("NO_COLOR") != "",
	})
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }()
	announce(logs.Logger("context"), inst)
	logger := logs.Logger("server")
	restrictFiles(inst, logger)
	err = fault.Caught(func() error { return serveInstance(ctx, inst, o, logs) })
	var p *fault.Panic
	switch {
	case errors.As(err, &p):
		logger.Error().Func(p.Detail).Msg("The server ends because it panicked")
		return err
	case err != nil && ctx.Err() == nil:
		logger.Error().Err(err).Msg("The server ends because of an error")
		return err
	}
	logger.Info().Msg("The server has ended")
	return nil
}

// announce says what is about to run, and what of its configuration needs attention.
func announce(log zerolog.Logger, inst config.Instance) {
	version, commit := Version()
	log.Info().Str("version", version).Str("commit", commit).
		Msgf("Starting server %s with environment %s", inst.Name, inst.Config.Environment)
	log.Info().Msgf("Loaded the configuration from '%s'", inst.File)
	log.Info().Msgf("Logging to '%s'", inst.LogFile)
	for _, w := range inst.Warnings {
		log.Warn().Msg(w.String())
	}
	remindOfProxies(log, inst)
	if inst.Config.RabbitMQURI != "" {
		log.Info().Msg("rabbitmq_uri is not used: this server needs no message broker")
	}
}

// serveInstance opens everything, serves, and closes everything. The address comes first: who
// cannot have it must not touch the database of the server that has it.
func serveInstance(ctx context.Context, inst config.Instance, o RunOptions, logs *log.Log) error {
	logger := logs.Logger("server")
	defer paceFromNow(ctx, logger)()
	secure, err := secured(inst.Config, logger)
	if err != nil {
		return err
	}
	listener, err := Listen(ctx, inst.Config)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	logger.Info().Msg("Initializing the database")
	src := Source(inst)
	src.Seen = o.Seen
	release, err := takePlace(ctx, inst, src)
	if err != nil {
		return err
	}
	defer release()
	opened, err := OpenAt(ctx, inst, src, o.RootFromAnywhere, logs.Logger("base"))
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }()
	opened.Core.CompareKeysBy(o.CompareKeys)
	if err := begin(ctx, inst, opened.Core, o.Lease); err != nil {
		return err
	}
	logger.Info().Msg("Initialization done")
	files := &descriptors{log: logger}
	options, measured := wireOptions(inst.Config), newMetrics(files)
	options.Operator = operator(inst, opened, logs, o.Upkeep)
	options.Exhausted, options.Limits = files.exhausted, limitsOf(inst.Config, logger)
	if inst.Config.Metrics != nil {
		options.Observe = measured.request
	}
	wire := handlers.New(opened.Core, logger, options)
	s := &server{core: opened.Core, wire: wire, log: logger, notifier: daemon.NewNotifier(o.Getenv), http: &http.Server{
		Handler: lingering(patient(logged(wire, logger), takeTime)), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerSize, ErrorLog: complain(logger), TLSConfig: secure,
		ConnContext: limits.Keep, ConnState: limits.Follow,
	}}
	if inst.Config.SMTP.Configured {
		s.postman = mail.NewPostman(opened.Core, mail.New(inst.Config), placesOf(inst.Config), logs.Logger("mail"))
	}
	if inst.Config.Metrics != nil {
		stop, err := measured.serve(ctx, *inst.Config.Metrics, logger, func() {
			measured.watch(ctx, opened, wire)
			measured.limits(options.Limits)
			if s.postman != nil {
				measured.mails(ctx, opened.Core, &s.postman.Counts)
			}
		})
		if err != nil {
			return err
		}
		defer stop()
	}
	logger.Info().Msgf("Listening on %s%s", origin(inst.Config, listener.Addr()), inst.Config.APIPath)
	return s.serveUntilEnd(ctx, options.Limits.Crowd.Watch(files.watch(listener)), o.Ready, answers(wire, inst.Config.APIPath))
}

// takePlace makes this process the one server of a database that is one.
func takePlace(ctx context.Context, inst config.Instance, src queries.Source) (release func(), err error) {
	if err := refuseAnother(ctx, src); err != nil {
		return nil, err
	}
	if err := RequireStandby(ctx, inst); err != nil {
		return nil, err
	}
	return BeAlone(inst, "server")
}

// begin does what comes before anything listens.
func begin(ctx context.Context, inst config.Instance, c *core.Core, lease time.Duration) error {
	if err := join(ctx, inst, c, lease); err != nil {
		return err
	}
	if err := c.RemindOfInitialPassword(ctx); err != nil {
		return err
	}
	if err := c.SecondFactorReady(ctx); err != nil {
		return err
	}
	return c.AllOffline(ctx)
}

// wireOptions takes out of the configuration what the wire depends on.
func wireOptions(c config.Config) handlers.Options {
	version, _ := Version()
	o := handlers.Options{
		Version: version, UI: c.UI,
		APIPath: c.APIPath, TrustedProxies: c.TrustedProxies, TLS: c.TLS != nil,
		Secret: []byte(c.JWTSecretKey.Reveal()), AccessFor: c.AccessTokenLife, RefreshFor: c.RefreshTokenLife,
	}
	machine, _ := os.Hostname()
	short, _, _ := strings.Cut(machine, ".")
	o.Names = []string{machine, short}
	if !c.CORSAllowedOrigins.Any {
		o.AllowedOrigins = append([]string{}, c.CORSAllowedOrigins.List...)
	}
	for i, address := range slices.Concat(c.PublicURL, c.CORSAllowedOrigins.List) {
		u, err := url.Parse(address)
		if err != nil {
			continue // the configuration has none such
		}
		o.Names = append(o.Names, u.Hostname())
		if o.AllowedOrigins != nil && i < len(c.PublicURL) {
			o.AllowedOrigins = append(o.AllowedOrigins, u.Scheme+"://"+u.Host)
		}
	}
	return o
}

// limitsOf returns what one client may take of what belongs to all.
func limitsOf(c config.Config, log zerolog.Logger) *limits.Limits {
	return limits.New(limits.Options{
		Settings: c.Limits, Connections: limits.Room(databaseFiles()), Warn: func(text string) { log.Warn().Msg(text) },
		Trusted: func(a netip.Addr) bool { return trusts(c, a) },
	})
}

// databaseFiles is how many files the database may have open at most: SQLite three for each reader and the writer,
// PostgreSQL one for each connection, and one that listens.
func databaseFiles() int { return max(16, 4*runtime.GOMAXPROCS(0)) + 1 }

// secured returns the settings of TLS, nil when it is not configured.
func secured(c config.Config, log zerolog.Logger) (*tls.Config, error) {
	if c.TLS == nil {
		return nil, nil
	}
	cert, err := newCertificate(*c.TLS, log)
	if err != nil {
		return nil, err
	}
	return cert.settings(), nil
}

// Listen opens the one listener of a server.
func Listen(ctx context.Context, c config.Config) (net.Listener, error) {
	address := net.JoinHostPort(cmp.Or(c.IP, "127.0.0.1"), strconv.Itoa(c.Port))
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

// origin is the address as clients write it.
func origin(c config.Config, at net.Addr) string {
	if c.TLS != nil {
		return "https://" + at.String()
	}
	return "http://" + at.String()
}

// server is what runs between start and end.
type server struct {
	core *core.Core
	wire *handlers.Server
	http *http.Server
	log  zerolog.Logger

	notifier daemon.Notifier
	postman  *mail.Postman // nil: no mail is sent
}

// serveUntilEnd serves until ctx ends, or serving fails, and then ends in an orderly way.
func (s *server) serveUntilEnd(ctx context.Context, l net.Listener, ready func(net.Addr), alive func(context.Context) bool) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var work sync.WaitGroup
	work.Go(func() { s.wire.Run(background) })
	work.Go(func() {
		fault.Steadily(background, s.panicked, func(ctx context.Context) { s.core.WatchForeignChanges(ctx, 0) })
	})
	work.Go(func() { fault.Steadily(background, s.panicked, s.core.KeepPeers) })
	if s.postman != nil {
		work.Go(func() { fault.Steadily(background, s.panicked, s.postman.Run) })
	}
	failed := make(chan error, 1)
	work.Go(func() { failed <- s.accept(l) })
	if ready != nil {
		ready(l.Addr())
	}
	s.notifier.Notify(ctx, "READY=1\nSTATUS=Listening on "+l.Addr().String())
	work.Go(func() { freeAfterStart(background) })
	work.Go(func() { fault.Steadily(background, s.panicked, giveMemoryBack) })
	work.Go(func() {
		fault.Steadily(background, s.panicked, func(ctx context.Context) { s.notifier.KeepAlive(ctx, alive) })
	})
	var err error
	select {
	case <-ctx.Done():
		s.log.Info().Msg("Asked to end: finishing what is under way")
		s.notifier.Notify(background, "STOPPING=1\nSTATUS=Finishing what is under way")
	case err = <-failed:
	}
	s.drain(ctx)
	stop()
	work.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// freeAfterStart gives back what only the start and the first work in the background needed, once those who waited for
// the server were served.
func freeAfterStart(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(settledTime):
		debug.FreeOSMemory()
	}
}

func (s *server) panicked(p *fault.Panic) { tellPanic(s.log, p) }

func tellPanic(log zerolog.Logger, p *fault.Panic) {
	log.Error().Func(p.Detail).Msg("Work in the background panicked, it begins again")
}

// accept answers what comes to the listener, until the end. A panic closes the listener:
// it ends the server in an orderly way.
func (s *server) accept(l net.Listener) error {
	return fault.Caught(func() error {
		noteHandlers(s.http)
		if s.http.TLSConfig != nil {
			l = shakeHands(l, s.http.TLSConfig, s.log)
		}
		return s.http.Serve(answering{l, ownHeaders(s.http.TLSConfig != nil)})
	})
}

// drain ends live connections, waits for requests under way, and cuts off those that
// take too long.
func (s *server) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := s.wire.Close(ctx); err != nil {
		s.log.Warn().Err(err).Msg("Not every live connection ended in time")
	}
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn().Err(err).Msg("Not every request ended in time")
		_ = s.http.Close()
	}
}
