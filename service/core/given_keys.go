package core

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"golang.org/x/crypto/bcrypt"

	"vserver/queries"
	"vserver/service/fault"
)

// GivenKey is an API key of a node that somebody has in a file.
type GivenKey struct {
	Key   string
	Place string   // file and line, for messages
	Hints []string // names beside it, of the node, its organization or collaboration
}

// ConvertedKeys is what became of given keys.
type ConvertedKeys struct {
	Converted int   `json:"converted"`
	Known     int   `json:"known"` // were known before
	Left      int64 `json:"left"`  // nodes whose key was not given
	// Unknown are the places of keys that no node has.
	Unknown []string `json:"unknown"`
}

// ConvertGivenKeys finds the nodes of keys among those that a 3.x server has left, so that nobody has to
// wait at the first log-in. It is for those who hold the database itself.
func (c *Core) ConvertGivenKeys(ctx context.Context, given []GivenKey, told func(done, total int)) (ConvertedKeys, error) {
	report := ConvertedKeys{Unknown: []string{}}
	rest := given
	for _, everywhere := range []bool{false, true} { // first where the names say to look
		var missed []GivenKey
		for i, k := range rest {
			told(len(given)-len(rest)+i-len(missed), len(given))
			done, err := c.convertGiven(ctx, k, everywhere, &report)
			if err != nil {
				return report, err
			}
			if !done {
				missed = append(missed, k)
			}
		}
		rest = missed
	}
	told(len(given), len(given))
	for _, k := range rest {
		report.Unknown = append(report.Unknown, k.Place)
	}
	err := c.countOldKeys(ctx)
	report.Left = c.oldKeys.left.Load()
	return report, err
}

// convertGiven finds the node of one key, of those that it is likely to be of or of all.
func (c *Core) convertGiven(ctx context.Context, k GivenKey, everywhere bool, report *ConvertedKeys) (done bool, err error) {
	digest := c.DigestAPIKey(k.Key)
	_, err = c.db.NodeByAPIKey(ctx, &digest)
	if err == nil {
		report.Known++
		return true, nil
	}
	if !queries.Missing(err) {
		return false, fmt.Errorf("looking up an API key: %w", err)
	}
	rows, err := c.db.OldKeys(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the API keys of a 3.x server: %w", err)
	}
	slices.SortStableFunc(rows, func(a, b queries.OldKeysRow) int { return k.fits(b) - k.fits(a) })
	if !everywhere {
		rows = slices.DeleteFunc(rows, func(r queries.OldKeysRow) bool { return k.fits(r) == 0 })
	}
	node, err := firstMatch(ctx, rows, k.Key)
	if node == 0 || err != nil {
		return false, errors.Join(err, ctx.Err())
	}
	report.Converted++
	return true, c.convertOldKey(ctx, node, digest)
}

// fits counts the names beside a key that are those of a node.
func (k GivenKey) fits(row queries.OldKeysRow) (n int) {
	for _, name := range []*string{row.Name, row.Organization, row.Collaboration} {
		its := plainName(value(name))
		if slices.ContainsFunc(k.Hints, func(hint string) bool {
			h := plainName(hint)
			return h != "" && its != "" && (h == its || len(h) > 2 && strings.Contains(its, h) || len(its) > 2 && strings.Contains(h, its))
		}) {
			n++
		}
	}
	return n
}

// plainName leaves letters and digits.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// firstMatch compares a key with hashes on all cores, and returns the node of the one that it is of.
func firstMatch(ctx context.Context, rows []queries.OldKeysRow, key string) (int64, error) {
	var next, found atomic.Int64
	compare := func() error {
		for found.Load() == 0 && ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(rows) {
				return nil
			}
			if bcrypt.CompareHashAndPassword([]byte(rows[i].Hash), cut(key)) == nil {
				found.Store(rows[i].NodeID)
			}
		}
		return nil
	}
	errs := make([]error, min(runtime.GOMAXPROCS(0), len(rows)))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = fault.Caught(compare) })
	}
	all.Wait()
	return found.Load(), errors.Join(errs...)
}

// KeySearchTime is how long it takes here until the keys of so many nodes were looked for, when all of them
// log in and none was given before.
func KeySearchTime(nodes int64) time.Duration {
	const hash = "$2b$12$RuSFJwYynb7pgw2ZxeLIXe6tF9ASSnF9gzWpY4qXWNMV5nYdUUlOC"
	began := time.Now()
	_ = bcrypt.CompareHashAndPassword([]byte(hash), []byte("measured")) // it never matches
	return time.Since(began) * time.Duration(nodes*(nodes+1)/4+1)
}
