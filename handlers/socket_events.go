package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/live"
)

const (
	// loggedWords is how much of a client's words the log keeps, in characters.
	loggedWords = 300
	// nodeSettings is how many values a node may tell about itself.
	nodeSettings = 1_000
)

// events registers what clients may say (/docs/live#client-events). Everything else,
// such as join_room of releases before 3.6, is ignored. No event is answered, and none
// closes a connection.
func (l *sockets) events() {
	l.onNode("algorithm_status_change", l.statusChange)
	l.onNode("container_failed", l.containerFailed)
	l.onNode("node_info_update", l.nodeInfo)
	l.onEvent("ping", func(_ context.Context, v *connection, _ []json.RawMessage) error {
		l.s.core.NoteSeen(v.ID)
		return nil
	})
	l.onEvent("message", func(_ context.Context, v *connection, args []json.RawMessage) error {
		l.s.log.Info().Msgf("Message of %s: %s", v, words(args))
		return nil
	})
	l.onEvent("error", func(_ context.Context, v *connection, args []json.RawMessage) error {
		l.s.log.Error().Msgf("Error at %s: %s", v, words(args))
		return nil
	})
}

// onEvent registers an event; an error says why one was ignored.
func (l *sockets) onEvent(event string, do func(context.Context, *connection, []json.RawMessage) error) {
	l.tasks.On(event, func(k *live.Socket, args []json.RawMessage) []any {
		v, ok := k.Data.(*connection)
		if !ok {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), packetTimeout)
		defer cancel()
		if err := do(ctx, v, args); err != nil {
			l.s.log.Warn().Err(err).Msgf("Ignored event %s of %s", event, v)
		}
		return nil
	})
}

// nodeEvent is how an event is handled that only nodes may send.
type nodeEvent func(context.Context, access.Grant[access.NodeItself], []json.RawMessage) error

// onNode registers an event that only nodes may send.
func (l *sockets) onNode(event string, do nodeEvent) {
	l.onEvent(event, func(ctx context.Context, v *connection, args []json.RawMessage) error {
		g, err := access.Judge[access.NodeItself](v.Actor)
		if err != nil {
			return err
		}
		return do(ctx, g, args)
	})
}

// words shows what a client sent in one line of the log.
func words(args []json.RawMessage) string {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write(a[:min(len(a), 4*loggedWords)])
	}
	text := []rune(b.String())
	if len(text) > loggedWords {
		return strconv.Quote(string(text[:loggedWords])) + "…"
	}
	return strconv.Quote(string(text))
}

func (l *sockets) statusChange(ctx context.Context, g access.Grant[access.NodeItself], args []json.RawMessage) error {
	m, err := eventObject(args)
	if err != nil {
		return err
	}
	s := core.AlgorithmStatus{
		Status: m.text("status"), ResultID: m.need("result_id"),
		NodeID: m.number("node_id"), TaskID: m.number("task_id"), CollaborationID: m.number("collaboration_id"),
		OrganizationID: m.number("organization_id"), ParentID: m.number("parent_id"),
	}
	if m.fault != nil {
		return m.fault
	}
	return l.s.core.RelayStatus(ctx, g, s)
}

func (l *sockets) containerFailed(ctx context.Context, g access.Grant[access.NodeItself], args []json.RawMessage) error {
	m, err := eventObject(args)
	if err != nil {
		return err
	}
	_ = m.number("node_id") // only its type is looked at: who speaks is known
	f := core.ContainerFailure{
		ResultID: m.need("result_id"), CollaborationID: m.number("collaboration_id"), StatusCode: m.number("status_code"),
	}
	if m.fault != nil {
		return m.fault
	}
	return l.s.core.RelayFailure(ctx, g, f)
}

// eventFields are those of an event's one argument. The first faulty one is kept.
type eventFields struct {
	values map[string]json.RawMessage
	fault  error
}

var errArgument = errors.New("it needs one argument that is an object")

func eventObject(args []json.RawMessage) (*eventFields, error) {
	m := &eventFields{}
	if len(args) != 1 || json.Unmarshal(args[0], &m.values) != nil || m.values == nil {
		return nil, errArgument
	}
	return m, nil
}

// number reads a whole number, nil when it is missing or null.
func (m *eventFields) number(key string) *int64 {
	raw := string(m.values[key])
	if raw == "" || raw == "null" {
		return nil
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		m.refuse("%s is no whole number", key)
		return nil
	}
	return &n
}

func (m *eventFields) need(key string) int64 {
	n := m.number(key)
	if n == nil {
		m.refuse("%s is missing", key)
		return 0
	}
	return *n
}

// text reads a short text, nil when it is missing or null.
func (m *eventFields) text(key string) *string {
	raw := m.values[key]
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || hasHalf(raw) || utf8.RuneCountInString(s) > shortText {
		m.refuse("%s is no text of at most %d characters", key, shortText)
		return nil
	}
	return &s
}

func (m *eventFields) refuse(format string, args ...any) {
	if m.fault == nil {
		m.fault = fmt.Errorf(format, args...)
	}
}

// nodeInfo takes what a node tells about its configuration (/docs/live#node-config).
func (l *sockets) nodeInfo(ctx context.Context, g access.Grant[access.NodeItself], args []json.RawMessage) error {
	l.catchUp(g.Actor().ID)
	m, err := eventObject(args)
	if err != nil {
		return err
	}
	list := m.flag("encryption")
	for _, key := range []string{"allowed_algorithms", "allowed_users", "allowed_orgs"} {
		list = append(list, m.list(key)...)
	}
	if len(list) > nodeSettings {
		return fmt.Errorf("it has more than %d values", nodeSettings)
	}
	if m.fault != nil {
		l.s.log.Warn().Err(m.fault).Msgf("Ignored a part of event node_info_update of node %d", g.Actor().ID)
	}
	return l.s.core.KeepNodeSettings(ctx, g, list)
}

// flag returns a boolean as it is stored (/docs/live#node-config).
func (m *eventFields) flag(key string) []core.NodeSetting {
	switch string(m.values[key]) {
	case "", "null":
		return nil
	case "true":
		return []core.NodeSetting{{Key: key, Value: "1"}}
	case "false":
		return []core.NodeSetting{{Key: key, Value: "0"}}
	}
	m.refuse("%s is neither true nor false", key)
	return nil
}

// list returns the elements of a list, or the one text of allowed_algorithms. Elements
// that are neither a text nor a whole number are left out.
func (m *eventFields) list(key string) []core.NodeSetting {
	raw := m.values[key]
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	elements := []json.RawMessage{raw}
	if raw[0] == '[' {
		elements = nil
		_ = json.Unmarshal(raw, &elements) // the engine has checked that it is JSON
	} else if key != "allowed_algorithms" {
		m.refuse("%s is no list", key)
		return nil
	}
	var list []core.NodeSetting
	for _, e := range elements {
		value, ok := setting(e)
		if !ok || key == "allowed_algorithms" && e[0] != '"' {
			m.refuse("%s has a value of the wrong kind", key)
			continue
		}
		list = append(list, core.NodeSetting{Key: key, Value: value})
	}
	return list
}

// setting reads a text without control characters, or a whole number.
func setting(raw json.RawMessage) (string, bool) {
	if _, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return string(raw), true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || raw[0] != '"' || hasHalf(raw) {
		return "", false
	}
	return s, utf8.RuneCountInString(s) <= imageText && !strings.ContainsFunc(s, forbidden(imageText))
}
