package log

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// FuzzFormat: no format brings the log down, and one that compiles renders a line.
func FuzzFormat(f *testing.F) {
	f.Add(documented().Format, documented().DateFormat)
	f.Add("%(created).3f %(lineno)#05x %% %(msecs)03d", "%c %f %")
	f.Fuzz(func(t *testing.T, format, datefmt string) {
		l, err := compileLayout(format, datefmt)
		if err != nil {
			return
		}
		if line := l.appendRecord(nil, &record{at: oneMorning(), started: oneMorning()}); !bytes.HasSuffix(line, []byte("\n")) {
			t.Errorf("no line end: %q", line)
		}
	})
}

// FuzzRecord: whatever a message and a field hold, the record stays one line and the
// secret stays out of it.
func FuzzRecord(f *testing.F) {
	f.Add("text", "key", "value")
	f.Add("a\nb\x1b[2J\x00", "\"k\\", "geheim-7 \xff\u2028")
	f.Add("", "level", "{\"a\":[1,{\"b\":\"]\"}]}")
	m := newMasker([]string{"geheim-7"})
	l, err := compileLayout("%(message)s", "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, message, key, value string) {
		if key == fieldStack || strings.Contains(key, "geheim") {
			return
		}
		var event bytes.Buffer
		logger := zerolog.New(&event)
		logger.Info().Str(key, value).Strs("list", []string{value, message}).Msg(message)
		var r record
		r.read(event.Bytes(), m)
		line := string(l.appendRecord(nil, &r))
		if strings.Count(line, "\n") != 1 || strings.Contains(line, "geheim-7") {
			t.Errorf("%q", line)
		}
		if masked := m.maskEvent(event.Bytes()); bytes.Contains(masked, []byte("geheim-7")) || !bytes.HasSuffix(masked, []byte("}\n")) {
			t.Errorf("%q", masked)
		}
	})
}
