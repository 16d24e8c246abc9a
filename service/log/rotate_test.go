package log

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sizes returns name and size of every file in a directory.
func sizes(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int64{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = info.Size()
	}
	return all
}

func TestRotationOfFiftyMegabytes(t *testing.T) {
	settings := documented()
	settings.MaxSize, settings.BackupCount, settings.UseConsole = 64, 3, false
	settings.Format = "%(message)s"
	l, file, _ := openLog(t, settings)
	logger, random := l.Logger("load"), rand.New(rand.NewPCG(1, 2))
	filler, last := strings.Repeat("x", 4000), 0
	for written := 0; written < 50<<20; last++ {
		message := fmt.Sprintf("%d %s", last, filler[:random.IntN(4000)])
		logger.Info().Msg(message)
		written += len(message) + 1
		if last%500 == 0 {
			checkSizes(t, file, 64<<10, 3)
		}
	}
	checkSizes(t, file, 64<<10, 3)
	if n := len(sizes(t, filepath.Dir(file))); n != 4 {
		t.Errorf("%d files, want 4", n)
	}
	checkOrder(t, file, last-1)
}

func checkSizes(t *testing.T, file string, limit int64, backups int) {
	t.Helper()
	all := sizes(t, filepath.Dir(file))
	for name, size := range all {
		if size > limit {
			t.Errorf("%s has %d bytes", name, size)
		}
	}
	if len(all) > backups+1 {
		t.Errorf("too many files: %v", all)
	}
}

// checkOrder reads .3 .2 .1 and the file as one text whose records count up to last.
func checkOrder(t *testing.T, file string, last int) {
	t.Helper()
	all := content(t, file+".3") + content(t, file+".2") + content(t, file+".1") + content(t, file)
	lines := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
	for i, line := range lines {
		want := fmt.Sprintf("%d ", last-len(lines)+1+i)
		if !strings.HasPrefix(line, want) {
			t.Fatalf("record %d begins with %.20q, want %s", i, line, want)
		}
	}
}

func TestRotationHappensBeforeTheLimitIsReached(t *testing.T) {
	for _, tc := range []struct {
		first, second int
		want          []int64 // sizes of x.log and x.log.1
	}{
		{50, 49, []int64{99}},
		{50, 50, []int64{50, 50}},
		{99, 1, []int64{1, 99}},
		{99, 99, []int64{99, 99}},
	} {
		path := filepath.Join(t.TempDir(), "x.log")
		r := rotating(t, path, 100, 2)
		write(t, r, tc.first)
		write(t, r, tc.second)
		got, all := []int64{}, sizes(t, filepath.Dir(path))
		for _, name := range []string{"x.log", "x.log.1"} {
			if size, ok := all[name]; ok {
				got = append(got, size)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%d then %d bytes: got %v, want %v", tc.first, tc.second, got, tc.want)
		}
	}
}

func rotating(t *testing.T, path string, limit int64, backups int) *rotatingFile {
	t.Helper()
	r, err := openRotating(path, limit, backups)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// write writes one record of n bytes.
func write(t *testing.T, r *rotatingFile, n int) {
	t.Helper()
	if _, err := r.Write([]byte(strings.Repeat("x", n-1) + "\n")); err != nil {
		t.Fatal(err)
	}
}

func TestRotationCutsARecordLongerThanAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	r := rotating(t, path, 100, 2)
	write(t, r, 10)
	if _, err := r.Write([]byte(strings.Repeat("é", 300) + "\n")); err != nil {
		t.Fatal(err)
	}
	got := content(t, path)
	if len(got) > 99 || len(got) < 97 || !strings.HasSuffix(got, "é"+cutMark) {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestRotationGoesOnAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	write(t, rotating(t, path, 100, 2), 60)
	write(t, rotating(t, path, 100, 2), 60)
	if all := sizes(t, filepath.Dir(path)); all["x.log"] != 60 || all["x.log.1"] != 60 {
		t.Errorf("got %v", all)
	}
}

func TestRotationWithTwoWritersOfOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	a, b := rotating(t, path, 100, 9), rotating(t, path, 100, 9)
	for range 10 {
		write(t, a, 40)
		write(t, b, 40)
	}
	total := int64(0)
	for name, size := range sizes(t, filepath.Dir(path)) {
		total += size
		if size >= 100 {
			t.Errorf("%s has %d bytes", name, size)
		}
	}
	if total != 800 {
		t.Errorf("%d bytes in all, want 800", total)
	}
}

func TestRotationRemovesFilesOfAHigherBackupCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	for _, end := range []string{"", ".1", ".2", ".3", ".7", ".old", ".03"} {
		if err := os.WriteFile(path+end, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rotating(t, path, 100, 2)
	all := sizes(t, filepath.Dir(path))
	for _, gone := range []string{"x.log.3", "x.log.7"} {
		if _, ok := all[gone]; ok {
			t.Errorf("%s is still there", gone)
		}
	}
	if len(all) != 5 {
		t.Errorf("left: %v", all)
	}
}
