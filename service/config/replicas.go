package config

import (
	"strings"

	"vserver/service/yaml"
)

// What a start wants of PostgreSQL's standbys (/docs/reliability#failover).
const (
	SyncAny      = "any"
	SyncRequired = "required"
)

// postgresSettings are about the ways to PostgreSQL.
func postgresSettings() []Setting {
	return []Setting{
		{
			Key: "sync", Default: SyncAny, check: syncWord,
			Help: "With required a start refuses a PostgreSQL without a synchronous standby: what was\nacknowledged is then there too when its primary is lost. any starts with every one.",
			at:   func(c *Config) any { return &c.Sync }, then: onlyOnPostgres,
		},
	}
}

func syncWord(_, word string) (taken, must string) {
	switch taken = strings.ToLower(word); taken {
	case SyncAny, SyncRequired:
		return taken, ""
	}
	return "", "must be any or required"
}

func onlyOnPostgres(b *yaml.Block, name string, c *Config) {
	if c.Sync == SyncRequired && strings.HasPrefix(strings.ToLower(c.URI.Reveal()), "sqlite") {
		b.Note(name, "has no effect with SQLite, which has no standby")
	}
}
