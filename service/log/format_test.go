package log

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-strftime"

	"vserver/service/config"
)

func TestFormatAttributes(t *testing.T) {
	r := &record{
		at: oneMorning(), started: oneMorning().Add(-1500 * time.Millisecond), level: level{name: "WARNING", number: 30},
		name: "websockets", message: "Ünïted", pathname: "vserver/handlers/socket.go", function: "open", line: 42,
	}
	pid := fmt.Sprint(os.Getpid())
	for format, want := range map[string]string{
		"%(asctime)s":          "2026-11-23 08:49:01,096",
		"%(name)s":             "websockets",
		"%(name)-14s|":         "websockets    |",
		"%(name)14s|":          "    websockets|",
		"%(name)-4s|":          "websockets|",
		"%(name).5s|":          "webso|",
		"%(name)-8.5s|":        "webso   |",
		"%(name)8.3s|":         "     web|",
		"%(name).s|":           "|",
		"%(message)-8s|":       "Ünïted  |",
		"%(message).3s|":       "Ünï|",
		"%(levelname)8s":       " WARNING",
		"%(levelname)08s":      " WARNING",
		"%(levelno)d":          "30",
		"%(levelno)s":          "30",
		"%(levelno)05d":        "00030",
		"%(levelno)+d":         "+30",
		"%(levelno)-5d|":       "30   |",
		"%(levelno)x":          "1e",
		"%(levelno)#x":         "0x1e",
		"%(levelno)#o":         "0o36",
		"%(levelno).1f":        "30.0",
		"%(pathname)s":         "vserver/handlers/socket.go",
		"%(filename)s":         "socket.go",
		"%(module)s":           "socket",
		"%(funcName)s":         "open",
		"%(lineno)d":           "42",
		"%(lineno)4i":          "  42",
		"%(created)f":          fmt.Sprintf("%d.096400", oneMorning().Unix()),
		"%(created)d":          fmt.Sprint(oneMorning().Unix()),
		"%(created).3f":        fmt.Sprintf("%d.096", oneMorning().Unix()),
		"%(created)s":          fmt.Sprintf("%d.0964", oneMorning().Unix()),
		"%(msecs)d":            "96",
		"%(msecs)03d":          "096",
		"%(msecs)s":            "96.0",
		"%(relativeCreated)d":  "1500",
		"%(thread)d":           pid,
		"%(threadName)s":       "MainThread",
		"%(process)d":          pid,
		"%(processName)s":      "MainProcess",
		"100%% %(message)s %%": "100% Ünïted %",
		"%%(message)s":         "%(message)s",
		"":                     "",
	} {
		l, err := compileLayout(format, "")
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if got := string(l.appendRecord(nil, r)); got != want+"\n" {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
	}
}

func TestFormatsThatAreRefused(t *testing.T) {
	for format, want := range map[string]string{
		"%(message":                         "is no field",
		"50% of %(message)s":                "is no field",
		"%s":                                "is no field",
		"%":                                 "is no field",
		"%(message)":                        "is no field",
		"%(message)*s":                      "is no field",
		"%(user)s":                          "%(user) is not known",
		"%(message)d":                       "is text and needs the conversion s",
		"%(levelno)c":                       "the conversion c does not fit",
		"%(msecs)x":                         "the conversion x does not fit",
		"%(message)99999s":                  "is wider than 1000",
		"%(message).99999s":                 "is wider than 1000",
		"%(message)9999999999999999999999s": "is wider than 1000",
	} {
		if _, err := compileLayout(format, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", format, err, want)
		}
		if CheckFormat(config.Logging{Format: format}) == nil {
			t.Errorf("%s: the check finds nothing", format)
		}
	}
}

func TestFormatsThatPassTheCheck(t *testing.T) {
	for _, format := range []string{formatJSON, documented().Format} {
		if err := CheckFormat(config.Logging{Format: format}); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestFormatWithThePlaceOfTheCall(t *testing.T) {
	settings := documented()
	settings.Format = "%(filename)s %(funcName)s %(lineno)d %(message)s"
	l, file, _ := openLog(t, settings)
	logger := l.Logger("a")
	logger.Info().Msg("msg")
	logger.Info().Send()
	logger.Print("print")
	for line := range strings.Lines(content(t, file)) {
		if !strings.HasPrefix(line, "format_test.go TestFormatWithThePlaceOfTheCall ") {
			t.Errorf("got %q", line)
		}
	}
}

func TestDateDirectives(t *testing.T) {
	at := time.Date(2026, 3, 5, 14, 7, 9, 0, time.FixedZone("CET", 3600)) // a Thursday, day 64
	for format, want := range map[string]string{
		"%Y-%m-%d %H:%M:%S": "2026-03-05 14:07:09",
		"%y %j %p %I":       "26 064 PM 02",
		"%a %A %b %B":       "Thu Thursday Mar March",
		"%z %Z":             "+0100 CET",
		"%%":                "%",
		"%c|%x|%X":          "Thu Mar  5 14:07:09 2026|03/05/26|14:07:09",
		"%D %F %T %R":       "03/05/26 2026-03-05 14:07:09 14:07",
		"%e|%h|%C|%u|%w":    " 5|Mar|20|4|4",
		"%U %W %V %G":       "09 09 10 2026",
		"%s":                fmt.Sprint(at.Unix()),
		"%f %Q %%f":         "%f %Q %f",
		"%L %N %v %+ %":     "%L %N %v %+ %",
		"%-d %Ey %P %l":     "5 26 pm  2",
		"2006 Jan %Y":       "2006 Jan 2026",
		"ends in %":         "ends in %",
		"%n%t":              "\n\t",
	} {
		if got := strftime.Format(dateFormat(format), at); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
	}
	midnight := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	if got := strftime.Format(dateFormat("%I %p %j %V %G"), midnight); got != "12 AM 365 53 2026" {
		t.Errorf("midnight: %q", got)
	}
}
