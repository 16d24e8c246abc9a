package log

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"time"

	"vserver/service/private"
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

// checkSizes waits until no more old files are left than should be, and looks at the
// size of each file.
func checkSizes(t *testing.T, file string, limit int64, backups int) {
	t.Helper()
	eventually(t, "too many files", func() bool { return len(OldFiles(file)) <= backups })
	for name, size := range sizes(t, filepath.Dir(file)) {
		if size >= limit {
			t.Errorf("%s has %d bytes", name, size)
		}
	}
}

// checkOrder reads the old files and the file as one text whose records count up to last.
func checkOrder(t *testing.T, file string, last int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(everything(t, file), "\n"), "\n")
	for i, line := range lines {
		want := fmt.Sprintf("%d ", last-len(lines)+1+i)
		if !strings.HasPrefix(line, want) {
			t.Fatalf("record %d begins with %.20q, want %s", i, line, want)
		}
	}
}

// everything returns what the old files and the file hold, oldest first.
func everything(t *testing.T, file string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range append(OldFiles(file), file) {
		all.WriteString(content(t, name))
	}
	return all.String()
}

func TestRotationHappensBeforeTheLimitIsReached(t *testing.T) {
	for _, tc := range []struct {
		first, second int
		want          []int64 // sizes of the current and of the old file
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
		for _, name := range append([]string{path}, OldFiles(path)...) {
			got = append(got, all[filepath.Base(name)])
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%d then %d bytes: got %v, want %v", tc.first, tc.second, got, tc.want)
		}
	}
}

func rotating(t *testing.T, path string, limit int64, backups int) *File {
	t.Helper()
	r, err := OpenFile(path, limit, backups)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// write writes one record of n bytes.
func write(t *testing.T, r *File, n int) {
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
	old := OldFiles(path)
	if len(old) != 1 || len(content(t, old[0])) != 60 || len(content(t, path)) != 60 {
		t.Errorf("got %v", sizes(t, filepath.Dir(path)))
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
	stamped := func(day int) string { return rotatedName(path, time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)) }
	foreign := []string{path + ".1", path + ".10", path + ".old", strings.TrimSuffix(path, ".log") + "-2-2026-01-01T00-00-00.000.log"}
	for _, name := range append(foreign, stamped(1), stamped(2), stamped(3), stamped(4)) {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, rotating(t, path, 100, 2), 10)
	want := []string{path + ".1", path + ".10", stamped(3), stamped(4)}
	eventually(t, "surplus files", func() bool { return slices.Equal(OldFiles(path), want) })
	if all := sizes(t, filepath.Dir(path)); len(all) != len(foreign)+3 {
		t.Errorf("left: %v", all)
	}
}

// As many rotations as there can be in a time lose no record and no file.
func TestRotationAThousandTimesAtOnce(t *testing.T) {
	const count = 1000
	path := filepath.Join(t.TempDir(), "x.log")
	r := rotating(t, path, 11, 2*count)
	var want strings.Builder
	for n := range count + 1 {
		record := fmt.Sprintf("line %04d\n", n)
		want.WriteString(record)
		if _, err := r.Write([]byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(OldFiles(path)); got != count {
		t.Errorf("%d old files, want %d", got, count)
	}
	if everything(t, path) != want.String() {
		t.Error("records are missing or in another order")
	}
}

func TestRotationTurnedOff(t *testing.T) {
	for _, tc := range []struct{ kilobytes, backups int }{{0, 3}, {17, 0}} {
		settings := documented()
		settings.MaxSize, settings.BackupCount = tc.kilobytes, tc.backups
		l, file, _ := openLog(t, settings)
		logger := l.Logger("a")
		for range 3 {
			logger.Info().Msg(strings.Repeat("x", 20_000))
		}
		if size := sizes(t, filepath.Dir(file))["x.log"]; size < 60_000 || len(OldFiles(file)) != 0 {
			t.Errorf("%+v: %d bytes, old files %v", tc, size, OldFiles(file))
		}
	}
}

func TestRotationMakesFilesForTheOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.WriteFile(path, make([]byte, 99), 0o644); err != nil { // of the reference server
		t.Fatal(err)
	}
	write(t, rotating(t, path, 100, 2), 10)
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != private.Mode || info.Size() != 10 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// The name of this file leaves no room for the time of its rotation: like a file that
// another program holds on Windows it cannot be moved.
func TestRotationOfAFileThatCannotBeMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 240)+".log")
	settings := documented()
	settings.MaxSize = 17
	l, err := Open(Options{Settings: settings, File: path})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	logger := l.Logger("a")
	for range 5 {
		logger.Info().Msg(strings.Repeat("x", 10_000))
	}
	got := content(t, path)
	if len(OldFiles(path)) != 0 || len(got) < 50_000 || strings.Count(got, "cannot be moved away") != 1 {
		t.Errorf("%d bytes, old files %v", len(got), OldFiles(path))
	}
}

func TestRotationByAnotherTool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	r := rotating(t, path, 100, 2)
	write(t, r, 20)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, r, 30)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	write(t, r, 40)
	write(t, r, 90)
	if err := os.Truncate(path, 0); err != nil { // of a file that lumberjack created
		t.Fatal(err)
	}
	write(t, r, 10)
	if got := []int{len(content(t, path+".1")), len(content(t, OldFiles(path)[1])), len(content(t, path))}; !slices.Equal(got, []int{20, 40, 10}) {
		t.Errorf("sizes %v", got)
	}
}

// The clock was set back by some hours: the old files keep their order and give way to
// newer ones.
func TestRotationAfterTheClockWasSetBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	for n := range 3 {
		at := time.Now().Add(time.Duration(n-1) * time.Hour)
		if err := os.WriteFile(rotatedName(path, at), fmt.Appendf(nil, "%d\n", n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := rotating(t, path, 3, 3)
	for n := 3; n < 6; n++ {
		if _, err := r.Write(fmt.Appendf(nil, "%d\n", n)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "surplus files", func() bool { return len(OldFiles(path)) == 3 })
	if got := everything(t, path); got != "2\n3\n4\n5\n" {
		t.Errorf("got %q", got)
	}
}

// TestOldFilesAreInTheOrderOfTheirNumbers, those of the reference before those of a rotation.
func TestOldFilesAreInTheOrderOfTheirNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	want := []string{
		path + ".1", path + ".2", path + ".9", path + ".10", path + ".11", path + ".100",
		rotatedName(path, time.Unix(1, 0)), rotatedName(path, time.Unix(2, 0)),
	}
	for _, name := range append([]string{path, path + ".x", path + ".1.gz"}, want...) {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := OldFiles(path); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
