package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/core"
)

// TestReliability_R2 fills the disk under a server: writes answer 507, reads go on, and
// writes answer 201 again within five seconds after there is room.
func TestReliability_R2_WritesAnswer507(t *testing.T) {
	src := fixture.Copy(t)
	if src.Engine != queries.SQLite {
		t.Skip("skipped: the disk is that of SQLite")
	}
	disk := dbtest.NewDisk(t)
	src.VFS = disk.Name
	b := newBedOn(t, src, core.Settings{})
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
	for end := time.Now().Add(5 * time.Second); ; {
		status, body := post()
		if status == http.StatusCreated {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("with room again: %d %s", status, body)
		}
	}
}
