package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"vserver/service/yaml"
)

// InEffect lists the settings under the keys of the file, with defaults and without
// secrets. A block that the file leaves out is nil.
func (c Config) InEffect() yaml.Pairs {
	pairs, _ := c.blockInEffect(Settings(), "")
	return pairs
}

// blockInEffect lists the rows of one block, and returns those behind it.
func (c *Config) blockInEffect(rows []Setting, within string) (pairs yaml.Pairs, rest []Setting) {
	for len(rows) > 0 {
		s := rows[0]
		block, name := s.Block()
		if block != within {
			break
		}
		rows = rows[1:]
		p, isBlock := s.field(c).(part)
		switch {
		case isBlock && p.there:
			var inner yaml.Pairs
			inner, rows = c.blockInEffect(rows, s.Key)
			pairs = append(pairs, yaml.Pair{Key: name, Value: inner})
		case isBlock:
			pairs = append(pairs, yaml.Pair{Key: name, Value: nil})
			for len(rows) > 0 && strings.HasPrefix(rows[0].Key, s.Key+".") {
				rows = rows[1:]
			}
		case s.at != nil && s.Key != "" && !s.Hidden:
			pairs = append(pairs, yaml.Pair{Key: name, Value: s.shown(c)})
		}
	}
	return pairs, rows
}

// shown is the value as a file would hold it.
func (s Setting) shown(c *Config) any {
	if s.show != nil {
		return s.show(c)
	}
	switch field := s.field(c).(type) {
	case *string:
		return *field
	case *bool:
		return *field
	case *int:
		return *field
	case *Secret:
		if s.URI {
			return maskURI(field.Reveal())
		}
		return field.String()
	case *time.Duration:
		return float64(*field) / float64(s.Unit)
	case *[]netip.Prefix:
		return append([]netip.Prefix{}, *field...)
	}
	return nil
}

// Secrets lists every secret text in use, for the log to mask (SECURITY U8):
// passwords within URIs both as written and decoded. Empty ones are left out.
func (c Config) Secrets() []string {
	var all []string
	absent := map[string]bool{}
	for _, s := range Settings() {
		block, _ := s.Block()
		if absent[block] {
			continue
		}
		switch field := s.field(&c).(type) {
		case part:
			absent[s.Key] = !field.there && !field.filled
		case *Secret:
			if !s.URI {
				all = append(all, field.Reveal())
				continue
			}
			for _, written := range passwordsIn(field.Reveal()) {
				all = append(all, written, unescaped(written))
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}
