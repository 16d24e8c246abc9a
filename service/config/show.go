package config

import (
	"net/netip"
	"slices"
	"time"

	"vserver/service/yaml"
)

// InEffect lists the settings under the keys of the file, with defaults and without
// secrets. A block that the file leaves out is nil.
func (c Config) InEffect() *yaml.Pairs {
	blocks := map[string]*yaml.Pairs{"": {}}
	for _, s := range Settings() {
		block, name := s.Block()
		within := blocks[block]
		if within == nil || s.at == nil || name == "" || s.Hidden {
			continue
		}
		var value any
		if p, isBlock := s.at(&c).(part); !isBlock {
			value = s.shown(&c)
		} else if p.there {
			blocks[s.Key] = &yaml.Pairs{}
			value = blocks[s.Key]
		}
		*within = append(*within, yaml.Pair{Key: name, Value: value})
	}
	return blocks[""]
}

// ValueIn is the value that is in effect, as a file would hold it and without secrets.
func (s Setting) ValueIn(c Config) any { return s.shown(&c) }

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

// Secrets lists every secret text in use, for the log to mask (/docs/security#u8):
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
				all = append(all, written, unescaped(written), optionText(written))
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}
