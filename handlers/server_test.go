package handlers

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// copied is a backup for tests, which tells when it is closed.
type copied struct {
	io.Reader
	closed *bool
}

func (c copied) Close() error {
	*c.closed = true
	return nil
}

func TestTheServerIsLookedAfter(t *testing.T) {
	closed, advice := false, "make room"
	b := newBed(t)
	b.s.opt.Operator = &Operator{
		State: func(context.Context) (ServerState, error) {
			return ServerState{Name: "hospital", Engine: "sqlite", Started: time.Unix(0, 0), Size: 7, Settings: []ServerSetting{{"limits.payload", "1GiB"}}}, nil
		},
		Examine: func(context.Context) []ServerFinding {
			return []ServerFinding{{"disk", "warning", "little is free", &advice}, {Check: "vpn", Verdict: "skipped", Text: "none"}}
		},
		Warnings: func() []ServerWarning {
			return []ServerWarning{{At: time.Unix(0, 0), Level: "WARNING", Logger: "base", Message: "m"}}
		},
		LogTail: func(most int) ([]string, error) { return []string{strings.Repeat("x", most)}, nil },
		Backup: func(context.Context) (ServerBackup, error) {
			return ServerBackup{copied{strings.NewReader("SQLite"), &closed}, "hospital ü.sqlite", 6}, nil
		},
	}
	get := func(path string, want int, has string) row {
		return row{as: "root", method: "GET", path: path, want: want, has: has}
	}
	b.run(
		get("/server", 200, `{"name":"hospital","started":"1970-01-01T00:00:00+00:00","database":{"engine":"sqlite","size":7},"sockets":0,"nodes_online":0,
			"mails_waiting":0,"settings":[{"key":"limits.payload","value":"1GiB"}]}`),
		get("/server/doctor", 200, `[{"check":"disk","verdict":"warning","text":"little is free","advice":"make room"},{"check":"vpn","advice":null}]`),
		get("/server/warning", 200, `[{"at":"1970-01-01T00:00:00+00:00","level":"WARNING","logger":"base","message":"m"}]`),
		get("/server/log?lines=3", 200, `{"lines":["xxx"]}`),
		get("/server/log?lines=0", 400, `{"msg":"lines has to be from 1 to 2000"}`),
		get("/server/log?lines=2001", 400, `{"msg":"lines has to be from 1 to 2000"}`),
		get("/server/log?lines=x", 400, `{"msg":"lines has to be a whole number"}`),
		row{method: "GET", path: "/server", want: 401},
		row{as: "node_iknl_z", method: "GET", path: "/server", want: 403},
		row{as: "viewer", method: "GET", path: "/server/log?lines=x", want: 401, has: denied},
		row{as: "colladmin", method: "GET", path: "/server/backup", want: 401, has: denied},
		row{as: "viewer", method: "GET", path: "/access/explain?method=GET&path=/server", want: 200, has: `{"allowed":false,"status":401,
			"reason":"The user viewer may not GET /server: that takes every rule, and of the 53 rules it lacks 41"}`},
		row{as: "root", method: "GET", path: "/access/explain?method=GET&path=/server", want: 200, has: `{"allowed":true,
			"reason":"The user root may GET /server: it holds every rule"}`},
	)
	reply := b.send(t, get("/server/backup", 200, ""))
	h := reply.Header()
	if reply.Code != 200 || reply.Body.String() != "SQLite" || !closed || h.Get("Content-Length") != "6" || h.Get("Cache-Control") != "no-store" ||
		h.Get("Content-Disposition") != "attachment; filename*=utf-8''hospital%20%C3%BC.sqlite" {
		t.Errorf("%d %s %v, closed: %v", reply.Code, reply.Body, h, closed)
	}
	if log := b.log.take(); !strings.Contains(log, "User root downloads a backup of the database to 192.0.2.1") {
		t.Errorf("the log tells %s", log)
	}
	closed = false
	if reply := b.send(t, row{as: "root", method: "HEAD", path: "/server/backup"}); reply.Code != 200 || closed {
		t.Errorf("HEAD: %d, a backup was made: %v", reply.Code, closed)
	}
}

// TestOneAtATime: neither two examinations nor two backups run beside each other, and a
// failed one does not keep the next from its turn.
func TestOneAtATime(t *testing.T) {
	b := newBed(t)
	begun, going := make(chan bool), make(chan bool)
	wait := func() {
		begun <- true
		<-going
	}
	b.s.opt.Operator = &Operator{
		Examine: func(context.Context) []ServerFinding { wait(); return nil },
		Backup:  func(context.Context) (ServerBackup, error) { wait(); return ServerBackup{}, errors.New("no room") },
	}
	for path, want := range map[string]int{"/server/doctor": 200, "/server/backup": 500} {
		for range 2 {
			ended := make(chan int)
			go func() { ended <- b.send(t, row{as: "root", method: "GET", path: path}).Code }()
			<-begun
			if reply := b.send(t, row{as: "root", method: "GET", path: path}); reply.Code != 429 {
				t.Errorf("%s beside another one: %d %s", path, reply.Code, reply.Body)
			}
			going <- true
			if got := <-ended; got != want {
				t.Errorf("%s: %d", path, got)
			}
		}
	}
}

// TestABackupThatBreaksOffIsNone: the connection ends, so that nobody takes it for whole.
func TestABackupThatBreaksOffIsNone(t *testing.T) {
	b := newBed(t)
	closed := false
	b.s.opt.Operator = &Operator{Backup: func(context.Context) (ServerBackup, error) {
		return ServerBackup{copied{io.MultiReader(strings.NewReader("SQL"), halfRead{}), &closed}, "b.sqlite", 6}, nil
	}}
	defer func() {
		if recover() == nil || !closed {
			t.Errorf("it is sent as if it were whole, or stays: %v", closed)
		}
		if log := b.log.take(); !slices.ContainsFunc(strings.Split(log, "\n"), func(l string) bool { return strings.Contains(l, "broke off") }) {
			t.Error(log)
		}
	}()
	b.send(t, row{as: "root", method: "GET", path: "/server/backup"})
}

// halfRead is a file that cannot be read on.
type halfRead struct{}

func (halfRead) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }
