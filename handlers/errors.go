package handlers

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"vserver/service/core"
	"vserver/service/fault"
)

// errMethod is the reply to a method that a known path does not have (/docs/wire#method).
var errMethod = errors.New("the method is not allowed")

// The texts of replies that no use case words.
const (
	textMethod   = "The method is not allowed for the requested URL."
	textUnparsed = "The browser (or proxy) sent a request that this server could not understand."
	textInternal = "An unexpected error occurred on the server!"
)

// statusOf is the one place where a kind of fault becomes a status.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid, fault.Unparsed, fault.Broken, fault.Field:
		return http.StatusBadRequest
	case fault.Unauthorized, fault.Denied:
		return http.StatusUnauthorized
	case fault.WrongKind:
		return http.StatusForbidden
	case fault.Missing:
		return http.StatusNotFound
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.BadToken, fault.Reused:
		return http.StatusUnprocessableEntity
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Upstream, fault.Unknown:
		return http.StatusInternalServerError
	case fault.Unsupported:
		return http.StatusNotImplemented
	case fault.Busy:
		return http.StatusServiceUnavailable
	case fault.Full:
		return http.StatusInsufficientStorage
	default:
		return http.StatusInternalServerError
	}
}

// fail turns an error into its reply. Of an unknown error the caller learns
// nothing but an id, under which the log has the cause.
func (s *Server) fail(c echo.Context, err error) {
	req := c.Request()
	committed := c.Response().Committed
	// A body that came too slowly ends the context as well, but whoever sent it is there.
	if req.Context().Err() != nil && (committed || interrupted(err) && !fault.Is(err, fault.Broken)) {
		s.log.Debug().Err(err).Str("path", req.URL.Path).Msg("the caller went away")
		return
	}
	if committed {
		s.log.Error().Err(err).Str("path", req.URL.Path).Msg("failed in the middle of a reply")
		panic(http.ErrAbortHandler) // a reply that ended here would look whole
	}
	c.Response().Header().Set("Cache-Control", noStore)
	status, body := s.reply(c, err)
	if werr := writeJSON(c, status, body); werr != nil {
		s.log.Debug().Err(werr).Msg("could not send a reply")
	}
}

// interrupted reports whether an error can come from a request whose caller went away:
// drivers have errors of their own for that.
func interrupted(err error) bool {
	var panicked *fault.Panic
	return !errors.As(err, &panicked)
}

func (s *Server) reply(c echo.Context, err error) (int, any) {
	if errors.Is(err, errMethod) {
		return http.StatusMethodNotAllowed, messages(textMethod, textMethod)
	}
	err = core.StorageFault(err)
	f, ok := fault.As(err)
	if !ok || f.Kind == fault.Internal {
		c.Response().Header().Set(incidentHeader, s.incident(c.Request(), err))
		return http.StatusInternalServerError, map[string]string{"msg": textInternal}
	}
	if f.Kind == fault.Unknown {
		c.Response().Header().Set(incidentHeader, s.incident(c.Request(), err))
		return statusOf(f.Kind), map[string]string{"msg": f.Msg}
	}
	if f.RetryAfter > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if f.Cause != nil {
		s.log.Warn().Err(f.Cause).Str("path", c.Request().URL.Path).Msg(f.Msg)
	}
	msg := asAsked(c, f.Msg)
	switch f.Kind {
	case fault.Unparsed:
		return statusOf(f.Kind), messages(textUnparsed, textUnparsed)
	case fault.Field:
		return statusOf(f.Kind), messages(map[string]string{f.Field: msg}, f.Field+": "+msg)
	default:
		return statusOf(f.Kind), map[string]string{"msg": msg}
	}
}

// incidentHeader has the id under which the log has the cause of a 500.
const incidentHeader = "X-Incident"

// incident logs an error that nobody foresaw and returns its id.
func (s *Server) incident(r *http.Request, err error) string {
	id, stack := fault.NewIncident(), ""
	var lost *fault.Panic
	if errors.As(err, &lost) {
		id, stack = lost.Incident, lost.Stack
	}
	s.log.Error().Err(err).Func(func(e *zerolog.Event) {
		if stack != "" {
			e.Str("stack", stack)
		}
	}).Str("incident", id).Str("method", r.Method).Str("path", r.URL.Path).Msg("unexpected error")
	return id
}

// messages is a body with `message` as the reference has it, and `msg` beside it
// for clients that read only that.
func messages(message any, msg string) json.RawMessage {
	b, err := json.Marshal(map[string]any{"message": message, "msg": msg})
	if err != nil {
		panic(err) // strings and maps of strings always encode
	}
	return b
}
