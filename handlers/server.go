package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"time"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

// Operator is what the running program tells and does for who holds every rule
// (/docs/server). What is nil it does not.
type Operator struct {
	State    func(ctx context.Context) (ServerState, error)
	Examine  func(ctx context.Context) []ServerFinding
	Warnings func() []ServerWarning
	// LogTail returns the last lines of the log.
	LogTail func(most int) ([]string, error)
	// Backup makes a copy of the database that the reader has once, and that is gone with
	// its Close.
	Backup func(ctx context.Context) (ServerBackup, error)

	examining, copying sync.Mutex
}

// ServerState is what a server is and how it does.
type ServerState struct {
	Name, Environment string
	Version, Commit   string
	Started           time.Time
	Engine            string
	Database          string // where it is, without secrets
	Size              int64  // bytes
	Schema            int64  // version
	ConfigFile        string
	LogFile           string
	Mail, VPN         bool // configured
	SecondFactor      bool
	Settings          []ServerSetting // those that limit what somebody may have
}

// ServerSetting is a setting with its value in effect.
type ServerSetting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ServerFinding is what a check of `vserver doctor` came to.
type ServerFinding struct {
	Check   string  `json:"check"`
	Verdict string  `json:"verdict"`
	Text    string  `json:"text"`
	Advice  *string `json:"advice"`
}

// ServerWarning is a record of the log that is at least a warning.
type ServerWarning struct {
	At                     time.Time
	Level, Logger, Message string
}

// ServerBackup is a copy of the database.
type ServerBackup struct {
	io.ReadCloser
	Name string
	Size int64
}

func (s *Server) serverRoutes() []route {
	return []route{
		{method: "GET", path: "/server", who: access.User, judges: core.NeedsEveryRule, endpoint: requires[access.OperateServer](s.handleServer)},
		{method: "GET", path: "/server/doctor", who: access.User, judges: core.NeedsEveryRule, endpoint: requires[access.OperateServer](s.handleDoctor)},
		{method: "GET", path: "/server/warning", who: access.User, judges: core.NeedsEveryRule, endpoint: requires[access.OperateServer](s.handleWarnings)},
		{method: "GET", path: "/server/log", who: access.User, judges: core.NeedsEveryRule, endpoint: requires[access.OperateServer](s.handleLogTail)},
		{method: "GET", path: "/server/backup", who: access.User, judges: core.NeedsEveryRule, endpoint: requires[access.OperateServer](s.handleBackup)},
	}
}

// serverJSON is the state of a server on the wire (/docs/server#state).
type serverJSON struct {
	Name         string          `json:"name"`
	Environment  string          `json:"environment"`
	Version      string          `json:"version"`
	Commit       string          `json:"commit"`
	Emulates     string          `json:"emulates"`
	Now          *string         `json:"now"`
	Started      *string         `json:"started"`
	Database     databaseJSON    `json:"database"`
	ConfigFile   string          `json:"config_file"`
	LogFile      string          `json:"log_file"`
	Sockets      int             `json:"sockets"`
	Unjoined     int             `json:"sockets_unjoined"`
	NodesOnline  int64           `json:"nodes_online"`
	Mail         bool            `json:"mail"`
	MailsWaiting int64           `json:"mails_waiting"`
	VPN          bool            `json:"vpn"`
	SecondFactor bool            `json:"second_factor"`
	Settings     []ServerSetting `json:"settings"`
}

type databaseJSON struct {
	Engine string `json:"engine"`
	Place  string `json:"place"`
	Size   int64  `json:"size"`
	Schema int64  `json:"schema"`
}

func (s *Server) handleServer(k *call, g access.Grant[access.OperateServer]) error {
	counts, err := s.core.ServerCounts(k.ctx, g)
	if err != nil {
		return err
	}
	state, err := s.state(k.ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	settings := state.Settings
	if settings == nil {
		settings = []ServerSetting{}
	}
	return k.replySecret(http.StatusOK, serverJSON{
		Name: state.Name, Environment: state.Environment, Version: cmp.Or(state.Version, s.opt.Version), Commit: state.Commit,
		Emulates: Emulates, Now: moment(&now), Started: moment(&state.Started),
		Database:   databaseJSON{state.Engine, state.Database, state.Size, state.Schema},
		ConfigFile: state.ConfigFile, LogFile: state.LogFile, Sockets: s.SocketCount(), Unjoined: s.UnjoinedCount(),
		NodesOnline: counts.NodesOnline, Mail: state.Mail, MailsWaiting: counts.MailsWaiting, VPN: state.VPN,
		SecondFactor: state.SecondFactor, Settings: settings,
	})
}

func (s *Server) state(ctx context.Context) (ServerState, error) {
	if o := s.operator(); o.State != nil {
		return o.State(ctx)
	}
	return ServerState{Started: s.started}, nil
}

func (s *Server) handleDoctor(k *call, g access.Grant[access.OperateServer]) error {
	if err := s.core.MayOperate(g); err != nil {
		return err
	}
	o := s.operator()
	found := []ServerFinding{}
	if o.Examine != nil {
		if !o.examining.TryLock() {
			return fault.New(fault.TooMany, "The server is being examined already, ask again when that is done")
		}
		defer o.examining.Unlock()
		found = append(found, o.Examine(k.ctx)...)
	}
	return k.replySecret(http.StatusOK, found)
}

// operator returns what the program does.
func (s *Server) operator() *Operator {
	if s.opt.Operator == nil {
		return &Operator{}
	}
	return s.opt.Operator
}

type warningJSON struct {
	At      *string `json:"at"`
	Level   string  `json:"level"`
	Logger  string  `json:"logger"`
	Message string  `json:"message"`
}

func (s *Server) handleWarnings(k *call, g access.Grant[access.OperateServer]) error {
	if err := s.core.MayOperate(g); err != nil {
		return err
	}
	o := s.operator()
	var list []ServerWarning
	if o.Warnings != nil {
		list = o.Warnings()
	}
	return k.replySecret(http.StatusOK, each(list, func(w ServerWarning) warningJSON {
		return warningJSON{moment(&w.At), w.Level, w.Logger, w.Message}
	}))
}

// normalTail and mostTail are how many lines of the log are shown.
const normalTail, mostTail = 200, 2000

func (s *Server) handleLogTail(k *call, g access.Grant[access.OperateServer]) error {
	if err := s.core.MayOperate(g); err != nil {
		return err
	}
	o := s.operator()
	f := k.filters()
	lines := f.id("lines")
	switch {
	case f.err() != nil:
		return f.err()
	case lines == nil:
		lines = new(int64)
		*lines = normalTail
	case *lines < 1 || *lines > mostTail:
		return fault.New(fault.Invalid, "lines has to be from 1 to %d", mostTail)
	}
	tail := []string{}
	if o.LogTail != nil {
		shown, err := o.LogTail(int(*lines))
		if err != nil {
			return fmt.Errorf("showing the log: %w", err)
		}
		tail = append(tail, shown...)
	}
	return k.replySecret(http.StatusOK, map[string][]string{"lines": tail})
}

// handleBackup sends a copy of the database. Who asks for the headers alone has none made.
func (s *Server) handleBackup(k *call, g access.Grant[access.OperateServer]) error {
	if err := s.core.MayOperate(g); err != nil {
		return err
	}
	o := s.operator()
	if o.Backup == nil {
		return fault.New(fault.Unsupported, "This server makes no backup over the API: vserver backup does")
	}
	h := k.echo.Response().Header()
	h.Set("Cache-Control", noStore)
	if k.echo.Request().Method == http.MethodHead {
		h.Set("Content-Type", "application/octet-stream")
		return k.echo.NoContent(http.StatusOK)
	}
	if !o.copying.TryLock() {
		return fault.New(fault.TooMany, "A backup is being made already, ask again when that is done")
	}
	defer o.copying.Unlock()
	made, err := o.Backup(k.ctx)
	if err != nil {
		return fmt.Errorf("making a backup: %w", err)
	}
	defer func() { _ = made.Close() }()
	s.log.Warn().Msgf("User %s downloads a backup of the database to %s", g.Actor().Name, s.clientOf(k.echo.Request()).Address)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": made.Name}))
	h.Set("Content-Length", strconv.FormatInt(made.Size, 10))
	h.Set("Content-Type", "application/octet-stream")
	k.echo.Response().WriteHeader(http.StatusOK)
	if _, err := io.Copy(k.echo.Response(), made); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn().Err(err).Msg("The download of a backup broke off")
		panic(http.ErrAbortHandler) // what was sent is no whole file
	}
	return nil
}
