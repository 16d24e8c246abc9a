package log

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rotationLayout is how lumberjack writes the time of a rotation, in UTC, into the name of
// the file that is moved away: x.log becomes x-2026-11-23T07-49-01.096.log.
const rotationLayout = "2006-01-02T15-04-05.000"

// rotatedName is the name that lumberjack chooses for a file moved away at a time.
func rotatedName(path string, at time.Time) string {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext) + "-" + at.UTC().Format(rotationLayout) + ext
}

// rotationTime returns the time in a name that lumberjack chose for a file of the log at path.
func rotationTime(path, name string) (time.Time, bool) {
	ext := filepath.Ext(path)
	text, ours := strings.CutPrefix(name, strings.TrimSuffix(filepath.Base(path), ext)+"-")
	text, whole := strings.CutSuffix(text, ext)
	at, err := time.Parse(rotationLayout, text)
	return at, ours && whole && err == nil
}

// rotated returns the paths of the files that lumberjack moved away, oldest first.
func rotated(path string) []string {
	return beside(path, func(name string) bool {
		_, ours := rotationTime(path, name)
		return ours
	})
}

// OldFiles returns the paths of the old files of the log at path: those moved away by a
// rotation, oldest first, before them the files x.log.1, x.log.2 and so on, by number, that
// the reference server leaves behind, which stay as they are.
func OldFiles(path string) []string {
	number := func(name string) (uint64, bool) {
		text, ours := strings.CutPrefix(filepath.Base(name), filepath.Base(path)+".")
		n, err := strconv.ParseUint(text, 10, 32)
		return n, ours && err == nil
	}
	numbered := beside(path, func(name string) bool {
		_, ours := number(name)
		return ours
	})
	slices.SortFunc(numbered, func(a, b string) int {
		m, _ := number(a)
		n, _ := number(b)
		return cmp.Compare(m, n)
	})
	return append(numbered, rotated(path)...)
}

// beside returns the paths of files in the log's folder by their names, in the order of
// these; none when the folder cannot be read.
func beside(path string, is func(name string) bool) []string {
	dir := filepath.Dir(path)
	entries, _ := os.ReadDir(dir)
	var found []string
	for _, e := range entries {
		if e.Type() != fs.ModeDir && is(e.Name()) {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found
}
