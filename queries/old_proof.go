package queries

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/ncruces/go-sqlite3"
)

// errOther says what differs between an old and a new database.
var errOther = errors.New("the new database is not what the old one says")

// idsProven are the tables whose ids are all there again.
var idsProven = []string{"organization", "collaboration", "authenticatable", "user", "role", "task", "result", "algorithmport"}

// Compare proves that a new database has the ids of an old one, as many rows as were added to each table, and
// each input, result and log byte for byte.
func (o *Old) Compare(ctx context.Context, src Source, counted map[string]int64, progress func(done int64)) (err error) {
	fresh, err := openFresh(ctx, src)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fresh.end()) }()
	for table, rows := range counted {
		var n int64
		err := fresh.scan(ctx, "SELECT COUNT(*) FROM "+quotedName(table), func(v []any) error { n = v[0].(int64); return nil })
		if err == nil && n != rows {
			err = fmt.Errorf("%w: table %s has %d rows, not %d", errOther, table, n, rows)
		}
		if err != nil {
			return err
		}
	}
	for _, table := range idsProven {
		if err := o.compareIDs(ctx, fresh, table); err != nil {
			return err
		}
	}
	if l, ok := fresh.(*freshLite); ok {
		return o.compareTexts(ctx, l, progress)
	}
	return o.compareInPostgres(ctx, fresh, progress)
}

// openFresh opens a database that was made just now, to be read.
func openFresh(ctx context.Context, src Source) (oldReader, error) {
	if src.Engine == Postgres {
		conn, err := connectAs(ctx, src.DSN, takeoverName)
		if err != nil {
			return nil, err
		}
		return &oldPostgres{conn}, nil
	}
	c, err := openLite(src.Path, sqlite3.OPEN_READONLY)
	if err != nil {
		return nil, err
	}
	return &freshLite{&oldLite{&untouched{Conn: c}, src.Path}}, nil
}

// freshLite reads a new SQLite file.
type freshLite struct{ *oldLite }

func (f *freshLite) end() error { return f.Conn.Close() }

// compareIDs finds an old id that the new table lacks. Both come in their order, one ahead of the other.
func (o *Old) compareIDs(ctx context.Context, fresh oldReader, table string) error {
	if !o.Has(table, "") {
		return nil
	}
	old := make(chan int64, 1024)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer close(old)
		done <- o.read(ctx, "SELECT id FROM "+o.named(table)+" ORDER BY id", func(v []any) error {
			select {
			case old <- v[0].(int64):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	wanted, more := <-old
	err := fresh.scan(ctx, "SELECT id FROM "+quotedName(table)+" ORDER BY id", func(v []any) error {
		if more && v[0].(int64) == wanted {
			wanted, more = <-old
		}
		return nil
	})
	if err == nil && more {
		err = fmt.Errorf("%w: table %s lacks id %d", errOther, table, wanted)
	}
	cancel()
	for range old { // what it still sends
	}
	if read := <-done; err == nil && !errors.Is(read, context.Canceled) {
		err = read
	}
	return err
}

// textSum is the hash of the texts of a result.
type textSum struct {
	id  int64
	sum [sha256.Size]byte
}

// addPart adds a text to a hash; one that is absent is not an empty one.
func addPart(h hash.Hash, absent bool, text []byte) {
	if absent {
		_, _ = h.Write([]byte{0})
		return
	}
	_, _ = h.Write([]byte{1})
	_, _ = h.Write(text)
}

// compareTexts compares the hashes of both sides, which are read at the same time.
func (o *Old) compareTexts(ctx context.Context, fresh *freshLite, progress func(int64)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	old := make(chan []textSum, 4)
	done := make(chan error, 1)
	go func() {
		defer close(old)
		done <- o.hashTexts(ctx, old)
	}()
	var waiting []textSum
	var n int64
	err := fresh.hashTexts(ctx, func(d textSum) error {
		if len(waiting) == 0 {
			waiting = <-old
		}
		if len(waiting) == 0 || waiting[0] != d {
			return fmt.Errorf("%w: the texts of result %d", errOther, d.id)
		}
		waiting = waiting[1:]
		const often = 1000
		if n++; n%often == 0 {
			progress(n)
		}
		return nil
	})
	if err == nil {
		_, more := <-old
		if more || len(waiting) > 0 {
			err = fmt.Errorf("%w: it lacks results", errOther)
		}
	}
	cancel()
	for range old { // what it still sends
	}
	if read := <-done; err == nil || read != nil && !errors.Is(read, context.Canceled) {
		err = read
	}
	return err
}

// hashTexts sends the hashes of the old texts, many at a time.
func (o *Old) hashTexts(ctx context.Context, to chan<- []textSum) error {
	const many = 256
	var list []textSum
	send := func() error {
		select {
		case to <- list:
			list = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := o.EachResult(ctx, []string{"id"}, true, func(v []any, parts [3]OldText) error {
		d := textSum{id: v[0].(int64)}
		h := sha256.New()
		for i, part := range parts {
			addPart(h, part.Absent, part.Bytes)
			if part.Length > ShortText {
				if err := o.hashLong(h, d.id, OldParts[i]); err != nil {
					return err
				}
			}
		}
		h.Sum(d.sum[:0])
		if list = append(list, d); len(list) == many {
			return send()
		}
		return nil
	})
	if err == nil && len(list) > 0 {
		err = send()
	}
	return err
}

func (o *Old) hashLong(h hash.Hash, result int64, part string) (err error) {
	text, err := o.OpenText(result, part)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, text.Close()) }()
	_, err = io.CopyBuffer(h, struct{ io.Reader }{text}, make([]byte, pieceBytes))
	return err
}

// hashTexts calls a function with the hashes of the new texts.
func (f *freshLite) hashTexts(ctx context.Context, each func(textSum) error) error {
	type place struct {
		result int64
		part   string
	}
	streams := map[place]int64{}
	err := f.scan(ctx, "SELECT id, result_id, part FROM stream WHERE result_id IS NOT NULL", func(v []any) error {
		streams[place{v[1].(int64), v[2].(string)}] = v[0].(int64)
		return nil
	})
	if err != nil {
		return err
	}
	const texts = `SELECT r.id, p.input, p.result, p.log FROM result r LEFT JOIN payload p ON p.result_id = r.id ORDER BY r.id`
	return f.scan(ctx, texts, func(v []any) error {
		d := textSum{id: v[0].(int64)}
		h := sha256.New()
		for i, part := range OldParts {
			text, there := v[i+1].([]byte)
			stream, long := streams[place{d.id, part}]
			addPart(h, !there && !long, text)
			if long {
				if err := f.hashChunks(ctx, h, stream); err != nil {
					return err
				}
			}
		}
		h.Sum(d.sum[:0])
		return each(d)
	})
}

func (f *freshLite) hashChunks(ctx context.Context, h hash.Hash, stream int64) error {
	return f.scan(ctx, fmt.Sprintf("SELECT bytes FROM chunk WHERE stream_id = %d ORDER BY number", stream), func(v []any) error {
		_, err := h.Write(v[0].([]byte))
		return err
	})
}
