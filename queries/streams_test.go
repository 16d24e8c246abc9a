package queries

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
)

// TestLongTextsBecomeStreams brings a database with long texts in its rows up to date, and
// back.
func TestLongTextsBecomeStreams(t *testing.T) { migrating(t, becomeStreams) }

const inRow = 256 << 10 // the longest text that stays in its row

func becomeStreams(t *testing.T, d goose.Dialect, raw *sql.DB, db *Queries) {
	t.Helper()
	if err := migrate(t.Context(), d, raw, nil); err != nil {
		t.Fatal(err)
	}
	p, err := provider(d, raw)
	if err == nil {
		_, err = p.DownTo(t.Context(), 7)
	}
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string][]byte{
		"input":  []byte(strings.Repeat("x", inRow)),
		"result": []byte(strings.Repeat("é€\x00", 100_003) + "𝒳"),
		"log":    append(bytes.Repeat([]byte{'y'}, inRow-1), 0xed, 0xa0, 0x80),
	}
	for _, s := range []string{`INSERT INTO result (id, status) VALUES (1, 'active'), (2, 'active')`, `INSERT INTO payload (result_id) VALUES (2)`} {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := raw.ExecContext(t.Context(), `INSERT INTO payload (result_id, input, result, log) VALUES (1, $1, $2, $3)`,
		stored["input"], stored["result"], stored["log"]); err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), d, raw, nil); err != nil {
		t.Fatal(err)
	}
	row, err := db.GetPayload(t.Context(), 1)
	if err != nil || row.Input == nil || string(*row.Input) != string(stored["input"]) || row.Result != nil || row.Log != nil {
		t.Errorf("the row keeps other texts than the short one: %v", err)
	}
	streams, err := db.StreamsOfResults(t.Context(), `{"1":0,"2":0}`)
	if err != nil || len(streams) != 2 {
		t.Fatalf("%d streams: %v", len(streams), err)
	}
	for _, s := range streams {
		if got := chunksOf(t, db, s.ID); !bytes.Equal(got, stored[*s.Part]) || s.Bytes != int64(len(got)) {
			t.Errorf("%s changed: %d bytes, %d were told", *s.Part, len(got), s.Bytes)
		}
	}
	if _, err := p.DownTo(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	row, err = db.GetPayload(t.Context(), 1)
	if err != nil || row.Result == nil || string(*row.Result) != string(stored["result"]) || row.Log == nil || string(*row.Log) != string(stored["log"]) {
		t.Errorf("the way back changed a text: %v", err)
	}
}

func chunksOf(t *testing.T, db *Queries, stream int64) []byte {
	t.Helper()
	all := make([]byte, 0, 1<<20)
	room := &all[:1][0]
	for number := range int64(1000) {
		var err error
		if all, err = db.AppendChunk(t.Context(), all, stream, number); Missing(err) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if &all[0] != room {
		t.Error("a chunk was not read into the room that there was")
	}
	return all
}
