package queries

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// timeLayout has a fixed width, so that SQLite's texts sort by time, and keeps
// microseconds, as Postgres does.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// Time is a moment in UTC with microseconds, the one form that both engines store.
type Time struct{ time.Time }

// At makes a Time of t.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Microsecond)} }

// Now is the current moment.
func Now() Time { return At(time.Now()) }

// Value returns what is sent to the driver.
func (t Time) Value() (driver.Value, error) { return t.UTC().Format(timeLayout), nil }

// Scan reads what a driver gives: a time from Postgres, a text from SQLite.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		t.Time = v.UTC()
	case string:
		p, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return fmt.Errorf("reading a stored time: %w", err)
		}
		t.Time = p.UTC()
	case []byte:
		return t.Scan(string(v))
	default:
		return fmt.Errorf("reading a stored time: unexpected %T", src)
	}
	return nil
}
