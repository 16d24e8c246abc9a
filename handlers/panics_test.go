package handlers

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// TestAdvisory_U16_PanicIsAnsweredAndLogged: whoever meets a panic gets a 500 whose incident leads to
// its stack in the log, and nobody else notices.
func TestAdvisory_U16_PanicIsAnsweredAndLogged(t *testing.T) {
	b := newBed(t)
	b.s.echo.GET("/panics", func(echo.Context) error { panic("a fault of ours") })
	reply := httptest.NewRecorder()
	b.s.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), "GET", "/panics", nil))
	said, incident := b.log.take(), reply.Header().Get(incidentHeader)
	if reply.Code != http.StatusInternalServerError || !strings.Contains(reply.Body.String(), textInternal) || incident == "" {
		t.Errorf("answered %d %s, incident %q", reply.Code, reply.Body, incident)
	}
	for _, part := range []string{incident, "a fault of ours", "panics_test.go"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not in the log: %s", part, said)
		}
	}
	if strings.Contains(reply.Body.String(), "fault of ours") {
		t.Errorf("the caller is told the cause: %s", reply.Body)
	}
	b.run(row{as: "root", method: "GET", path: "/organization", want: 200})
}

// TestPanicOnTheLiveChannelIsAnswered has the engine itself panic.
func TestPanicOnTheLiveChannelIsAnswered(t *testing.T) {
	b := newBed(t)
	engine := b.s.live.engine
	b.s.live.engine = nil
	defer func() { b.s.live.engine = engine }()
	reply := httptest.NewRecorder()
	b.s.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), "GET", socketPath+"?EIO=4&transport=polling", nil))
	if reply.Code != http.StatusInternalServerError || !strings.Contains(b.log.take(), reply.Header().Get(incidentHeader)) {
		t.Errorf("answered %d, incident %q", reply.Code, reply.Header().Get(incidentHeader))
	}
	if got := reply.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("may be kept: %q", got)
	}
}

// TestReplyThatBreaksOffIsSeenToDoSo: a client must not take half a reply for a whole one.
func TestReplyThatBreaksOffIsSeenToDoSo(t *testing.T) {
	b := newBed(t)
	b.s.echo.GET("/half", func(c echo.Context) error {
		if err := c.String(http.StatusOK, "half"); err != nil {
			return err
		}
		c.Response().Flush()
		panic("a fault of ours")
	})
	web := httptest.NewServer(b.s)
	defer web.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", web.URL+"/half", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	reply, err := web.Client().Do(req)
	if err == nil {
		_, err = io.ReadAll(reply.Body)
		_ = reply.Body.Close()
	}
	if err == nil {
		t.Error("half a reply looks whole")
	}
}
