package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/promise"
)

// takenOver is a node of a 3.x server with its key.
type takenOver struct{ name, key, hash string }

// newNode makes a node with a hash that costs little.
func newNode(t *testing.T, name string, cost int) takenOver {
	t.Helper()
	n := takenOver{name: name, key: "key of " + name}
	hash, err := bcrypt.GenerateFromPassword([]byte(n.key), cost)
	if err != nil {
		t.Fatal(err)
	}
	n.hash = "$2b$" + string(hash[4:])
	return n
}

// takenOverBed is a bed with nodes whose keys a 3.x server has left. The first node was seen last.
func takenOverBed(t *testing.T, nodes []takenOver, hold time.Duration) *bed {
	t.Helper()
	return takenOverBedWith(t, nodes, hold, zerolog.Nop())
}

func takenOverBedWith(t *testing.T, nodes []takenOver, hold time.Duration, log zerolog.Logger) *bed {
	t.Helper()
	b := newBed(t)
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	for i, n := range nodes {
		seen := queries.At(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(i) * time.Hour))
		for _, s := range []struct {
			query string
			args  []any
		}{
			{"INSERT INTO authenticatable (id, type, last_seen) VALUES ($1, 'node', $2)", []any{100 + i, seen}},
			{"INSERT INTO organization (id, name) VALUES ($1, $2)", []any{100 + i, "organization " + n.name}},
			{"INSERT INTO node (id, name, organization_id) VALUES ($1, $2, $3)", []any{100 + i, n.name, 100 + i}},
			{"INSERT INTO node_old_key (node_id, hash) VALUES ($1, $2)", []any{100 + i, n.hash}},
		} {
			if _, err := raw.ExecContext(t.Context(), s.query, s.args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	db, err := queries.Open(t.Context(), b.src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b.Core, err = core.New(t.Context(), db, bus.New(zerolog.Nop()), log, core.Settings{
		MaxFailedAttempts: 3, LockFor: time.Hour, RootPassword: password, PasswordCost: bcrypt.MinCost, KeyHold: hold,
		KeyAnswer: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := b.OldKeysLeft().Load(); n != int64(len(nodes)) {
		t.Fatalf("%d keys are left, want %d", n, len(nodes))
	}
	return b
}

func addressed(address string) core.Origin {
	return core.Origin{Address: address, Network: netip.PrefixFrom(netip.MustParseAddr(address), 32)}
}

// TestNodesOfReal3xServersLogIn with the keys that they always had, and cost nothing from the second time on.
func TestNodesOfReal3xServersLogIn(t *testing.T) {
	var nodes []takenOver
	for _, file := range []string{dbtest.Reference304, dbtest.Reference330, dbtest.Reference3111} {
		nodes = append(nodes, realNode(t, file))
	}
	b := takenOverBed(t, nodes, time.Minute)
	for i, n := range nodes {
		who, err := b.LogInNode(t.Context(), n.key, addressed("192.0.2.1"))
		if err != nil || who.ID != int64(100+i) {
			t.Errorf("%s: %+v, %v", n.name, who, err)
		}
		if left := b.OldKeysLeft().Load(); left != int64(len(nodes)-1-i) {
			t.Errorf("%d are left", left)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	for i, n := range nodes {
		if who, err := b.LogInNode(ctx, n.key, core.Origin{}); err != nil || who.ID != int64(100+i) {
			t.Errorf("again %s: %+v, %v", n.name, who, err)
		}
	}
	if _, err := b.LogInNode(ctx, "wrong", core.Origin{}); !fault.Is(err, fault.Unauthorized) {
		t.Error(err)
	}
}

// realNode is a node of a kept database.
func realNode(t *testing.T, file string) takenOver {
	t.Helper()
	var facts struct {
		Nodes map[string]struct {
			Key string `json:"api_key"`
			ID  int64
		}
	}
	dbtest.ReferenceFacts(t, file, &facts)
	raw, err := dbtest.SQL(dbtest.Reference(t, file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	n := takenOver{name: "Noordzicht Fantasy Hospital - heart-study Node"}
	n.key = facts.Nodes[n.name].Key
	if err := raw.QueryRowContext(t.Context(), "SELECT api_key FROM node WHERE name = ?", n.name).Scan(&n.hash); err != nil || n.key == "" {
		t.Fatalf("%s: %v", file, err)
	}
	n.name += " of " + file
	return n
}

// TestWrongKeysAreSearchedForOnce: remembered by their digest, they are refused without looking, also when they would be
// found now.
func TestWrongKeysAreSearchedForOnce(t *testing.T) {
	b := takenOverBed(t, []takenOver{newNode(t, "a", bcrypt.MinCost), newNode(t, "b", bcrypt.MinCost)}, time.Minute)
	late := newNode(t, "late", bcrypt.MinCost)
	for range 2 {
		if _, err := b.LogInNode(t.Context(), late.key, addressed("192.0.2.1")); !fault.Is(err, fault.Unauthorized) {
			t.Errorf("a wrong key: %v", err)
		}
		b.exec(t, "UPDATE node_old_key SET hash = $1 WHERE node_id = 101", late.hash)
	}
	if left := b.OldKeysLeft().Load(); left != 2 {
		t.Errorf("%d are left", left)
	}
}

func (b *bed) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := raw.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// fragile is a log that panics at its first entry.
type fragile struct{ entries []string }

func (f *fragile) Write(text []byte) (int, error) {
	f.entries = append(f.entries, string(text))
	if len(f.entries) == 1 {
		panic("a test wanted a panic in the search")
	}
	return len(text), nil
}

// TestPanicInTheSearchEndsNothing: who asked is told that something is wrong, the log has it, and the next one is in.
func TestPanicInTheSearchEndsNothing(t *testing.T) {
	nodes := []takenOver{newNode(t, "a", bcrypt.MinCost), newNode(t, "b", bcrypt.MinCost)}
	var log fragile
	b := takenOverBedWith(t, nodes, time.Minute, zerolog.New(&log))
	if who, err := b.LogInNode(t.Context(), nodes[0].key, addressed("192.0.2.1")); !errors.As(err, new(*fault.Panic)) {
		t.Errorf("the search that panicked: %+v, %v", who, err)
	}
	for i, n := range nodes {
		if who, err := b.LogInNode(t.Context(), n.key, addressed("192.0.2.1")); err != nil || who.ID != int64(100+i) {
			t.Errorf("after the panic: %+v, %v", who, err)
		}
	}
	if len(log.entries) < 2 || !strings.Contains(log.entries[1], "a test wanted a panic") {
		t.Errorf("the log has %q", log.entries)
	}
}

// TestSearchGoesOnWithoutAProcess that compares, or with one that stands still: keys are found, and the log says why others
// may wait.
func TestSearchGoesOnWithoutAProcess(t *testing.T) {
	nodes := []takenOver{newNode(t, "a", bcrypt.MinCost), newNode(t, "b", bcrypt.MinCost)}
	const text = "cannot be searched for in a process of its own"
	for _, command := range [][]string{{"/nowhere/vserver"}, {"go", "no-such-command"}, {"go", "version"}, {"sleep", "1000"}} {
		var log strings.Builder
		b := takenOverBedWith(t, nodes, time.Minute, zerolog.New(&log))
		b.CompareKeysBy(command)
		if who, err := b.LogInNode(t.Context(), nodes[1].key, addressed("192.0.2.1")); err != nil || who.ID != 101 {
			t.Errorf("%v: %+v, %v", command, who, err)
		}
		if strings.Count(log.String(), text) != 1 {
			t.Errorf("%v: the log has %q", command, log.String())
		}
	}
}

// TestSearchGoesOnWhenNobodyWaits: who was cut asks again and is in.
func TestSearchGoesOnWhenNobodyWaits(t *testing.T) {
	nodes := []takenOver{newNode(t, "a", 10), newNode(t, "b", 10), newNode(t, "c", 10)}
	b := takenOverBed(t, nodes, time.Nanosecond)
	var who core.Identity
	err := core.ErrAskAgain
	asked := 0
	for end := time.Now().Add(promise.Patience); errors.Is(err, core.ErrAskAgain) && time.Now().Before(end); asked++ {
		b2 := addressed(fmt.Sprintf("192.0.2.%d", asked%200))
		who, err = b.LogInNode(t.Context(), nodes[2].key, b2)
	}
	if err != nil || who.ID != 102 || asked < 2 {
		t.Errorf("after %d times: %+v, %v", asked, who, err)
	}
}

// TestSearchesOfAnAddressComeOneByOne, and all get their answer.
func TestSearchesOfAnAddressComeOneByOne(t *testing.T) {
	var nodes []takenOver
	for i := range 12 {
		nodes = append(nodes, newNode(t, fmt.Sprint("n", i), bcrypt.MinCost))
	}
	b := takenOverBed(t, nodes, time.Minute)
	errs := make(chan error)
	for i, n := range nodes {
		go func() {
			who, err := b.LogInNode(context.WithoutCancel(t.Context()), n.key, addressed("192.0.2.7"))
			if err == nil && who.ID != int64(100+i) {
				err = fmt.Errorf("node %d got in as %d", 100+i, who.ID)
			}
			errs <- err
		}()
	}
	for range nodes {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if left := b.OldKeysLeft().Load(); left != 0 {
		t.Errorf("%d are left", left)
	}
}

// TestNewKeyEndsTheOldOne: a node that got a new key is not found by the one that a 3.x server has left.
func TestNewKeyEndsTheOldOne(t *testing.T) {
	nodes := []takenOver{newNode(t, "a", bcrypt.MinCost), newNode(t, "b", bcrypt.MinCost)}
	b := takenOverBed(t, nodes, time.Minute)
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := raw.ExecContext(t.Context(), "UPDATE node SET api_key = $1 WHERE id = 100", b.DigestAPIKey("new")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.LogInNode(t.Context(), nodes[0].key, core.Origin{}); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("the old key: %v", err)
	}
	if who, err := b.LogInNode(t.Context(), "new", core.Origin{}); err != nil || who.ID != 100 {
		t.Errorf("the new key: %+v, %v", who, err)
	}
	if left := b.OldKeysLeft().Load(); left != 1 {
		t.Errorf("%d are left", left)
	}
}

// TestGivenKeysAreConverted by the names beside them, and without any.
func TestGivenKeysAreConverted(t *testing.T) {
	var nodes []takenOver
	for i := range 6 {
		nodes = append(nodes, newNode(t, fmt.Sprint("n", i), bcrypt.MinCost))
	}
	b := takenOverBed(t, nodes, time.Minute)
	if _, err := b.LogInNode(t.Context(), nodes[0].key, core.Origin{}); err != nil {
		t.Fatal(err)
	}
	report, err := b.ConvertGivenKeys(t.Context(), []core.GivenKey{
		{Key: nodes[0].key, Place: "known"}, {Key: nodes[1].key, Place: "without a name"},
		{Key: nodes[2].key, Place: "with its name", Hints: []string{"Organization N2"}},
		{Key: nodes[3].key, Place: "with another's", Hints: []string{"organization n4"}}, {Key: "nobody's", Place: "f.yaml:3"},
	}, func(done, total int) {
		if done > total || total != 5 {
			t.Errorf("%d of %d", done, total)
		}
	})
	if err != nil || report.Converted != 3 || report.Known != 1 || report.Left != 2 || !slices.Equal(report.Unknown, []string{"f.yaml:3"}) {
		t.Errorf("%+v, %v", report, err)
	}
	for i := range 4 {
		if who, err := b.LogInNode(t.Context(), nodes[i].key, core.Origin{}); err != nil || who.ID != int64(100+i) {
			t.Errorf("%d: %+v, %v", i, who, err)
		}
	}
}

// TestRightKeysAreNotRefusedWhileTheyAreFound has a node log in again and again from many sides while its key, the last one
// that is left, is found.
func TestRightKeysAreNotRefusedWhileTheyAreFound(t *testing.T) {
	rounds := 10
	if promise.Long() {
		rounds = 200
	}
	for range rounds {
		n := newNode(t, "only", bcrypt.MinCost)
		b := takenOverBed(t, []takenOver{n}, time.Minute)
		var sides sync.WaitGroup
		for i := range 32 {
			sides.Go(func() {
				for range 20 {
					if _, err := b.LogInNode(t.Context(), n.key, addressed(fmt.Sprintf("192.0.2.%d", i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		sides.Wait()
	}
}
