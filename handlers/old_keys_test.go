package handlers

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"vserver/queries/dbtest"
	"vserver/service/core"
	"vserver/service/promise"
)

// TestConnectionIsCutWhileAKeyIsSearchedFor: a node that is told nothing asks again, and is in when the search has
// ended; one that is told 401 would give up.
func TestConnectionIsCutWhileAKeyIsSearchedFor(t *testing.T) {
	src := fixture.Copy(t)
	const cost = 11
	hash, err := bcrypt.GenerateFromPassword([]byte("old key"), cost)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"UPDATE node SET api_key = NULL WHERE id = 12", "INSERT INTO node_old_key (node_id, hash) VALUES (12, '" + string(hash) + "')"} {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	b := newBedOn(t, src, core.Settings{KeyHold: time.Millisecond})
	server := httptest.NewServer(b.s)
	defer server.Close()
	cut, status := 0, 0
	for end := time.Now().Add(promise.Patience); status != http.StatusOK && time.Now().Before(end); {
		reply, err := http.Post(server.URL+"/api/token/node", "application/json", strings.NewReader(`{"api_key": "old key"}`))
		if err != nil {
			cut++
			continue
		}
		status = reply.StatusCode
		_ = reply.Body.Close()
		if status != http.StatusOK {
			t.Fatalf("after %d connections that were cut: %d", cut, status)
		}
	}
	if cut == 0 || status != http.StatusOK {
		t.Errorf("cut %d times, then %d", cut, status)
	}
}
