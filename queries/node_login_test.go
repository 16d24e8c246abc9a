package queries_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/fault"
)

// TestAdvisory_U2_LogInOfNodesCostsTheSame logs nodes in with wrong and right keys beside few
// nodes and beside many: it reads as many rows and takes as long.
func TestAdvisory_U2_LogInOfNodesCostsTheSame(t *testing.T) {
	few, many := newKeyring(t, 10), newKeyring(t, 10_000)
	for name, key := range map[string]string{"wrong": "nobody's", "right": "right"} {
		a, b := few.reads(t, key), many.reads(t, key)
		t.Logf("a %s key: %d statements beside 10 nodes, %d beside 10,000", name, a, b)
		if a != b || a == 0 {
			t.Errorf("a %s key takes %d statements beside 10 nodes, %d beside 10,000", name, a, b)
		}
	}
	a, b := few.takes(t), many.takes(t)
	t.Logf("a wrong key takes %v beside 10 nodes, %v beside 10,000", a, b)
	if b > max(time.Millisecond, 3*a) {
		t.Errorf("a wrong key takes %v beside 10 nodes, %v beside 10,000", a, b)
	}
}

// keyring is a server's database with nodes; one has the key "right".
type keyring struct {
	*core.Core
	statements *queries.Statements
}

func newKeyring(t *testing.T, nodes int) keyring {
	t.Helper()
	var template dbtest.Template
	src := template.Copy(t)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c, err := core.New(t.Context(), db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: 4})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	for _, s := range []string{
		fmt.Sprintf(`INSERT INTO authenticatable (type)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT 'node' FROM n`, nodes),
		`INSERT INTO node (id, name, api_key) SELECT id, 'n', 'digest ' || id FROM authenticatable WHERE type = 'node'`,
		fmt.Sprintf(`UPDATE node SET api_key = '%s' WHERE id = (SELECT MAX(id) FROM node)`, c.DigestAPIKey("right")),
	} {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return keyring{c, db.CountStatements()}
}

// reads returns how many statements a log-in reads.
func (k keyring) reads(t *testing.T, key string) int {
	t.Helper()
	k.statements.Take()
	k.logIn(t, key)
	return k.statements.Take()
}

func (k keyring) logIn(t *testing.T, key string) {
	t.Helper()
	_, err := k.LogInNode(t.Context(), key, core.Origin{})
	if ok := key == "right"; ok != (err == nil) || !ok && !fault.Is(err, fault.Unauthorized) {
		t.Fatalf("key %s: %v", key, err)
	}
}

// takes returns how long a wrong key takes at best, since others use the machine too.
func (k keyring) takes(t *testing.T) time.Duration {
	t.Helper()
	const keys = 20
	best := time.Hour
	for range 30 {
		began := time.Now()
		for i := range keys {
			k.logIn(t, fmt.Sprint("wrong ", i))
		}
		best = min(best, time.Since(began)/keys)
	}
	return best
}
