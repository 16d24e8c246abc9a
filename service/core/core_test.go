package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/access"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/fault"
)

var empty dbtest.Template

// bed is the use cases on a database of their own, with organization 1 and its user
// root.
type bed struct {
	*testing.T
	*core.Core
	src queries.Source
	bus *bus.Bus

	mu     sync.Mutex
	closed []int64 // accounts whose live connections had to end
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{T: t, src: empty.Copy(t), bus: bus.New(zerolog.Nop())}
	db, err := queries.Open(t.Context(), b.src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b.Core, err = core.New(t.Context(), db, b.bus, zerolog.Nop(), core.Settings{
		MaxFailedAttempts: 3, LockFor: time.Hour, RootPassword: password, PasswordCost: bcrypt.MinCost,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.bus.Subscribe(func(m bus.Message) {
		var ids []int64
		if m.Topic == core.TopicClose && json.Unmarshal(m.Data, &ids) == nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.closed = append(b.closed, ids...)
		}
	})
	return b
}

const password = "A-strong-passw0rd!"

// change writes past the program, as another process does, so that nothing is
// announced.
func (b *bed) change(statement string) {
	b.Helper()
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(b.Context(), statement); err != nil {
		b.Fatal(err)
	}
}

// root logs in as the first user.
func (b *bed) root(ctx context.Context) (core.Identity, error) {
	in, err := b.LogIn(ctx, "root", password, nil, core.Origin{Here: true})
	return in.Identity, err
}

// during is a context that does something once while it is used by a function whose
// name ends in at: what happens there happens between two steps of a use case.
type during struct {
	context.Context
	at   string
	once *sync.Once
	do   func()
}

func (d during) Done() <-chan struct{} {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for more := true; more; {
		var frame runtime.Frame
		if frame, more = frames.Next(); strings.HasSuffix(frame.Function, d.at) {
			d.once.Do(d.do)
		}
	}
	return d.Context.Done()
}

// TestIdentityReadBeforeAChangeIsNotKept has rights change while an account is read:
// what was read is then of the past, and must be read again.
func TestIdentityReadBeforeAChangeIsNotKept(t *testing.T) {
	for _, changes := range []bool{true, false} {
		b := newBed(t)
		who, err := b.root(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.bus.Publish(bus.Message{Topic: core.TopicRights}) // nothing is kept
		happened := false
		ctx := during{t.Context(), ".RulesOfUser", new(sync.Once), func() {
			happened = true
			if changes {
				b.bus.Publish(bus.Message{Topic: core.TopicRights})
			}
		}}
		if _, err := b.Identify(ctx, access.User, who.ID); err != nil || !happened {
			t.Fatal(err, happened)
		}
		b.change(`UPDATE "user" SET username = 'renamed'`)
		again, err := b.Identify(t.Context(), access.User, who.ID)
		if want := map[bool]string{true: "renamed", false: "root"}[changes]; err != nil || again.Name != want {
			t.Errorf("rights changed meanwhile is %v: then the name is %q, want %q (%v)", changes, again.Name, want, err)
		}
	}
}

// TestLockComesBeforeTheRightPassword has an account locked by other guesses while the
// right password waits for its turn.
func TestLockComesBeforeTheRightPassword(t *testing.T) {
	b := newBed(t)
	locked := false
	ctx := during{t.Context(), ".turn", new(sync.Once), func() {
		locked = true
		for range 3 {
			if _, err := b.LogIn(t.Context(), "root", "wrong", nil, core.Origin{Here: true}); !fault.Is(err, fault.Unauthorized) {
				t.Error(err)
			}
		}
	}}
	if _, err := b.root(ctx); !fault.Is(err, fault.Unauthorized) || !locked {
		t.Errorf("the account was locked meanwhile is %v: got %v", locked, err)
	}
	b.change(`UPDATE failed_login SET attempts = 2`)
	if _, err := b.root(t.Context()); err != nil {
		t.Errorf("an account with fewer failures: %v", err)
	}
}

// TestNewKeysEndTheOldOnes makes keys for the nodes of a collaboration: a node that is
// there keeps nothing that its former key gave it.
func TestNewKeysEndTheOldOnes(t *testing.T) {
	b := newBed(t)
	name := "study"
	err := b.Administer(t.Context(), func(ctx context.Context, t *core.Tx) error {
		c := queries.Collaboration{Name: &name}
		return errors.Join(t.AddCollaboration(ctx, &c), t.Join(ctx, c.ID, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := func(fail error) (made []core.NodeKey) {
		t.Helper()
		err := b.NodeKeys(t.Context(), name, func(keys []core.NodeKey, _ bool) error {
			made = keys
			return fail
		})
		if !errors.Is(err, fail) || len(made) != 1 {
			t.Fatal(made, err)
		}
		return made
	}
	first := keys(nil)[0]
	was, err := b.LogInNode(t.Context(), first.APIKey, core.Origin{})
	if err != nil || first.Reset || was.ID != first.NodeID {
		t.Fatal(first, was, err)
	}

	keys(errors.New("the file cannot be written"))
	if now, err := b.LogInNode(t.Context(), first.APIKey, core.Origin{}); err != nil || now.Era != was.Era {
		t.Errorf("keys that were not kept changed the node: %+v, %v", now, err)
	}

	second := keys(nil)[0]
	if !second.Reset || second.NodeID != first.NodeID {
		t.Errorf("got %+v after %+v", second, first)
	}
	if _, err := b.LogInNode(t.Context(), first.APIKey, core.Origin{}); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("the former key still works: %v", err)
	}
	now, err := b.LogInNode(t.Context(), second.APIKey, core.Origin{})
	if err != nil || now.Era <= was.Era || now.Generation <= was.Generation {
		t.Errorf("tokens of before still work: %+v after %+v, %v", now, was, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.closed, []int64{first.NodeID}) {
		t.Errorf("the connections of %v ended, want those of %d", b.closed, first.NodeID)
	}
}

// TestGrantsThatNobodyJudgedReachNothing calls use cases with the zero grant, which is
// the only one that can be had without access.
func TestGrantsThatNobodyJudgedReachNothing(t *testing.T) {
	b := newBed(t)
	ctx := t.Context()
	_, _, err1 := b.Organizations(ctx, access.Grant[access.ViewOrganizations]{}, core.OrganizationFilter{}, core.Page{})
	_, err2 := b.Tasks(ctx, access.Grant[access.ViewTasks]{}, core.TaskFilter{}, core.Page{}, true)
	_, err3 := b.User(ctx, access.Grant[access.ViewUsers]{}, 1)
	_, _, err4 := b.Nodes(ctx, access.Grant[access.ViewNodes]{}, core.NodeFilter{}, core.Page{})
	err5 := b.DeleteUser(ctx, access.Grant[access.DeleteUsers]{}, 1)
	_, err6 := b.CreateCollaboration(ctx, access.Grant[access.CreateCollaborations]{}, core.CollaborationFields{})
	for i, err := range []error{err1, err2, err3, err4, err5, err6} {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
}
