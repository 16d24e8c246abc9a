package log

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/promise"
)

// lines counts what arrives, for one reader at a time.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until a text has arrived.
func (l *lines) await(t *testing.T, text string) {
	t.Helper()
	eventually(t, "no "+text, func() bool { return strings.Contains(l.String(), text) })
}

// eventually waits until a condition holds, for ten seconds at most.
func eventually(t *testing.T, complaint string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(promise.Patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal(complaint)
		}
	}
}

func TestFollowAcrossRotations(t *testing.T) {
	const before, count, backups = 500, 3000, 120
	path := filepath.Join(t.TempDir(), "x.log")
	file, err := OpenFile(path, 400, backups)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var want strings.Builder
	write := func(n int) {
		line := fmt.Sprintf("line %d\n", n)
		want.WriteString(line)
		if _, err := file.Write([]byte(line)); err != nil {
			t.Error(err)
		}
	}
	for n := range before {
		write(n)
	}
	var got lines
	var ended atomic.Bool
	followed := make(chan error, 1)
	go func() { followed <- Follow(t.Context(), path, &got, func() bool { return !ended.Load() }) }()
	got.await(t, fmt.Sprintf("line %d\n", before-1))
	for n := before; n < count; n++ {
		write(n)
	}
	ended.Store(true)
	if err := <-followed; err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("got %d bytes, want %d; it ends with %q", len(got.String()), want.Len(), got.String()[max(0, len(got.String())-40):])
	}
}

func TestFollowWaitsForAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	ctx, cancel := context.WithCancel(t.Context())
	var got lines
	followed := make(chan error, 1)
	go func() { followed <- Follow(ctx, path, &got, func() bool { return true }) }()
	if err := os.WriteFile(path, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got.await(t, "first\n")
	if err := os.Truncate(path, 0); err != nil { // by a tool that rotates in its own way
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, _ = io.WriteString(f, "new\n")
	got.await(t, "new\n")
	cancel()
	if err := <-followed; err != nil {
		t.Error(err)
	}
}

func TestFollowGoesOnWhenItsFileIsGone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.log")
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("x.log", "read\n")
	var got lines
	f := follower{path: path, out: &got}
	defer f.close()
	old := func(hour int) string {
		return filepath.Base(rotatedName(path, time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)))
	}
	put(old(1), "old\n")
	if err := f.advance(); err != nil {
		t.Fatal(err)
	}
	// More files came than are kept: what is left
	// is shown in order, nothing twice.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	put(old(3), "older\n")
	put(old(4), "younger\n")
	if err := f.advance(); err != nil { // in the middle of a rotation
		t.Fatal(err)
	}
	put(old(5), "meanwhile\n")
	put("x.log", "now\n")
	if err := f.advance(); err != nil {
		t.Fatal(err)
	}
	if got.String() != "old\nread\nolder\nyounger\nmeanwhile\nnow\n" {
		t.Errorf("got %q", got.String())
	}
}
