package service

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/private"
)

// KeyOf is the key that seals second factors (/docs/configuration#secret-key). On SQLite it is
// made when it is needed first and nobody gave one.
func KeyOf(inst config.Instance) core.Key {
	path, own := inst.KeyFile()
	switch {
	case path == "" && inst.Config.SecretKey == "":
		return core.Key{}
	case path == "":
		return core.Key{Name: "secret_key", Read: func(bool) ([]byte, error) { return givenKey(inst.Config) }}
	}
	return core.Key{Name: path, Read: func(first bool) ([]byte, error) {
		key, err := readKey(path)
		if own && first && errors.Is(err, fs.ErrNotExist) {
			if err = makeKey(path); err == nil {
				key, err = readKey(path)
			}
		}
		return key, err
	}}
}

// givenKey is the key of the configuration itself.
func givenKey(c config.Config) ([]byte, error) {
	key := []byte(c.SecretKey.Reveal())
	if err := config.CheckSealingKey(key); err != nil {
		return nil, fmt.Errorf("secret_key %w", err)
	}
	return key, nil
}

// readKey reads a key from a file, without the end of its line.
func readKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		if why := private.Unreadable(path); why != nil {
			err = fmt.Errorf("%w: %w", err, why)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of the second factors: %w", err)
	}
	key := bytes.TrimRight(text, "\r\n")
	if err := config.CheckSealingKey(key); err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return key, nil
}

// makeKey writes a new key to a file, unless somebody else has made one meanwhile. The file
// is there as a whole or not at all.
func makeKey(path string) error {
	if err := placeKey(path); err != nil {
		return fmt.Errorf("making the key of the second factors: %w", err)
	}
	return nil
}

func placeKey(path string) error {
	f, err := private.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, private.HandOver(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	err = os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(f.Name(), path) // where files have one name only
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// keyRefused says which setting a start with a second factor refuses because of the key, and
// why; nil when none.
func keyRefused(inst config.Instance) (setting string, why error) {
	path, own := inst.KeyFile()
	switch {
	case path == "" && inst.Config.SecretKey == "":
		return "two_factor_auth", errors.New("needs secret_key with PostgreSQL: " + secretKeyHint)
	case path == "":
		return "secret_key", config.CheckSealingKey([]byte(inst.Config.SecretKey.Reveal()))
	case !own:
		_, err := readKey(path)
		return "secret_key_file", err
	}
	return "", nil
}

const secretKeyHint = "set it to at least 32 random bytes, such as those of `openssl rand -hex 32`, the same for all servers of the database"
