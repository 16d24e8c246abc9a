package live

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// wsConn is the server's end of a websocket (RFC 6455). It keeps little for each, since thousands say nothing for hours.
// One goroutine reads.
type wsConn struct {
	net    net.Conn
	server *Server

	writing sync.Mutex // for whole frames

	// What was read and not looked at yet: in[from:to], and then what the client sent before it had the answer.
	from, to int
	eager    []byte
	in       [readAhead]byte
}

const (
	// readAhead is how much is read at a time of frames, in bytes: most are smaller, and the content of larger ones goes
	// where it belongs at once. The content of a control frame has to fit.
	readAhead = 128
	// paidAhead is the room for a message before any of it is there, in bytes.
	paidAhead = 4 << 10
	// gatherSize is how much is gathered for one write to the network, in bytes.
	gatherSize = 16 << 10
	// maxFrameHeader is that of a frame of a server, in bytes.
	maxFrameHeader = 10
	// farewellTimeout is the time a client has to take its last frames and to close the connection.
	farewellTimeout = 2 * time.Second
)

// Kinds of frames (RFC 6455, 11.8), those from frameClose on control the connection.
const (
	frameContinuation = 0x0
	frameText         = 0x1
	frameClose        = 0x8
	framePing         = 0x9
	framePong         = 0xa

	frameFinal = 0x80 // a bit beside the kind
	maxControl = 125  // bytes in a frame that controls
)

// Codes of close frames (RFC 6455, 7.4.1).
const (
	closeNormal   = 1000
	closeProtocol = 1002
	closeTooLarge = 1009
)

var errTooLarge = errors.New("message too large")

// frame is the head of one.
type frame struct {
	final bool
	kind  byte
	size  uint64
	mask  [4]byte
}

// read returns the next message. A binary one is not part of this protocol. Nothing can be read after an error, and the
// client was told of one that is its own.
func (w *wsConn) read() ([]byte, error) {
	if err := w.fill(); err != nil { // waits where little of the stack is in use
		return nil, err
	}
	b, err := w.message()
	switch {
	case errors.Is(err, errMalformed):
		_ = w.farewell(closeProtocol) // as far as it can be reached
	case errors.Is(err, errTooLarge):
		_ = w.farewell(closeTooLarge)
	}
	return b, err
}

// message reads frames up to the end of a message.
func (w *wsConn) message() (b []byte, err error) {
	for begun := false; ; {
		f, err := w.head()
		if err != nil {
			return nil, err
		}
		if f.kind >= frameClose {
			if err := w.control(f); err != nil {
				return nil, err
			}
			continue
		}
		if begun && f.kind != frameContinuation || !begun && f.kind != frameText {
			return nil, errMalformed
		}
		if f.size > uint64(w.server.opt.MaxPayload-len(b)) { //nolint:gosec // what there is is within the limit
			return nil, errTooLarge
		}
		if b, err = w.content(b, int(f.size), f.mask); err != nil || f.final { //nolint:gosec // likewise
			return b, err
		}
		begun = true
	}
}

// head reads the head of a frame. What clients send is masked, and no extension was agreed on.
func (w *wsConn) head() (frame, error) {
	b, err := w.take(2)
	if err != nil {
		return frame{}, err
	}
	f := frame{final: b[0]&frameFinal != 0, kind: b[0] & 0xf, size: uint64(b[1] & 0x7f)}
	if b[0]&0x70 != 0 || b[1]&0x80 == 0 {
		return f, errMalformed
	}
	switch f.size {
	case 126:
		if b, err = w.take(2); err == nil {
			f.size = uint64(binary.BigEndian.Uint16(b))
		}
	case 127:
		if b, err = w.take(8); err == nil {
			f.size = binary.BigEndian.Uint64(b)
		}
	}
	if err != nil {
		return f, err
	}
	if b, err = w.take(len(f.mask)); err == nil {
		f.mask = [4]byte(b)
	}
	return f, err
}

// control does what a frame says that is no part of a message.
func (w *wsConn) control(f frame) error {
	if f.size > maxControl || !f.final || f.kind > framePong {
		return errMalformed
	}
	b, err := w.take(int(f.size))
	if err != nil {
		return err
	}
	unmask(b, f.mask)
	switch {
	case f.kind == framePing:
		return w.put(appendFrame(nil, framePong, b), w.server.opt.TransferTimeout)
	case f.kind == frameClose && !closes(b):
		return errMalformed
	case f.kind == frameClose:
		_ = w.part(b) // a client that is gone already hears nothing
		return io.EOF
	}
	return nil
}

// closes reports whether a close frame may have that content: nothing, or a code that is sent and a text.
func closes(b []byte) bool {
	if len(b) < 2 {
		return len(b) == 0
	}
	switch code := binary.BigEndian.Uint16(b); code {
	case 1004, 1005, 1006, 1015:
		return false
	default:
		return code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999
	}
}

// content appends the content of a frame. Room is made as it arrives, so that nobody takes much by announcing it.
func (w *wsConn) content(b []byte, size int, mask [4]byte) ([]byte, error) {
	begin := len(b)
	for end := begin + size; len(b) < end; {
		b = slices.Grow(b, min(end-len(b), max(len(b), paidAhead)))
		n, err := w.some(b[len(b):min(end, cap(b))])
		if err != nil {
			return nil, err
		}
		b = b[:len(b)+n]
	}
	unmask(b[begin:], mask)
	return b, nil
}

// some reads what there is, past the buffer where that is empty.
func (w *wsConn) some(b []byte) (int, error) {
	if w.from == w.to && len(w.eager) == 0 && len(b) >= readAhead {
		return w.net.Read(b)
	}
	if err := w.fill(); err != nil {
		return 0, err
	}
	n := copy(b, w.in[w.from:w.to])
	w.from += n
	return n, nil
}

// take returns the next few bytes. They are good until something else is read.
func (w *wsConn) take(n int) ([]byte, error) {
	for w.to-w.from < n {
		if err := w.more(); err != nil {
			return nil, err
		}
	}
	w.from += n
	return w.in[w.from-n : w.from], nil
}

// fill sees to it that there is something in the buffer.
func (w *wsConn) fill() error {
	if w.from < w.to {
		return nil
	}
	return w.more()
}

// more reads into the buffer.
func (w *wsConn) more() error {
	w.to = copy(w.in[:], w.in[w.from:w.to])
	w.from = 0
	if len(w.eager) > 0 {
		n := copy(w.in[w.to:], w.eager)
		w.to += n
		if w.eager = w.eager[n:]; len(w.eager) == 0 {
			w.eager = nil
		}
		return nil
	}
	n, err := w.net.Read(w.in[w.to:])
	w.to += n
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// writeAll writes texts in as few calls as it takes, which is most of what a text to many clients costs.
func (w *wsConn) writeAll(texts [][]byte) error {
	buffer := w.server.buffers.Get().(*[]byte)
	defer w.server.buffers.Put(buffer)
	for len(texts) > 0 {
		b := appendFrame((*buffer)[:0], frameText, texts[0]) // a large one gets room of its own
		n := 1
		for n < len(texts) && len(b)+len(texts[n])+maxFrameHeader <= gatherSize {
			b = appendFrame(b, frameText, texts[n])
			n++
		}
		if err := w.put(b, w.server.opt.TransferTimeout); err != nil {
			return err
		}
		texts = texts[n:]
	}
	return nil
}

func (w *wsConn) write(text []byte) error { return w.writeAll([][]byte{text}) }

// put writes whole frames.
func (w *wsConn) put(b []byte, within time.Duration) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.net.SetWriteDeadline(time.Now().Add(within))
	_, err := w.net.Write(b)
	return err
}

// farewell tells the client that nothing more comes, and why. It closes the connection then, if it keeps to the protocol.
func (w *wsConn) farewell(code uint16) error { return w.part(binary.BigEndian.AppendUint16(nil, code)) }

func (w *wsConn) part(content []byte) error {
	w.net.SetWriteDeadline(time.Now().Add(farewellTimeout)) // for what is being written, which it waits for
	return w.put(appendFrame(nil, frameClose, content), farewellTimeout)
}

// appendFrame appends a whole frame of a server, unmasked and not compressed (RFC 6455, 5.2).
func appendFrame(b []byte, kind byte, content []byte) []byte {
	b = append(b, frameFinal|kind)
	switch n := len(content); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, content...)
}

// unmask takes a client's mask off.
func unmask(b []byte, mask [4]byte) {
	half := uint64(binary.LittleEndian.Uint32(mask[:]))
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^(half|half<<32))
	}
	for i := range b {
		b[i] ^= mask[i%len(mask)]
	}
}

// abort ends the connection at once; reads and writes under way fail. It may be nil.
func (w *wsConn) abort() {
	if w != nil {
		w.net.Close()
	}
}
