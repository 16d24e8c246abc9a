package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/core"
	"vserver/service/promise"
)

// TestReliability_R2 fills the disk under a server: writes answer 507, reads go on, and
// writes answer 201 again within five seconds after there is room.
func TestReliability_R2_WritesAnswer507(t *testing.T) {
	b, disk := newBedOnDisk(t, core.Settings{})
	made, refused := 0, 0
	post := func() (int, string) {
		reply := b.send(t, row{as: "root", method: "POST", path: "/organization", body: fmt.Sprintf(`{"name": "more %d"}`, made)})
		return reply.Code, reply.Body.String()
	}
	if status, body := post(); status != http.StatusCreated {
		t.Fatalf("with room: %d %s", status, body)
	}
	disk.Fill()
	made = 1
	for refused < 10 && made < 1000 {
		switch status, body := post(); status {
		case http.StatusCreated:
			made++ // into room that the log had already
		case http.StatusInsufficientStorage:
			refused++
			if want := `{"msg":"The storage of the server is full"}`; strings.TrimSpace(body) != want {
				t.Errorf("507 says %s, want %s", body, want)
			}
		default:
			t.Fatalf("without room: %d %s", status, body)
		}
		var list []any
		reply := b.send(t, row{as: "root", method: "GET", path: "/organization"})
		if err := json.Unmarshal(reply.Body.Bytes(), &list); err != nil || reply.Code != http.StatusOK || len(list) != 4+made {
			t.Fatalf("reading: %d, %d organizations of %d, %v", reply.Code, len(list), 4+made, err)
		}
	}
	if refused == 0 {
		t.Fatal("the disk was never full")
	}
	disk.Heal()
	for end := time.Now().Add(promise.Within(5 * time.Second)); ; {
		status, body := post()
		if status == http.StatusCreated {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("with room again: %d %s", status, body)
		}
	}
}

// TestReliability_R4_DamageAtUse damages the pages of one table under a server: requests
// for it fail with the fixed text, the log says what to do, and all else goes on.
func TestReliability_R4_DamageAtUse(t *testing.T) {
	src := fixture.Copy(t)
	if src.Engine != queries.SQLite {
		t.Skip("skipped: the pages are those of SQLite")
	}
	db, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	var page int64
	err = db.QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_schema WHERE name = 'algorithmport'").Scan(&page)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(src.Path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte{0xff}, (page-1)*4096)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	b := newBedOn(t, src, core.Settings{})
	reply := b.send(t, row{as: "root", method: "GET", path: "/port"})
	if reply.Code != http.StatusInternalServerError || !strings.Contains(reply.Body.String(), textInternal) {
		t.Errorf("%d %s", reply.Code, reply.Body)
	}
	if log := b.log.take(); !strings.Contains(log, "vserver restore") || !strings.Contains(log, reply.Header().Get("X-Incident")) {
		t.Errorf("the log says %s", log)
	}
	if reply := b.send(t, row{as: "root", method: "GET", path: "/organization"}); reply.Code != http.StatusOK {
		t.Errorf("what is sound answers %d %s", reply.Code, reply.Body)
	}
}
