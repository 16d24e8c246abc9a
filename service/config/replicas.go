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
			Key: "uri_listen", URI: true, Sample: "postgresql://USER:PASSWORD@HOST:5432/NAME",
			Help: "Where uri leads to a pooler of PostgreSQL connections: the same database past it,\nfor what servers tell each other and for changes of the schema.",
			at:   func(c *Config) any { return &c.URIListen }, check: listenURI,
		},
		{
			Key: "pooler", Sample: PoolerTransaction, check: poolerWord,
			Help: "What lies between this server and PostgreSQL: session or transaction, as the pooler\nis set. Without it a pooler is noticed, and treated as one by transaction.",
			at:   func(c *Config) any { return &c.Pooler },
		},
		{
			Key: "sync", Default: SyncAny, check: syncWord,
			Help: "With required a start refuses a PostgreSQL without a synchronous standby: what was\nacknowledged is then there too when its primary is lost. any starts with every one.",
			at:   func(c *Config) any { return &c.Sync }, then: onlyOnPostgres,
		},
	}
}

func listenURI(_, value string) (taken, must string) {
	d, err := (Locations{}).Database(Secret(value), "")
	switch {
	case value == "":
		return value, ""
	case err != nil:
		return value, err.Error()
	case d.Engine != Postgres:
		return value, "must lead to PostgreSQL"
	}
	return value, ""
}

func onSQLite(c *Config) bool {
	return strings.HasPrefix(strings.ToLower(c.URI.Reveal()), "sqlite")
}

// The modes of poolers (/docs/operating#pooler).
const (
	PoolerSession     = "session"
	PoolerTransaction = "transaction"
)

func poolerWord(_, word string) (taken, must string) {
	switch taken = strings.ToLower(word); taken {
	case "", PoolerSession, PoolerTransaction:
		return taken, ""
	}
	return "", "must be session or transaction"
}

func syncWord(_, word string) (taken, must string) {
	switch taken = strings.ToLower(word); taken {
	case SyncAny, SyncRequired:
		return taken, ""
	}
	return "", "must be any or required"
}

func onlyOnPostgres(b *yaml.Block, name string, c *Config) {
	if c.Sync == SyncRequired && onSQLite(c) {
		b.Note(name, "has no effect with SQLite, which has no standby")
	}
}
