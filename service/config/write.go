package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"vserver/service/private"
	"vserver/service/yaml"
)

// ErrExists is returned when the file already has a usable block of that name.
var ErrExists = errors.New("this environment exists already")

// Modes of a new file, which holds secrets, and of the directories above it.
const (
	fileMode = 0o600
	dirMode  = 0o755
)

// WriteFile adds an environment to the file at path, which is made when missing, with
// its directories. The file then has application and all four environments, empty
// ones as {}, with sorted keys in block style (/docs/commands#new). Comments and other
// top-level keys of an existing file are lost; every block stays, also one that lacks
// keys. Nothing is written when the block or the existing file has faults.
//
// The new text replaces the old in one step, so that a crash leaves one or the other.
func WriteFile(path, environment string, block map[string]any) error {
	if err := CheckEnvironment(environment); err != nil {
		return err
	}
	file, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = emptyFile(path), nil
	}
	if err != nil {
		return err
	}
	if err := file.refused(); err != nil {
		return err
	}
	if slices.Contains(file.Environments(), environment) {
		return fmt.Errorf("writing %s: %s: %w", path, environment, ErrExists)
	}
	file.blocks[environment] = yaml.Of(block)
	text, err := file.text()
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := loadable(path, environment, text); err != nil {
		return err
	}
	return replace(path, text)
}

// loadable reads the text as a later start will.
func loadable(path, environment string, text []byte) error {
	file, err := Parse(path, text)
	if err != nil {
		return err
	}
	_, _, err = file.Load(environment, bare)
	return err
}

// text renders the whole file.
func (f *File) text() ([]byte, error) {
	large := false
	block := func(name string) yaml.Pair {
		v, there := f.blocks[name]
		if !there {
			return yaml.Pair{Key: name, Value: yaml.Pairs{}}
		}
		tidy, ok := v.Tidy()
		large = large || !ok
		return yaml.Pair{Key: name, Value: tidy}
	}
	var environments yaml.Pairs
	for _, name := range slices.Sorted(slices.Values(EnvironmentNames[:4])) {
		environments = append(environments, block(name))
	}
	top := yaml.Pairs{block(application), {Key: "environments", Value: environments}}
	if large {
		return nil, errors.New("the aliases of this file unfold to more than a configuration can hold")
	}
	return yaml.Encode(top)
}

// replace writes text beside path and renames it over, keeping mode and owner of a
// file that is there.
func replace(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := private.MakeFolder(dir, dirMode); err != nil {
		return fmt.Errorf("making the directory of the configuration: %w", err)
	}
	temporary, err := private.Successor(path, "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing configuration: %w", err)
	}
	err = fill(temporary, text, path)
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the first error is the one to tell
		return fmt.Errorf("writing configuration: %w", err)
	}
	return nil
}

// fill writes, syncs and closes the temporary file.
func fill(f *os.File, text []byte, like string) error {
	mode := fs.FileMode(fileMode)
	if old, err := os.Stat(like); err == nil {
		mode = old.Mode().Perm()
		keepOwner(f, old)
	} else if err := private.HandOver(f); err != nil {
		return errors.Join(err, f.Close())
	}
	_, err := f.Write(text)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}
