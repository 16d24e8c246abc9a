package log

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/config"
)

// documented is the logging block of the documentation's example.
func documented() config.Logging {
	return config.Logging{
		Level: "DEBUG", File: "test.log", UseConsole: true, BackupCount: 5, MaxSize: 1024,
		Format:     "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s",
		DateFormat: "%Y-%m-%d %H:%M:%S",
	}
}

// oneMorning is a fixed local time with milliseconds.
func oneMorning() time.Time {
	return time.Date(2026, 11, 23, 8, 49, 1, 96_400_000, time.FixedZone("CET", 3600))
}

// openLog opens a log in a fresh directory and returns it with its file and console.
func openLog(t *testing.T, settings config.Logging, secrets ...string) (l *Log, file string, console *bytes.Buffer) {
	t.Helper()
	file, console = filepath.Join(t.TempDir(), "sub", "x.log"), &bytes.Buffer{}
	l, err := Open(Options{Settings: settings, File: file, Console: console, Secrets: secrets, Now: oneMorning})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, file, console
}

func content(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLogLinesOfTheDocumentedFormat(t *testing.T) {
	l, file, console := openLog(t, documented())
	logger := l.Logger("context")
	logger.Info().Msg("text")
	logger.Debug().Str("node", "7").Err(errors.New("no route to host")).Msg("left")
	logger.WithLevel(zerolog.FatalLevel).Msg("end")
	want := strings.Join([]string{
		"2026-11-23 08:49:01 - context        - INFO     - text",
		`2026-11-23 08:49:01 - context        - DEBUG    - left node=7 error="no route to host"`,
		"2026-11-23 08:49:01 - context        - CRITICAL - end",
	}, "\n") + "\n"
	if got := content(t, file); got != want {
		t.Errorf("file:\n%swant:\n%s", got, want)
	}
	for i, colour := range []string{"\x1b[32m", "\x1b[36m", "\x1b[31m"} {
		plain := strings.Split(want, "\n")[i]
		if line := strings.Split(console.String(), "\n")[i]; line != colour+plain+"\x1b[0m" {
			t.Errorf("console line %d: %q", i, line)
		}
	}
}

func TestLogThresholds(t *testing.T) {
	for level, want := range map[string]int{"NOTSET": 6, "DEBUG": 5, "INFO": 4, "WARNING": 3, "ERROR": 2, "CRITICAL": 1} {
		settings := documented()
		settings.Level = level
		l, file, _ := openLog(t, settings)
		logger := l.Logger("a")
		for at := zerolog.TraceLevel; at <= zerolog.FatalLevel; at++ {
			logger.WithLevel(at).Msg("x")
		}
		if got := strings.Count(content(t, file), "\n"); got != want {
			t.Errorf("%s lets %d records through, want %d", level, got, want)
		}
	}
}

func TestLogOfOneLoggerHasItsOwnThreshold(t *testing.T) {
	settings := documented()
	settings.Loggers = []config.LoggerLevel{{Name: "goose", Level: "ERROR"}}
	l, file, _ := openLog(t, settings)
	quiet, other := l.Logger("goose"), l.Logger("node")
	quiet.Warn().Msg("quiet")
	other.Warn().Msg("loud")
	if got := content(t, file); strings.Contains(got, "quiet") || !strings.Contains(got, "loud") {
		t.Errorf("got %q", got)
	}
}

func TestLogNamesAreShortened(t *testing.T) {
	for name, want := range map[string]string{
		"server": "server", "fourteen_chars": "fourteen_chars", "fifteen__chars_": "fifteen__ch..", "åäöåäöåäöåäöåäö": "åäöåäöåäöåä..",
	} {
		if got := shortName(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestLogConsoleOnlyWhenWanted(t *testing.T) {
	settings := documented()
	settings.UseConsole = false
	l, _, console := openLog(t, settings)
	logger := l.Logger("a")
	logger.Info().Msg("x")
	if console.Len() != 0 {
		t.Errorf("console got %q", console)
	}
}

func TestLogTraceFollowsTheRecord(t *testing.T) {
	l, file, _ := openLog(t, documented())
	logger := l.Logger("server")
	logger.Error().Str("stack", "goroutine 1\n\tmain.go:7\n").Msg("panic")
	want := "2026-11-23 08:49:01 - server         - ERROR    - panic\ngoroutine 1\n\tmain.go:7\n"
	if got := content(t, file); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogTextFromOutsideStaysOneLine(t *testing.T) {
	l, file, _ := openLog(t, documented())
	logger := l.Logger("auth")
	logger.Info().Str("user", "a\n2026 - root - INFO").Msg("log-in of \x1b[2Jb\r\n2026-11-23 forged\u2028x")
	got := content(t, file)
	want := `log-in of \x1b[2Jb\r\n2026-11-23 forged\u2028x user="a\n2026 - root - INFO"` + "\n"
	if !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("got %q", got)
	}
}

func TestLogHidesSecrets(t *testing.T) {
	canary, awkward := "canary-2f6c9", `p"a\ss<&wörd`
	for _, format := range []string{documented().Format, "%(message).30s", formatJSON} {
		settings := documented()
		settings.Format = format
		l, file, console := openLog(t, settings, canary, awkward, "ab")
		logger := l.Logger("mail")
		logger.Info().Str("password", canary).Str("quoted", fmt.Sprintf("%q", awkward)).Msg("said " + canary)
		logger.Error().Err(fmt.Errorf("dial postgres://u:%s@h", awkward)).Interface("body", map[string]string{"p": awkward}).Msgf("%s", awkward)
		logger.Error().Str("stack", "main."+canary).Bytes("raw", []byte(canary)).Msg("ab")
		for _, text := range []string{content(t, file), console.String()} {
			for _, secret := range []string{canary, canary[:8], awkward, `a\\ss`, "wörd"} {
				if strings.Contains(text, secret) {
					t.Errorf("format %s: %q is in %s", format, secret, text)
				}
			}
			if !strings.Contains(text, "***") || !strings.Contains(text, "ab") {
				t.Errorf("format %s: nothing masked, or too much, in %s", format, text)
			}
		}
	}
}

func TestLogAsJSON(t *testing.T) {
	settings := documented()
	settings.Format = formatJSON
	for _, secrets := range [][]string{nil, {"level", "message", "1234"}} {
		l, file, console := openLog(t, settings, secrets...)
		logger := l.Logger("token")
		logger.Warn().Int("count", 3).Str("quote", `a"b`).Msg("hello")
		var got map[string]any
		if err := json.Unmarshal([]byte(content(t, file)), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"level": "warn", "logger": "token", "message": "hello", "count": 3.0, "quote": `a"b`, "time": "2026-11-23T08:49:01.096+01:00"}
		for key := range want {
			if got[key] != want[key] {
				t.Errorf("%s: got %v, want %v", key, got[key], want[key])
			}
		}
		if console.String() != content(t, file) {
			t.Errorf("console differs: %q", console)
		}
	}
}

func TestLogJSONTooLongForAFileIsLeftOut(t *testing.T) {
	settings := documented()
	settings.Format, settings.MaxSize = formatJSON, 17
	l, file, _ := openLog(t, settings)
	logger := l.Logger("task")
	logger.Info().Msg(strings.Repeat("x", 20_000))
	if got := content(t, file); !json.Valid([]byte(got)) || !strings.Contains(got, "is left out") {
		t.Errorf("got %.200q", got)
	}
}

func TestLogThatCannotBeWritten(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(blocked, "x.log")
	_, err := Open(Options{Settings: documented(), File: path})
	if _, ok := errors.AsType[*DirError](err); !ok || err.Error() != "Can't write to log dir: "+path+"!" {
		t.Errorf("got %v", err)
	}
}

func TestLogReportsWhatWasLost(t *testing.T) {
	l, file, console := openLog(t, documented())
	logger := l.Logger("a")
	logger.Info().Msg("before")
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	logger.Info().Msg("in vain")
	logger.Info().Msg("in vain")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	logger.Info().Msg("after")
	if got := content(t, file); !strings.Contains(got, "after\n") || !strings.Contains(got, "lost=2") {
		t.Errorf("got %q", got)
	}
	if strings.Count(console.String(), "in vain") != 2 {
		t.Errorf("console: %q", console)
	}
}

func TestLogAfterClose(t *testing.T) {
	l, file, _ := openLog(t, documented())
	logger := l.Logger("a")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	logger.Info().Msg("late")
	if got := content(t, file); got != "" {
		t.Errorf("got %q", got)
	}
	if err := l.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
}

func TestLogFromManyGoroutines(t *testing.T) {
	settings := documented()
	settings.MaxSize, settings.BackupCount = 17, 100
	l, file, _ := openLog(t, settings)
	const writers, each = 8, 500
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			logger := l.Logger("writer")
			for i := range each {
				logger.Info().Int("w", w).Int("i", i).Msg("record")
			}
		})
	}
	group.Wait()
	files := append(OldFiles(file), file)
	if len(files) < 2 {
		t.Fatalf("files %v", files)
	}
	seen := map[string]bool{}
	for _, f := range files {
		for line := range strings.Lines(content(t, f)) {
			_, key, _ := strings.Cut(line, "record ")
			seen[key] = true
		}
	}
	if len(seen) != writers*each {
		t.Errorf("%d different whole records, want %d", len(seen), writers*each)
	}
}

// Who wants them gets all warnings of the log and nothing else, with secrets masked.
func TestWarningsAreHandedOn(t *testing.T) {
	for _, format := range []string{"%(message)s", "json"} {
		var got []string
		logs, err := Open(Options{
			Settings: config.Logging{Level: "INFO", Format: format, Loggers: []config.LoggerLevel{{Name: "quiet", Level: "ERROR"}}},
			File:     t.TempDir() + "/x.log", Secrets: []string{"geheim-7"}, Warned: func(text string) { got = append(got, text) },
		})
		if err != nil {
			t.Fatal(err)
		}
		logger, quiet := logs.Logger("a"), logs.Logger("quiet")
		logger.Info().Msg("info")
		logger.Warn().Msg("beware of geheim-7")
		logger.Error().Msg("error")
		quiet.Warn().Msg("not in the log")
		if err := logs.Close(); err != nil || len(got) != 1 || got[0] != "beware of ***" {
			t.Errorf("%s: %q %v", format, got, err)
		}
	}
}

// brittleWriter panics.
type brittleWriter struct{}

// Write panics.
func (brittleWriter) Write([]byte) (int, error) { panic("a test wanted a panic of a console") }

// TestLogDoesNotPanic: the log is what tells of panics, also where one would end the process.
// What panics with it is no more than lost.
func TestLogDoesNotPanic(t *testing.T) {
	file, broken := filepath.Join(t.TempDir(), "x.log"), false
	l, err := Open(Options{
		Settings: documented(), File: file, Console: brittleWriter{}, Warned: func(string) { panic("a test wanted a panic") },
		Now: func() time.Time {
			if broken {
				panic("a test wanted a panic of a clock")
			}
			return oneMorning()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	logger := l.Logger("x")
	logger.Warn().Msg("one")
	broken = true
	logger.Info().Msg("two")
	broken = false
	logger.Info().Msg("three")
	said := content(t, file)
	for text, want := range map[string]bool{"one": true, "two": false, "three": true, "lost=1": true} {
		if strings.Contains(said, text) != want {
			t.Errorf("%q is there: %t\n%s", text, !want, said)
		}
	}
}
