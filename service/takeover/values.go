package takeover

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vserver/queries"
)

// text reads what stands in a column of texts. SQLite takes anything there.
func (c *conversion) text(value any, column string, id int64) any {
	var s string
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		s = fmt.Sprint(v)
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		c.notes.add(kind{column + " with bytes that are no text", "the rest of it, with U+FFFD in their place"}, named(id, nil))
		c.leave(column, "bytes that are no text", map[string]any{"id": id, "value": value})
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	}
	return s
}

// number reads a number; anything else is none.
func (c *conversion) number(value any, column string, id int64) any {
	switch v := value.(type) {
	case nil:
		return nil
	case int64:
		return v
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return n
		}
	}
	c.notes.add(kind{column + " that is no number", "nothing; it stands in leftover"}, named(id, nil))
	c.leave(column, "no number", map[string]any{"id": id, "value": value})
	return nil
}

// reference reads the id of a row that has to be there.
func (c *conversion) reference(value any, there func(int64) bool, column string, id int64) any {
	n, ok := c.number(value, column, id).(int64)
	if !ok {
		return nil
	}
	if !there(n) {
		c.notes.add(kind{column + " of a row that is not there", "nothing"}, fmt.Sprintf("%d (was %d)", id, n))
		return nil
	}
	return n
}

// layouts are how times are written in SQLite.
var layouts = []string{"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02"}

// moment reads a time without zone, which is UTC or, where the old server wrote its own, that of zone.
func (c *conversion) moment(value any, zone *time.Location, column string, id int64) any {
	var at time.Time
	switch v := value.(type) {
	case nil:
		return nil
	case time.Time:
		at = time.Date(v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), zone)
	case string:
		for _, layout := range layouts {
			t, err := time.ParseInLocation(layout, v, zone)
			if err == nil {
				at = t
				break
			}
		}
	}
	if at.IsZero() || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
		c.notes.add(kind{column + " that is no time", "nothing; it stands in leftover"}, named(id, nil))
		c.leave(column, "no time", map[string]any{"id": id, "value": value})
		return nil
	}
	if zone != time.UTC {
		c.notes.add(kind{column + " in the local time of the old server", "UTC"}, named(id, nil))
	}
	return queries.At(at)
}

// leave keeps what no table can hold.
func (c *conversion) leave(origin, reason string, content map[string]any) {
	for key, v := range content {
		if b, ok := v.([]byte); ok {
			content[key] = "hex:" + hex.EncodeToString(b)
		}
	}
	text, err := json.Marshal(content)
	if err != nil {
		text = []byte(strconv.Quote(fmt.Sprint(content)))
	}
	c.left++
	c.put("leftover", c.left, origin, reason, string(text))
}

// leaveRow keeps a whole row.
func (c *conversion) leaveRow(table, reason string, columns []string, values []any) {
	content := map[string]any{}
	for i, name := range columns {
		content[name] = values[i]
	}
	who := ""
	for i := range min(2, len(columns)) {
		who += fmt.Sprintf(" %v", values[i])
	}
	c.notes.add(kind{"rows of " + table + ": " + reason, "they stand in leftover"}, strings.TrimSpace(who))
	c.leave(table, reason, content)
}
