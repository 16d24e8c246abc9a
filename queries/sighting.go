package queries

import (
	"context"
	"io/fs"
	"os"
)

// Sighting is what an SQLite file was identified as, to be believed as long as the file and its logs are those
// that were there then: whoever writes to a database, or puts another one in its place, changes one of them.
type Sighting struct {
	is    Identity
	files []fs.FileInfo
}

// See is Identify, whose answer Source.Seen hands on to whoever asks again; nil where nothing tells whether it
// still holds. Of an SQLite file that bears the label of this program it does not find the version.
func See(ctx context.Context, src Source) (Identity, *Sighting, error) {
	if src.Engine == Postgres || src.VFS != "" {
		id, err := Identify(ctx, src)
		return id, nil, err
	}
	before := changeable(src.Path)
	if labelled(src.Path) {
		id := Identity{Kind: KindOurs, Exists: true}
		return id, &Sighting{id, before}, nil
	}
	id, err := Identify(ctx, src)
	if err != nil || id.Kind != KindOurs {
		return id, nil, err
	}
	return id, &Sighting{id, before}, nil
}

// holds reports whether the files at a path are as they were.
func (s *Sighting) holds(path string) bool {
	if s == nil {
		return false
	}
	for i, now := range changeable(path) {
		was := s.files[i]
		if (was == nil) != (now == nil) {
			return false
		}
		if now != nil && (!os.SameFile(was, now) || was.Size() != now.Size() || !was.ModTime().Equal(now.ModTime())) {
			return false
		}
	}
	return true
}

// changeable are the files that a change of a database is written to, nil for one that cannot be seen.
func changeable(path string) []fs.FileInfo {
	files := make([]fs.FileInfo, 3)
	for i, suffix := range []string{"", walSuffix, journalSuffix} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			continue
		}
		os.SameFile(info, info) // has Windows look at the file now
		files[i] = info
	}
	return files
}
