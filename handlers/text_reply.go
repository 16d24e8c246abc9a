package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"vserver/service/core"
)

// textJSON returns one of the large texts of a result as the wire has it: null, a text, or
// a seam, in whose place writeSeams puts the text while it is sent.
func (s *Server) textJSON(t *core.Text) any {
	switch {
	case t == nil:
		return nil
	case t.IsWhole():
		return opaqueJSON(&t.Whole)
	}
	return s.seam + t.Reference()
}

// replyTexts sends v as JSON, with its long texts as they are read.
func (k *call) replyTexts(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a reply: %w", err)
	}
	if !bytes.Contains(b, []byte(k.s.seam)) {
		return k.send(status, b)
	}
	// Texts that are read while they are sent: nobody has seen all of the answer before its head goes out.
	k.markReplayed()
	header := k.echo.Response().Header()
	length, known, err := k.s.seamLength(b)
	if err != nil {
		return err
	}
	if known {
		header.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	header.Set("Content-Type", "application/json")
	k.echo.Response().WriteHeader(status)
	if k.echo.Request().Method == http.MethodHead {
		return nil
	}
	return k.writeSeams(k.echo.Response(), b)
}

// nextSeam cuts encoded JSON at its first seam: what is before it with the quote, and the text.
// Without one the text is nil.
func (s *Server) nextSeam(b []byte) (before []byte, text *core.Text, behind []byte, err error) {
	before, rest, found := bytes.Cut(b, []byte(s.seam))
	if !found {
		return b, nil, nil, nil
	}
	end := bytes.IndexByte(rest, '"')
	text, err = core.Referenced(string(rest[:max(end, 0)]))
	if err != nil {
		return nil, nil, nil, err
	}
	return before, text, rest[end:], nil
}

// seamLength is how long JSON is once the texts are in it, if that is known.
func (s *Server) seamLength(b []byte) (length int64, known bool, err error) {
	for {
		before, text, behind, err := s.nextSeam(b)
		if length += int64(len(before)); err != nil || text == nil {
			return length, err == nil, err
		}
		if text.Encoded < 0 {
			return 0, false, nil
		}
		length += text.Encoded
		b = behind
	}
}

// writeSeams writes encoded JSON with its long texts.
func (k *call) writeSeams(out io.Writer, b []byte) error {
	for {
		before, text, behind, err := k.s.nextSeam(b)
		if err != nil {
			return err
		}
		if _, err := out.Write(before); err != nil {
			return fmt.Errorf("sending a reply: %w", err)
		}
		if text == nil {
			return nil
		}
		if err := k.writeText(out, text); err != nil {
			return err
		}
		b = behind
	}
}

// writeText reads a text and writes it as it stands within the quotes of JSON.
func (k *call) writeText(out io.Writer, t *core.Text) error {
	var left []byte
	for piece, err := range k.s.core.Pieces(k.ctx, t) {
		if err != nil {
			return err
		}
		if len(left) > 0 {
			piece = append(left, piece...)
		}
		n := len(piece) - halfCharacter(piece)
		left = append([]byte(nil), piece[n:]...)
		if _, err := out.Write(encodeOpaque(piece[:n])); err != nil {
			return fmt.Errorf("sending a text: %w", err)
		}
	}
	return nil
}

// halfCharacter is how many bytes at the end are a character that goes on behind them.
func halfCharacter(p []byte) int {
	for n := 1; n <= min(3, len(p)); n++ {
		c := p[len(p)-n]
		switch {
		case c < 0x80:
			return 0
		case c >= 0xf0 && n < 4, c >= 0xe0 && n < 3, c >= 0xc0 && n < 2:
			return n
		case c >= 0xc0:
			return 0
		}
	}
	return 0
}

// encodeOpaque writes a text as it stands within the quotes of JSON.
func encodeOpaque(p []byte) []byte {
	n := 0
	for n < len(p) && verbatim[p[n]] {
		n++
	}
	if n == len(p) {
		return p
	}
	var out bytes.Buffer
	rest := core.Opaque(p)
	for at, half := rest.NextHalf(); at >= 0; at, half = rest.NextHalf() {
		out.Write(quotedPart(rest[:at]))
		fmt.Fprintf(&out, `\u%04x`, half)
		rest = rest[at+3:]
	}
	out.Write(quotedPart(rest))
	return out.Bytes()
}
