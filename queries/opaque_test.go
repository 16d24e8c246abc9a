package queries

import (
	"database/sql"
	"testing"

	"github.com/pressly/goose/v3"
)

// TestTextsOfBeforeKeepTheirContent brings a database with payloads as texts up to date.
func TestTextsOfBeforeKeepTheirContent(t *testing.T) { migrating(t, keepContent) }

// migrating runs a test of migrations on an empty database of each engine.
func migrating(t *testing.T, test func(*testing.T, goose.Dialect, *sql.DB, *Queries)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		src := Source{Engine: SQLite, Path: t.TempDir() + "/q.sqlite"}
		raw, err := openGuarded(sqliteDSN(src, "_txlock=immediate"), &place{path: src.Path})
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		test(t, goose.DialectSQLite3, raw, New(newLite(raw)))
	})
	t.Run("Postgres", func(t *testing.T) {
		_, db := freshPostgres(t)
		test(t, goose.DialectPostgres, db.pool, New(db.pool))
	})
}

func keepContent(t *testing.T, d goose.Dialect, raw *sql.DB, db *Queries) {
	t.Helper()
	if err := migrate(t.Context(), d, raw, nil); err != nil {
		t.Fatal(err)
	}
	p, err := provider(d, raw)
	if err == nil {
		_, err = p.DownTo(t.Context(), 5)
	}
	if err != nil {
		t.Fatal(err)
	}
	const text = "é𝒳\t\x01\\x41'"
	for _, s := range []string{
		`INSERT INTO result (id, status) VALUES (1, 'active'), (2, 'active')`,
		`INSERT INTO payload (result_id, input, result, log) VALUES (1, 'é𝒳` + "\t\x01" + `\x41''', '', NULL)`,
		`INSERT INTO payload (result_id) VALUES (2)`,
	} {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := migrate(t.Context(), d, raw, nil); err != nil {
		t.Fatal(err)
	}
	whole, err := db.GetPayload(t.Context(), 1)
	if err != nil || whole.Input == nil || *whole.Input != text || whole.Result == nil || *whole.Result != "" || whole.Log != nil {
		t.Errorf("%+v %v", whole, err)
	}
	empty, err := db.GetPayload(t.Context(), 2)
	if err != nil || empty.Input != nil || empty.Result != nil || empty.Log != nil {
		t.Errorf("%+v %v", empty, err)
	}
	if _, err := raw.ExecContext(t.Context(), `DELETE FROM result WHERE id = 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.GetPayload(t.Context(), 1); !Missing(err) {
		t.Errorf("a payload outlives its result: %v", err)
	}
}

func TestOpaqueKnowsHalves(t *testing.T) {
	half := string(AppendHalf(nil, 0xd800))
	for text, want := range map[string]bool{
		"": true, "é𝒳": true, half: true, "a" + half + "\xed\xbf\xbf": true, "\xed\x9f\xbf": true,
		"\xed": false, "\xed\xa0": false, "\xff": false, half + "\xff": false, "\xff" + half: false, "\xed\xed\xa0\x80": false, "\xc0\x80": false,
	} {
		if Opaque(text).Whole() != want {
			t.Errorf("%q is whole: %v", text, !want)
		}
	}
	if at, r := Opaque("ab\xed\xed\x9f\xbf\xed\xbf\xbf").NextHalf(); at != 6 || r != 0xdfff {
		t.Errorf("%d %x", at, r)
	}
}
