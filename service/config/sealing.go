package config

import (
	"fmt"
	"path/filepath"
	"slices"

	"vserver/service/yaml"
)

// sealingSettings say which key seals what must not be read in the database
// (/docs/configuration#secret-key).
func sealingSettings() []Setting {
	return []Setting{
		{
			Key: "secret_key", Variable: "VSERVER_SECRET_KEY", Sample: sampleKeys[0],
			Help: `Seals the second factors of users in the database: at least 32 random bytes, for
example from
  openssl rand -hex 32
Keep a copy apart from the backups of the database: without this key every user has to set
up the second factor anew. On SQLite a server without it makes secret.key beside the
database; on PostgreSQL two_factor_auth needs it, the same for all servers. The variables
VSERVER_SECRET_KEY or VSERVER_SECRET_KEY_FILE come before it.`,
			at: func(c *Config) any { return &c.SecretKey }, check: sealingKey, then: noSample,
		},
		{
			Key: "secret_key_file", Sample: "secret.key",
			Help: "A file that holds secret_key; a relative path starts at this file.",
			at:   func(c *Config) any { return &c.SecretKeyFile }, check: beside, then: oneSealingKey,
		},
	}
}

func sealingKey(_, value string) (taken, must string) {
	if err := CheckSealingKey([]byte(value)); err != nil && value != "" && !slices.Contains(sampleKeys, value) {
		return value, err.Error()
	}
	return value, ""
}

// noSample warns of a key that seals nothing; a start that would use it refuses it.
func noSample(b *yaml.Block, name string, c *Config) {
	if slices.Contains(sampleKeys, c.SecretKey.Reveal()) {
		b.Note(name, "is a published sample: no second factor is sealed with it; replace it")
	}
}

// CheckSealingKey refuses a key that others know or can guess.
func CheckSealingKey(key []byte) error {
	switch {
	case slices.Contains(sampleKeys, string(key)):
		return fmt.Errorf("is a published sample, which everybody knows: take at least %d random bytes", shortestKey)
	case len(key) < shortestKey:
		return fmt.Errorf("has %d bytes: take at least %d random ones", len(key), shortestKey)
	}
	return nil
}

func oneSealingKey(b *yaml.Block, name string, c *Config) {
	if c.SecretKey != "" && c.SecretKeyFile != "" {
		b.Note(name, "has no effect beside secret_key: keep one of them")
	}
}

// standardKeyFile is the name of the key that a server on SQLite makes for itself.
const standardKeyFile = "secret.key"

// KeyFile is the path of the file with the key that seals second factors, whether or not it is
// there, and whether the server makes it. It is empty where no file has it: the configuration
// or the process's environment gives it, or, on PostgreSQL, nobody does.
func (i Instance) KeyFile() (path string, own bool) {
	switch {
	case i.Config.SecretKey != "":
		return "", false
	case i.Config.SecretKeyFile != "":
		return i.Config.SecretKeyFile, false
	case i.Database.Engine == SQLite:
		return filepath.Join(filepath.Dir(i.Database.Path), standardKeyFile), true
	}
	return "", false
}
