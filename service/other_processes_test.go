package service

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/core"
	"vserver/service/promise"
)

// What another process does to rights and nodes works in a running server within a
// second or so, without a word between the two.
func TestRunNoticesOtherProcesses(t *testing.T) {
	inst := configured(t)
	r := start(t, inst)
	token := r.logIn()
	if status, body := r.call("GET", "/api/organization", token, nil); status != 200 {
		t.Fatalf("with the rule: %d %s", status, body)
	}
	socket := r.socket(token)
	opened, err := OpenInstance(t.Context(), inst, false, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	change := func(f func(ctx context.Context, tx *core.Tx) error) {
		t.Helper()
		if err := opened.Core.Administer(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	status := func(path string) func() int {
		return func() int { s, _ := r.call("GET", path, token, nil); return s }
	}
	change(func(ctx context.Context, tx *core.Tx) error { return tx.Unassign(ctx, 1, 1) })
	becomes(t, "without the role", status("/api/organization"), 401)
	change(func(ctx context.Context, tx *core.Tx) error {
		return tx.Assign(ctx, queries.UserRole{UserID: 1, RoleID: 1})
	})
	becomes(t, "with the role again", status("/api/organization"), 200)
	change(func(ctx context.Context, tx *core.Tx) error { return tx.RemoveAccounts(ctx, 1) })
	becomes(t, "without the account", status("/api/user/1"), 401)
	if err := r.closes(socket); err != nil {
		t.Errorf("the live connection of the account: %v", err)
	}
}

func becomes(t *testing.T, what string, got func() int, want int) {
	t.Helper()
	for end := time.Now().Add(promise.Patience); ; time.Sleep(20 * time.Millisecond) {
		last := got()
		if last == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %d, want %d", what, last, want)
		}
	}
}

// holds waits until something is so.
func holds(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(promise.Patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within the time", what)
		}
	}
}
