package core

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"vserver/queries"
	"vserver/service/fault"
)

// chunkBytes is how much of a text is held at once. A text that is no longer lies in the
// row of its result, a longer one in a stream of chunks (/docs/results#texts).
const chunkBytes = 256 << 10

// part is one of the large texts of a result.
type part string

const (
	inputPart  part = "input"
	outputPart part = "result"
	logPart    part = "log"
)

// Text is one of the large texts of a result, or one that is to become one: as a whole, or
// as what Pieces reads.
type Text struct {
	Whole Opaque
	// Encoded is the number of bytes within the quotes of JSON, for a text that is not
	// whole; -1 when it is not known.
	Encoded int64

	stream    int64 // 0: Whole is everything, or lies in the row of result
	result    int64
	part      part
	bytes     int64
	encrypted bool // has the encrypted form; known of new texts only
}

// Short is a text as a whole.
func Short(o Opaque) *Text {
	return &Text{Whole: o, bytes: int64(len(o)), encrypted: isEncrypted(string(o))}
}

// IsWhole reports whether Whole is everything.
func (t *Text) IsWhole() bool { return t.stream == 0 && t.result == 0 }

func whole(o *Opaque) *Text {
	if o == nil {
		return nil
	}
	return &Text{Whole: *o, bytes: int64(len(*o))}
}

// later is a text in the row of a result that is read when it is sent.
func later(result int64, p part, length int64) *Text {
	if length < 0 {
		return nil
	}
	return &Text{result: result, part: p, Encoded: -1}
}

// streamed is a stored text in chunks.
func streamed(s queries.Stream) *Text {
	t := &Text{stream: s.ID, bytes: s.Bytes, Encoded: -1}
	if s.Encoded != nil {
		t.Encoded = *s.Encoded
	}
	return t
}

// Reference names a text that is not whole, in letters that JSON has as they are.
func (t *Text) Reference() string {
	return fmt.Sprintf("%d/%d/%s/%d/%d", t.stream, t.result, t.part, t.bytes, t.Encoded)
}

// Referenced returns the text of a Reference.
func Referenced(reference string) (*Text, error) {
	f := strings.Split(reference, "/")
	if len(f) != 5 {
		return nil, fmt.Errorf("%q refers to no text", reference)
	}
	t := &Text{part: part(f[2])}
	for to, from := range map[*int64]string{&t.stream: f[0], &t.result: f[1], &t.bytes: f[3], &t.Encoded: f[4]} {
		var err error
		if *to, err = strconv.ParseInt(from, 10, 64); err != nil {
			return nil, fmt.Errorf("%q refers to no text: %w", reference, err)
		}
	}
	return t, nil
}

// kept is the part of a text that its row keeps.
func (t *Text) kept() *Opaque {
	if t == nil || t.stream != 0 {
		return nil
	}
	return &t.Whole
}

// errTextGone is met in the middle of a text that was replaced or deleted meanwhile.
var errTextGone = fault.New(fault.Missing, "The text was replaced or deleted while it was read")

// Pieces reads a text that is not whole. No transaction lasts from one piece to the next, so
// that a slow reader holds up nothing. A piece is good until the next one is asked for.
func (c *Core) Pieces(ctx context.Context, t *Text) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if t.stream == 0 {
			b, err := c.keptBytes(ctx, t)
			yield(b, err)
			return
		}
		var b []byte
		for at, number := int64(0), int64(0); at < t.bytes; number++ {
			var err error
			switch b, err = c.db.AppendChunk(ctx, b[:0], t.stream, number); {
			case queries.Missing(err):
				err = errTextGone
			case err != nil:
				err = fmt.Errorf("reading a part of a text: %w", err)
			}
			if !yield(b, err) || err != nil {
				return
			}
			at += int64(len(b))
		}
	}
}

// keptBytes reads a text that lies in the row of its result.
func (c *Core) keptBytes(ctx context.Context, t *Text) ([]byte, error) {
	p, err := c.db.GetPayload(ctx, t.result)
	if err != nil && !queries.Missing(err) {
		return nil, fmt.Errorf("reading a text: %w", err)
	}
	o := map[part]*Opaque{inputPart: p.Input, outputPart: p.Result, logPart: p.Log}[t.part]
	if o == nil {
		return nil, errTextGone
	}
	return []byte(*o), nil
}

// texts are those of one result; nil is none, or in a change leaves the one that is there.
type texts struct{ input, output, log *Text }

func (x texts) each(yield func(part, *Text) bool) {
	_ = yield(inputPart, x.input) && yield(outputPart, x.output) && yield(logPart, x.log)
}

// addTexts writes the texts of a new result.
func (t *Tx) addTexts(ctx context.Context, result int64, x texts) error {
	for p, text := range x.each {
		if err := t.adopt(ctx, result, p, text); err != nil {
			return err
		}
	}
	if x.input.kept() == nil && x.output.kept() == nil && x.log.kept() == nil {
		return nil
	}
	return t.UpsertPayload(ctx, queries.UpsertPayloadParams{ResultID: result, Input: x.input.kept(), Result: x.output.kept(), Log: x.log.kept()})
}

// replaceTexts writes texts in place of those that a result has.
func (t *Tx) replaceTexts(ctx context.Context, result int64, x texts) error {
	replaced, streamed := map[part]int{}, map[part]bool{}
	for p, text := range x.each {
		if text != nil {
			replaced[p], streamed[p] = 0, text.stream != 0
		}
	}
	err := t.ReleaseStreams(ctx, &result, string(mustJSON(replaced)))
	if err == nil && (streamed[inputPart] || streamed[outputPart] || streamed[logPart]) {
		err = t.ClearTexts(ctx, queries.ClearTextsParams{
			Input: streamed[inputPart], Result: streamed[outputPart], Log: streamed[logPart], ResultID: result,
		})
	}
	if err != nil {
		return err
	}
	return t.addTexts(ctx, result, x)
}

// adopt makes a draft the text of a result.
func (t *Tx) adopt(ctx context.Context, result int64, p part, text *Text) error {
	if text == nil || text.stream == 0 {
		return nil
	}
	name := string(p)
	n, err := t.AdoptStream(ctx, queries.AdoptStreamParams{
		ResultID: &result, Part: &name, Bytes: text.bytes, Encoded: lengthOrNil(text.Encoded), ID: text.stream,
	})
	if err != nil {
		return fmt.Errorf("taking over a text: %w", err)
	}
	if n == 0 {
		return fault.New(fault.Busy, "The text took too long to arrive: send it again")
	}
	t.OnCommit(func() { t.core.drafts.forget(text.stream) })
	return nil
}

// lengthOrNil returns a length, nil for one that is not known (-1).
func lengthOrNil(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

// SaveText replaces one of the texts of a result, its "input", "result" or "log"; nil deletes it.
func (t *Tx) SaveText(ctx context.Context, result int64, name string, o *Opaque) error {
	if o != nil {
		text, err := t.stored(ctx, *o)
		if err != nil {
			return err
		}
		return t.replaceTexts(ctx, result, only(part(name), text))
	}
	p := part(name)
	return firstError(
		t.ReleaseStreams(ctx, &result, string(mustJSON(map[part]int{p: 0}))),
		t.ClearTexts(ctx, queries.ClearTextsParams{Input: p == inputPart, Result: p == outputPart, Log: p == logPart, ResultID: result}),
	)
}

// only is one of the texts of a result.
func only(p part, text *Text) (x texts) {
	*map[part]**Text{inputPart: &x.input, outputPart: &x.output, logPart: &x.log}[p] = text
	return x
}

// stored returns a text as a whole, or as a stream that this transaction writes.
func (t *Tx) stored(ctx context.Context, o Opaque) (*Text, error) {
	if len(o) <= chunkBytes {
		return whole(&o), nil
	}
	id, err := t.InsertStream(ctx, t.Now)
	text := &Text{stream: id, bytes: int64(len(o)), Encoded: -1}
	for number := int64(0); err == nil && len(o) > 0; number++ {
		piece := o[:min(chunkBytes, len(o))]
		o = o[len(piece):]
		err = t.InsertChunk(ctx, queries.InsertChunkParams{StreamID: id, Number: number, Bytes: []byte(piece)})
	}
	if err != nil {
		return nil, fmt.Errorf("writing a text: %w", err)
	}
	return text, nil
}

// StoredText reads one of the texts of a result into memory, its "input", "result" or "log", for
// those who administer; nil when there is none.
func StoredText(ctx context.Context, q *queries.Queries, result int64, name string) (*Opaque, error) {
	streams, err := q.StreamsOfResults(ctx, idSet([]int64{result}))
	if err != nil {
		return nil, fmt.Errorf("looking for long texts: %w", err)
	}
	for _, s := range streams {
		if value(s.Part) == name {
			return joined(ctx, q, s)
		}
	}
	p, err := q.GetPayload(ctx, result)
	if err != nil && !queries.Missing(err) {
		return nil, fmt.Errorf("reading texts: %w", err)
	}
	return map[part]*Opaque{inputPart: p.Input, outputPart: p.Result, logPart: p.Log}[part(name)], nil
}

// joined reads all chunks of a text.
func joined(ctx context.Context, q *queries.Queries, s queries.Stream) (*Opaque, error) {
	var all strings.Builder
	all.Grow(int(s.Bytes))
	var piece []byte
	for number := int64(0); int64(all.Len()) < s.Bytes; number++ {
		var err error
		if piece, err = q.AppendChunk(ctx, piece[:0], s.ID, number); err != nil {
			return nil, fmt.Errorf("reading a part of a text: %w", err)
		}
		all.Write(piece)
	}
	o := Opaque(all.String())
	return &o, nil
}
