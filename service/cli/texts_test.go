//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

const mebi = 1 << 20

// TestTextsOfEverySize sends inputs, also as objects, results and logs of many lengths up to
// the limit and one byte beyond it to a server process that is fresh, and to one that has
// seen many texts come and go. Each answer has a status, the bytes come back, small writes
// beside it succeed, no draft is left, and the server ends in time.
func TestTextsOfEverySize(t *testing.T) {
	limit, sizes, aged := "3MiB", []int64{256<<10 - 1, 256 << 10, 256<<10 + 1, mebi, 3*mebi - 1, 3 * mebi, 3*mebi + 1}, 20
	if promise.Long() {
		limit, sizes, aged = "1GiB", []int64{50, 64, 100, 128, 150, 256, 500, 1000, 1024}, 500
		for i := range sizes {
			sizes[i] *= mebi
		}
		sizes = append(sizes, 1024*mebi+1)
	}
	s := newVictim(t)
	s.configure(t, "    limits: {payload: "+limit+"}\n")
	s.start(t)
	s.setStage(t)
	node := s.logInNode(t)
	beside := s.writeBeside(t)
	for _, state := range []string{"fresh", "aged"} {
		if state == "aged" {
			s.age(t, node, aged)
		}
		for _, part := range []string{"input", "object", "result", "log"} {
			for _, size := range sizes {
				t.Run(fmt.Sprintf("%s/%s/%d", state, part, size), func(t *testing.T) {
					s.throughAndBack(t, node, part, size, size <= sizes[len(sizes)-2])
				})
			}
		}
	}
	beside()
	if n := s.drafts(t); n != 0 {
		t.Errorf("%d drafts are left", n)
	}
	s.endsInTime(t)
}

// configure adds lines to the environment of the configuration.
func (s *victim) configure(t *testing.T, lines string) {
	t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, append(text, lines...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// logInNode returns a token of the node of the first hospital in the first study.
func (s *victim) logInNode(t *testing.T) string {
	t.Helper()
	var session struct {
		Token string `json:"access_token"`
	}
	s.must(t, "POST", "/token/node", map[string]string{"api_key": s.keys[0]}, &session)
	return session.Token
}

// throughAndBack sends a text of some length and reads it again.
func (s *victim) throughAndBack(t *testing.T, node, part string, size int64, fits bool) {
	t.Helper()
	text := newLetters(size)
	began := time.Now()
	task, result, status := s.sendText(t, node, part, text)
	took := time.Since(began)
	switch {
	case !fits && status != http.StatusRequestEntityTooLarge:
		t.Errorf("%d bytes too many are answered %d", size, status)
	case fits && status > 210:
		t.Errorf("%d bytes are answered %d", size, status)
	}
	if fits && status <= 210 {
		field, want := part, text.sum("", "")
		if part == "object" {
			field, want = "input", newLetters(size-objectFrame).sum(`{\"a\": \"`, `\"}`)
		}
		began = time.Now()
		got, err := s.readText(t.Context(), result, field)
		if err != nil || got != want {
			t.Errorf("came back as %s, not %s: %v", got, want, err)
		}
		rate := func(d time.Duration) float64 { return float64(size) / mebi / d.Seconds() }
		t.Logf("%.0f MiB/s in, %.0f MiB/s out", rate(took), rate(time.Since(began)))
	}
	if task != 0 {
		s.must(t, "DELETE", fmt.Sprintf("/task/%d", task), nil, nil)
	}
}

// objectFrame is how much longer an object is than the text in it.
const objectFrame = int64(len(`{"a": ""}`))

// sendText sends a text as a part of a new result.
func (s *victim) sendText(t *testing.T, node, part string, text letters) (task, result int64, status int) {
	t.Helper()
	head := fmt.Sprintf(`{"name":"t","image":"i","collaboration_id":%d,"organizations":[{"id":%d,"input":`, s.studies[0], s.hospitals[0])
	switch part {
	case "input":
		return s.postTask(t, head+`"`, text, `"}]}`)
	case "object":
		return s.postTask(t, head+`{"a":"`, newLetters(text.left-objectFrame), `"}}]}`)
	}
	task, result, status = s.postTask(t, head+`"`, newLetters(4), `"}]}`)
	if status != http.StatusCreated {
		t.Fatalf("the task of a result is answered %d", status)
	}
	reply, err := s.send(t.Context(), "PATCH", fmt.Sprintf("/result/%d", result), node, `{"`+part+`":"`, &text, `","status":"completed"}`)
	if err != nil {
		t.Errorf("a %s got no answer: %v", part, err)
		return task, result, 0
	}
	defer func() { _ = reply.Body.Close() }()
	_, _ = io.Copy(io.Discard, reply.Body)
	return task, result, reply.StatusCode
}

func (s *victim) postTask(t *testing.T, head string, text letters, tail string) (task, result int64, status int) {
	t.Helper()
	reply, err := s.send(t.Context(), "POST", "/task", s.token, head, &text, tail)
	if err != nil {
		t.Errorf("a task got no answer: %v", err)
		return 0, 0, 0
	}
	defer func() { _ = reply.Body.Close() }()
	var made struct {
		ID      int64
		Results []struct{ ID int64 }
	}
	if err := json.NewDecoder(reply.Body).Decode(&made); err != nil || reply.StatusCode == http.StatusCreated && len(made.Results) != 1 {
		t.Errorf("a task is answered with %d: %v, %+v", reply.StatusCode, err, made)
	}
	if reply.StatusCode == http.StatusCreated {
		result = made.Results[0].ID
	}
	return made.ID, result, reply.StatusCode
}

// send sends a request with a text in its body.
func (s *victim) send(ctx context.Context, method, path, token, head string, text *letters, tail string) (*http.Response, error) {
	length := int64(len(head)+len(tail)) + text.left
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, io.MultiReader(strings.NewReader(head), text, strings.NewReader(tail)))
	if err != nil {
		return nil, err
	}
	req.ContentLength = length
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	return http.DefaultClient.Do(req)
}

// readText returns the hash of a text of a result as it stands within its quotes, "" for null.
func (s *victim) readText(ctx context.Context, result int64, field string) (sum string, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/result/%d", s.url, result), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusOK {
		return "", fmt.Errorf("answered with %s", reply.Status)
	}
	return hashOf(reply.Body, field)
}

// hashOf reads JSON to its end and returns the hash of the text that a key has.
func hashOf(body io.Reader, key string) (sum string, err error) {
	in := bufio.NewReaderSize(body, 1<<20)
	hash, before, within, found := sha256.New(), "", false, false
	for {
		piece, err := in.ReadSlice('"')
		switch {
		case errors.Is(err, io.EOF):
			return sum, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		}
		ended := err == nil && (len(piece) == 1 || piece[len(piece)-2] != '\\')
		switch {
		case !within:
			found = before == key && strings.HasPrefix(string(piece), ":") && len(piece) == 2
			within = ended
			hash.Reset()
			before = ""
		case ended:
			if before += string(piece[:len(piece)-1]); found {
				hash.Write(piece[:len(piece)-1])
				sum = hex.EncodeToString(hash.Sum(nil))
			}
			within = false
		case found:
			hash.Write(piece)
		}
	}
}

// letters is a text of base64 letters, the same ones for the same length.
type letters struct {
	left  int64
	block []byte
	at    int
}

// block is a length that fits no chunk, so that no two chunks are alike.
var block = sync.OnceValue(func() []byte {
	const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b, source := make([]byte, 1_000_003), rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = set[source.IntN(len(set))]
	}
	return b
})

func newLetters(n int64) letters { return letters{left: n, block: block(), at: int(n % 1_000_003)} }

func (l *letters) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), l.left)], l.block[l.at:])
	l.at, l.left = (l.at+n)%len(l.block), l.left-int64(n)
	return n, nil
}

// sum is the hash of the text between two others.
func (l letters) sum(before, behind string) string {
	hash := sha256.New()
	hash.Write([]byte(before))
	_, _ = io.Copy(hash, &l)
	hash.Write([]byte(behind))
	return hex.EncodeToString(hash.Sum(nil))
}

// writeBeside posts small tasks until it is ended, and wants all of them to succeed.
func (s *victim) writeBeside(t *testing.T) (end func()) {
	t.Helper()
	body := map[string]any{"name": "small", "image": "i", "collaboration_id": s.studies[1], "organizations": []any{map[string]any{"id": s.hospitals[0], "input": "aW4="}}}
	ctx, cancel := context.WithCancel(t.Context())
	var took []time.Duration
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			if status, err := s.call(t.Context(), "POST", "/task", body, nil); status != http.StatusCreated {
				t.Errorf("a small write beside is answered %d, %v", status, err)
			}
			took = append(took, time.Since(began))
			time.Sleep(20 * time.Millisecond)
		}
	})
	return func() {
		cancel()
		done.Wait()
		slices.Sort(took)
		t.Logf("%d small writes beside: p50 %s, p99 %s, longest %s", len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
	}
}

// age writes and deletes texts, and waits until they are swept.
func (s *victim) age(t *testing.T, node string, rounds int) {
	t.Helper()
	for i := range rounds {
		size := int64(300<<10) + int64(i%7)*100_000
		for _, part := range []string{"input", "result"} {
			task, _, status := s.sendText(t, node, part, newLetters(size))
			if status > 210 {
				t.Fatalf("a text is answered %d", status)
			}
			s.must(t, "DELETE", fmt.Sprintf("/task/%d", task), nil, nil)
		}
	}
	s.ageLoose(t)
	if !promise.Long() {
		return
	}
	for end := time.Now().Add(promise.Patience); s.count(t, "SELECT COUNT(*) FROM stream WHERE result_id IS NULL") > 0; time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatal("deleted texts are not swept")
		}
	}
}

// ageLoose makes texts without a result so old that no other server on Postgres can be at them.
func (s *victim) ageLoose(t *testing.T) {
	t.Helper()
	if s.src.Engine != queries.Postgres {
		return
	}
	db := plain(t, s.src)
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "UPDATE stream SET touched_at = touched_at - INTERVAL '1 hour' WHERE result_id IS NULL"); err != nil {
		t.Fatal(err)
	}
}

func (s *victim) count(t *testing.T, query string) (n int64) {
	t.Helper()
	db, err := dbtest.SQL(s.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	return count(t, db, query)
}

// drafts counts the texts that no request took over. Those of deleted results have a part.
func (s *victim) drafts(t *testing.T) int64 {
	t.Helper()
	return s.count(t, "SELECT COUNT(*) FROM stream WHERE result_id IS NULL AND part IS NULL")
}

// endsInTime asks the server to end.
func (s *victim) endsInTime(t *testing.T) {
	t.Helper()
	asked := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(promise.Patience, func() { _ = s.cmd.Process.Kill() })
	defer hung.Stop()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	took := time.Since(asked)
	t.Logf("the end took %s", took)
	if took > promise.Within(10*time.Second) {
		t.Errorf("the end took %s", took)
	}
}
