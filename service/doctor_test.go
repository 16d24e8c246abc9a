package service

import (
	"os"
	"testing"
	"time"

	"vserver/service/config"
)

func TestCertificateNearsItsEnd(t *testing.T) {
	files := certificateFiles(t)
	renew(t, files, 1) // valid for an hour
	for after, want := range map[time.Duration]Verdict{0: Doubt, 2 * time.Hour: Failure, -30 * 24 * time.Hour: Sound} {
		e := examination{inst: config.Instance{Config: config.Config{TLS: &files}}, now: time.Now().Add(after)}
		if found := e.certificate(t.Context()); len(found) != 1 || found[0].Verdict != want {
			t.Errorf("%s later: %+v, want %s", after, found, want)
		}
	}
}

func TestClockThatWentBack(t *testing.T) {
	file := t.TempDir() + "/c.yaml"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]Verdict{0: Sound, -time.Hour: Failure} {
		e := examination{inst: config.Instance{File: file}, now: time.Now().Add(after)}
		if found := e.clock(t.Context()); len(found) != 1 || found[0].Verdict != want {
			t.Errorf("%s later: %+v, want %s", after, found, want)
		}
	}
}

func TestExistingFolder(t *testing.T) {
	dir := t.TempDir()
	if got := existing(dir + "/a/b"); got != dir {
		t.Error(got)
	}
}
