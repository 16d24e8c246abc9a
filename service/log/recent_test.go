package log

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vserver/service/config"
)

func TestRecentWarningsAreKept(t *testing.T) {
	l, err := Open(Options{Settings: config.Logging{Level: "INFO", Format: "%(message)s", MaxSize: 1024}, File: filepath.Join(t.TempDir(), "a.log"), Secrets: []string{"hush-hush"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	logger := l.Logger("base")
	logger.Info().Msg("nothing")
	for i := range 250 {
		logger.Warn().Int("n", i).Msg("look at hush-hush")
	}
	logger.Error().Msg("bad")
	list := l.Recent()
	if len(list) != 200 || list[199].Level != "ERROR" || list[199].Message != "bad" || list[199].Logger != "base" {
		t.Errorf("%d, the last %+v", len(list), list[len(list)-1])
	}
	if first := list[0]; first.Level != "WARNING" || !strings.HasSuffix(first.Message, " n=51") || strings.Contains(first.Message, "hush") || first.At.IsZero() {
		t.Errorf("the first is %+v", first)
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	tail := func(most int) []string {
		t.Helper()
		lines, err := Tail(path, most)
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	if got := tail(10); len(got) != 0 {
		t.Errorf("without a file: %q", got)
	}
	for text, want := range map[string][]string{
		"": nil, "\n": nil, "a\nb\n": {"a", "b"}, "a\nb": {"a", "b"}, "a\nb\nc\n": {"b", "c"}, "\xff\n": {"\uFFFD"},
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := tail(2); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	var long strings.Builder
	for i := range 400_000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	if err := os.WriteFile(path, []byte(long.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := tail(1_000_000)
	if len(got) > 1<<20/10 || got[len(got)-1] != "line 399999" || !strings.HasPrefix(got[0], "line ") {
		t.Errorf("%d lines, from %q to %q", len(got), got[0], got[len(got)-1])
	}
}
