package service

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/promise"
)

// TestSecondServerNamesTheFirst starts a server on the database of another one, under
// another name and at another address: it ends with an error that names the first,
// before it has touched the database. Other commands work on.
func TestSecondServerNamesTheFirst(t *testing.T) {
	inst := configured(t)
	if inst.Database.Engine != config.SQLite {
		t.Skip("skipped: several servers may have one Postgres")
	}
	start(t, inst)
	second := inst
	second.Name, second.LogFile = "y", filepath.Join(t.TempDir(), "y.log")
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	err := Run(ctx, second, RunOptions{Ready: func(net.Addr) {
		t.Error("the second server is ready")
		cancel()
	}})
	var served *queries.ServedError
	if !errors.As(err, &served) || !strings.Contains(served.By, "server x, environment test") || !strings.Contains(served.By, inst.File) {
		t.Fatalf("the second server: %v", err)
	}
	if text := content(t, second.LogFile); !strings.Contains(text, "server x") {
		t.Errorf("its log: %s", text)
	}
	opened, err := OpenInstance(t.Context(), inst, false, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

// TestDroppedDataEndsConnections: where an import removes all data beside a running server,
// accounts of the same numbers come back, and nobody stays connected as one of them.
func TestDroppedDataEndsConnections(t *testing.T) {
	inst := configured(t)
	r := start(t, inst)
	token := r.logIn()
	socket := r.socket(token)
	opened, err := OpenInstance(t.Context(), inst, false, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	hash, err := opened.Core.HashRootPassword(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Core.Administer(t.Context(), func(ctx context.Context, tx *core.Tx) error { return tx.Wipe(ctx, hash) }); err != nil {
		t.Fatal(err)
	}
	if err := r.closes(socket); err != nil {
		t.Errorf("the live connection: %v", err)
	}
	becomes(t, "the token", func() int { s, _ := r.call("GET", "/api/organization", token, nil); return s }, 401)
}

// TestServerWhoseDatabaseIsGoneSaysSo: health is false, writes are refused, and the log has
// an error.
func TestServerWhoseDatabaseIsGoneSaysSo(t *testing.T) {
	inst := configured(t)
	if inst.Database.Engine != config.SQLite {
		t.Skip("skipped: Postgres has no file")
	}
	r := start(t, inst)
	token := r.logIn()
	if err := os.Remove(inst.Database.Path); err != nil {
		t.Fatal(err)
	}
	if status, body := r.call("GET", "/api/health", "", nil); status != 503 || !strings.Contains(body, `{"database":false}`) {
		t.Errorf("health: %d %s", status, body)
	}
	if status, body := r.call("POST", "/api/organization", token, map[string]string{"name": "lost"}); status != 503 {
		t.Errorf("a write: %d %s", status, body)
	}
	holds(t, "the line in the log", func() bool {
		text := content(t, inst.LogFile)
		return strings.Contains(text, "ERROR    - The database is gone") && strings.Contains(text, inst.Database.Path)
	})
	if err := r.wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
}
