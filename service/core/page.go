package core

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Page is the part of a list that is asked for. Number 0 means everything on one
// page (/docs/wire#paging).
type Page struct {
	Number, Size int64
}

func (p Page) limit() int64 {
	if p.Number == 0 {
		return math.MaxInt64
	}
	return p.Size
}

func (p Page) offset() int64 {
	if p.Number == 0 || p.Number-1 > math.MaxInt64/p.Size {
		if p.Number == 0 {
			return 0
		}
		return math.MaxInt64
	}
	return (p.Number - 1) * p.Size
}

// pageOf reads the page of a list, and the number of rows on all pages: it is counted
// in the database only when the page does not show all of them.
func pageOf[R, A any](ctx context.Context, c *Core, p Page, list string, arg A, read func(context.Context, A) ([]R, error)) ([]R, int64, error) {
	rows, err := read(ctx, arg)
	if err != nil {
		return nil, 0, err
	}
	total := int64(len(rows))
	if p.Number > 1 || p.Number == 1 && total == p.Size {
		total, err = c.db.Count(ctx, list, arg)
	}
	return rows, total, err
}

// idSet returns ids in the form that queries take a list in: a JSON object with the
// ids as keys.
func idSet(ids []int64) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strconv.FormatInt(id, 10) + `":0`)
	}
	b.WriteByte('}')
	return b.String()
}

// wordSet is idSet for words of the program's own.
func wordSet(words []string) string { return `{"` + strings.Join(words, `":0,"`) + `":0}` }

// ownedID is a row that names a related row of an owner.
type ownedID = struct{ OwnerID, ID int64 }

// byOwner sorts related ids to their owners, in the order of the rows.
func byOwner[R ~struct{ OwnerID, ID int64 }](rows []R, err error) (map[int64][]int64, error) {
	if err != nil {
		return nil, err
	}
	m := map[int64][]int64{}
	for _, r := range rows {
		p := ownedID(r)
		m[p.OwnerID] = append(m[p.OwnerID], p.ID)
	}
	return m, nil
}

// parseIDs reads a list of ids that a query joined with commas, and sorts it.
func parseIDs(ids string) ([]int64, error) {
	if ids == "" {
		return nil, nil
	}
	list := make([]int64, 0, 1+strings.Count(ids, ","))
	for s := range strings.SplitSeq(ids, ",") {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reading a list of ids: %w", err)
		}
		list = append(list, id)
	}
	slices.Sort(list)
	return list, nil
}

// parseLists is parseIDs for several lists.
func parseLists(lists map[*[]int64]string) error {
	for into, ids := range lists {
		var err error
		if *into, err = parseIDs(ids); err != nil {
			return err
		}
	}
	return nil
}

// like prepares a pattern of the wire for LIKE: a backslash at its end stands for
// itself, because Postgres refuses it (/docs/wire#filters).
func like(pattern *string) *string {
	if pattern == nil {
		return nil
	}
	trailing := len(*pattern) - len(strings.TrimRight(*pattern, `\`))
	if trailing%2 == 0 {
		return pattern
	}
	p := *pattern + `\`
	return &p
}

// matching returns the words that a pattern of the wire fits, as LIKE finds them (/docs/wire#filters).
func matching(pattern string, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !fits(pattern, word) })
}

// fits reports whether a pattern fits a word of small ASCII letters.
func fits(pattern, word string) bool {
	if pattern == "" {
		return word == ""
	}
	c, size := utf8.DecodeRuneInString(pattern)
	rest := pattern[size:]
	switch {
	case c == '%':
		rest = strings.TrimLeft(rest, "%") // or many would be tried in as many ways
		return fits(rest, word) || word != "" && fits("%"+rest, word[1:])
	case word == "":
		return false
	case c == '_':
		return fits(rest, word[1:])
	case c == '\\' && rest != "":
		c, size = utf8.DecodeRuneInString(rest)
		rest = rest[size:]
	}
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c == rune(word[0]) && fits(rest, word[1:])
}

// ascending turns ids that were read newest first.
func ascending(ids []int64) []int64 {
	slices.Reverse(ids)
	return ids
}

// firstError returns the first error.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
