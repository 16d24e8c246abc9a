package queries

import (
	"io/fs"
	"strings"

	"vserver/schema"
)

const (
	// withReplicas is the first version of the schema that knows which servers work on it.
	withReplicas = 15
	// expandMark is the line of a migration that servers of the release before may go on beside.
	expandMark = "-- expand-only"
)

// expandOnly reports whether all migrations behind a version only add what servers of older releases do not look
// at, so that these may go on working.
func expandOnly(has int64) bool {
	for _, m := range migrationsOfPostgres() {
		if m.version > has && !m.expands {
			return false
		}
	}
	return true
}

// migration is what a file of a migration says of itself.
type migration struct {
	version int64
	text    string
	expands bool
}

func migrationsOfPostgres() []migration {
	files, err := fs.Glob(schema.Postgres, "postgres/*.sql")
	if err != nil {
		panic(err) // the pattern is sound
	}
	var list []migration
	for _, name := range files {
		text, err := fs.ReadFile(schema.Postgres, name)
		if err != nil {
			panic(err) // it is embedded
		}
		m := migration{text: string(text)}
		for _, digit := range strings.TrimPrefix(name, "postgres/")[:5] {
			m.version = 10*m.version + int64(digit-'0')
		}
		for line := range strings.Lines(m.text) {
			m.expands = m.expands || strings.TrimSpace(line) == expandMark
		}
		list = append(list, m)
	}
	return list
}
