//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/service/promise"
)

// TestKillAmidTexts kills the server with SIGKILL while a node sends a long result, just when it
// has sent all of it, and while somebody reads it. After the next start the result is there
// as a whole or not at all, nothing that nobody took over is left, and the node's
// repetition succeeds.
func TestKillAmidTexts(t *testing.T) {
	rounds := 2
	if promise.Long() {
		rounds = 100
	}
	s := newVictim(t)
	s.start(t)
	s.setStage(t)
	node := s.logInNode(t)
	ending := s.endOfUpload(t, node)
	stored := 0
	for _, kind := range []struct {
		name string
		kill func(t *testing.T, result int64) (acknowledged bool)
	}{
		{"upload", func(t *testing.T, result int64) bool {
			return s.killInUpload(t, node, result, rand.Int64N(killedText.left), 0)
		}},
		{"final transaction", func(t *testing.T, result int64) bool {
			return s.killInUpload(t, node, result, killedText.left, rand.N(ending*3/2))
		}},
		{"download", func(t *testing.T, result int64) bool {
			return s.killInDownload(t, node, result)
		}},
	} {
		for range rounds {
			_, result, _ := s.sendText(t, node, "input", newLetters(4))
			acknowledged := kind.kill(t, result)
			s.ageLoose(t)
			s.start(t)
			if s.wholeOrNone(t, kind.name, result, acknowledged) && kind.name == "final transaction" {
				stored++
			}
			s.nothingLoose(t, kind.name)
			s.repeat(t, kind.name, node, result)
		}
	}
	t.Logf("of %d that were killed within %s of the last byte %d were stored", rounds, ending*3/2, stored)
	if rounds >= 100 && (stored < rounds/10 || stored > rounds*9/10) {
		t.Error("the final transaction was hardly met")
	}
}

// killedText is what a node sends in these tests.
var killedText = newLetters(5 << 20)

const killedEnd = `","status":"completed","finished_at":"2026-01-01T00:00:00.0"}`

// killInUpload kills the server a moment after some bytes of a result were sent, and tells
// whether it was acknowledged.
func (s *victim) killInUpload(t *testing.T, node string, result, sent int64, later time.Duration) (acknowledged bool) {
	t.Helper()
	var killed sync.WaitGroup
	text, length := killedText, killedText.left
	within, atEnd := &trigger{}, &trigger{}
	if sent < length {
		within.do = s.kill
	} else {
		atEnd.do = func() { killed.Go(func() { <-time.After(later); s.kill() }) }
	}
	body := io.MultiReader(strings.NewReader(`{"result":"`), io.LimitReader(&text, sent), within, &text, strings.NewReader(killedEnd), atEnd)
	reply, err := s.patch(t, node, result, body)
	if err == nil {
		acknowledged = reply.StatusCode == http.StatusOK
		if _ = reply.Body.Close(); !acknowledged {
			t.Errorf("a result is answered %s", reply.Status)
		}
	}
	killed.Wait()
	return acknowledged
}

// endOfUpload is how long the answer takes from the last byte of a result on.
func (s *victim) endOfUpload(t *testing.T, node string) time.Duration {
	t.Helper()
	_, result, _ := s.sendText(t, node, "input", newLetters(4))
	var sent time.Time
	text := killedText
	body := io.MultiReader(strings.NewReader(`{"result":"`), &text, strings.NewReader(killedEnd), &trigger{func() { sent = time.Now() }})
	reply, err := s.patch(t, node, result, body)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("a result is answered %v, %v", reply, err)
	}
	_ = reply.Body.Close()
	return time.Since(sent)
}

// patch sends the result of these tests.
func (s *victim) patch(t *testing.T, node string, result int64, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", fmt.Sprintf("%s/result/%d", s.url, result), body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(`{"result":"`)+len(killedEnd)) + killedText.left
	req.Header.Set("Authorization", "Bearer "+node)
	return http.DefaultClient.Do(req)
}

// trigger reads as nothing, and does something once it is reached.
type trigger struct{ do func() }

func (r *trigger) Read([]byte) (int, error) {
	if r.do != nil {
		r.do()
		r.do = nil
	}
	return 0, io.EOF
}

// killInDownload stores a result and kills the server while it is read: whoever reads sees that
// the answer broke off.
func (s *victim) killInDownload(t *testing.T, node string, result int64) (acknowledged bool) {
	t.Helper()
	text := killedText
	reply, err := s.send(t.Context(), "PATCH", fmt.Sprintf("/result/%d", result), node, `{"result":"`, &text, killedEnd)
	if err != nil {
		t.Fatal(err)
	}
	if _ = reply.Body.Close(); reply.StatusCode != http.StatusOK {
		t.Fatalf("a result is answered %s", reply.Status)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", fmt.Sprintf("%s/result/%d", s.url, result), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if reply, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	if _, err := io.CopyN(io.Discard, reply.Body, rand.Int64N(killedText.left/4)); err != nil {
		t.Fatal(err)
	}
	s.kill()
	// What is under way in the kernel may still come, and may be all of it.
	if n, err := io.Copy(io.Discard, bufio.NewReader(reply.Body)); err == nil && n < killedText.left*3/4 {
		t.Errorf("an answer that broke off looks whole, %d bytes came behind", n)
	}
	return true
}

// wholeOrNone reports whether a result is stored; then it has to be whole.
func (s *victim) wholeOrNone(t *testing.T, name string, result int64, acknowledged bool) (stored bool) {
	t.Helper()
	var row struct {
		Status   string
		Finished *string `json:"finished_at"`
	}
	s.must(t, "GET", fmt.Sprintf("/result/%d", result), nil, &row)
	sum, err := s.readText(t.Context(), result, "result")
	switch {
	case err != nil:
		t.Fatal(err)
	case row.Status == "pending" && row.Finished == nil && sum == "" && !acknowledged:
		return false
	case row.Status == "completed" && row.Finished != nil && sum == killedText.sum("", ""):
		return true
	}
	t.Errorf("killed in the %s: acknowledged %t, stored as %+v with a text of hash %q", name, acknowledged, row, sum)
	return true
}

// nothingLoose waits until what nobody took over is swept.
func (s *victim) nothingLoose(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	for s.count(t, "SELECT COUNT(*) FROM stream WHERE result_id IS NULL") > 0 {
		if ctx.Err() != nil {
			t.Fatalf("killed in the %s: drafts are not swept by the next start", name)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := s.count(t, "SELECT COUNT(*) FROM chunk WHERE stream_id NOT IN (SELECT id FROM stream)"); n > 0 {
		t.Errorf("killed in the %s: %d chunks of no text are left", name, n)
	}
}

// repeat sends the result as the node does whose connection broke. If it was stored, and only
// the answer was lost, it is finished and takes nothing more.
func (s *victim) repeat(t *testing.T, name, node string, result int64) {
	t.Helper()
	text := killedText
	reply, err := s.send(t.Context(), "PATCH", fmt.Sprintf("/result/%d", result), node, `{"result":"`, &text, killedEnd)
	if err != nil {
		t.Fatalf("killed in the %s: the repetition got no answer: %v", name, err)
	}
	said, _ := io.ReadAll(io.LimitReader(reply.Body, 200))
	_ = reply.Body.Close()
	if reply.StatusCode != http.StatusOK && string(said) != "{\"msg\":\"Cannot update an already finished result!\"}" {
		t.Errorf("killed in the %s: the repetition is answered %s %s", name, reply.Status, said)
	}
	if !s.wholeOrNone(t, name, result, true) {
		t.Errorf("killed in the %s: the result is not there after its repetition", name)
	}
}
