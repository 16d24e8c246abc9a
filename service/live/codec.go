package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// First bytes of the Engine.IO packets.
const (
	engineClose   = '1'
	enginePing    = '2'
	enginePong    = '3'
	engineMessage = '4'
	engineUpgrade = '5'
	engineNoop    = '6'
)

// separator stands between the packets of one polling body.
const separator = 0x1e

// First bytes of the Socket.IO packets, which are the content of an Engine.IO message. The two kinds with binary
// attachments are used by no client of this server (/docs/live#packets) and are malformed here.
const (
	packetConnect      = '0'
	packetDisconnect   = '1'
	packetEvent        = '2'
	packetAck          = '3'
	packetConnectError = '4'
)

const (
	maxNamespace = 128 // bytes in the name of a namespace
	maxID        = 18  // digits of an acknowledgement id
	maxArguments = 64  // elements of an event; one with more is ignored
)

var errMalformed = errors.New("malformed packet")

// packet is a Socket.IO packet from a client. data is the JSON text at its end and may be empty.
type packet struct {
	kind      byte
	namespace string
	id        string // of the acknowledgement; empty if none is asked for or given
	data      []byte
}

// decode reads the content of an Engine.IO message: kind, namespace with comma unless it is the root, acknowledgement
// id, JSON. Any error means broken framing, which ends the session; what the JSON says is the business of others.
func decode(b []byte) (packet, error) {
	if len(b) == 0 || b[0] < packetConnect || b[0] > packetAck {
		return packet{}, errMalformed
	}
	p := packet{kind: b[0], namespace: "/"}
	b = b[1:]
	if len(b) > 0 && b[0] == '/' {
		name, rest, _ := bytes.Cut(b, []byte{','})
		if len(name) > maxNamespace {
			return packet{}, errMalformed
		}
		p.namespace, _, _ = strings.Cut(string(name), "?") // an old way to pass parameters
		b = rest
	}
	if p.kind == packetEvent || p.kind == packetAck {
		digits := 0
		for digits < len(b) && '0' <= b[digits] && b[digits] <= '9' {
			digits++
		}
		if digits > maxID {
			return packet{}, errMalformed
		}
		p.id, b = string(b[:digits]), b[digits:]
	}
	p.data = b
	return p, p.check()
}

// check holds the JSON of a packet against its kind.
func (p packet) check() error {
	array := len(p.data) > 0 && p.data[0] == '['
	switch {
	case len(p.data) > 0 && !(json.Valid(p.data) && utf8.Valid(p.data)):
		return errMalformed
	case p.kind == packetEvent && !array, p.kind == packetAck && (!array || p.id == ""):
		return errMalformed
	}
	return nil
}

// elements cuts a valid JSON array into its elements, without copying. It stops after limit elements.
func elements(array []byte, limit int) []json.RawMessage {
	var list []json.RawMessage
	array = bytes.TrimSpace(array)
	start := 1
	for start < len(array) && len(list) < limit {
		end := start + valueEnd(array[start:])
		if element := bytes.TrimSpace(array[start:end]); len(element) > 0 {
			list = append(list, element)
		}
		start = end + 1
	}
	return list
}

// valueEnd returns where the JSON value at the beginning of b ends: at the comma or bracket after it.
func valueEnd(b []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case depth == 0 && (c == ',' || c == ']'):
			return i
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		}
	}
	return len(b)
}

// eventOf returns the name and the arguments of an event, or false for one that no handler can be meant for: a first
// element that is not a string, or more elements than maxArguments.
func eventOf(array []byte) (name string, args []json.RawMessage, ok bool) {
	list := elements(array, maxArguments+1)
	if len(list) == 0 || len(list) > maxArguments || json.Unmarshal(list[0], &name) != nil || list[0][0] != '"' {
		return "", nil, false
	}
	return name, list[1:], true
}

// encode builds a whole frame: Engine.IO message, kind, namespace, acknowledgement id or nothing, JSON or nothing.
func encode(kind byte, namespace, id string, data []byte) []byte {
	b := make([]byte, 0, len(namespace)+len(id)+len(data)+3)
	b = append(b, engineMessage, kind)
	if namespace != "/" {
		b = append(append(b, namespace...), ',')
	}
	b = append(b, id...)
	return append(b, data...)
}

// array is the JSON array of values, none for no values; characters that only HTML minds are left as they are.
func array(values ...any) ([]byte, error) {
	var b bytes.Buffer
	if values == nil {
		values = []any{}
	}
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(values); err != nil {
		return nil, fmt.Errorf("encoding live arguments: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
