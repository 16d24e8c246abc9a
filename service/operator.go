package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"vserver/handlers"
	"vserver/queries"
	"vserver/service/config"
	"vserver/service/fault"
	"vserver/service/log"
	"vserver/service/private"
)

// Upkeep is what a running server can have done to its instance, by those who know how.
type Upkeep struct {
	Examine func(ctx context.Context, inst config.Instance) []handlers.ServerFinding
	// Backup copies the database of the instance into a folder and returns the file.
	Backup func(ctx context.Context, inst config.Instance, folder string) (file string, err error)
}

// operator is what the program does over the API for who holds every rule.
func operator(inst config.Instance, opened *Opened, logs *log.Log, u Upkeep) *handlers.Operator {
	started := time.Now()
	if err := sweepCopies(inst); err != nil {
		logger := logs.Logger("server")
		logger.Warn().Err(err).Msg("A backup that was not downloaded could not be removed")
	}
	version, commit := Version()
	o := &handlers.Operator{
		State: func(ctx context.Context) (handlers.ServerState, error) {
			size, err := opened.DB.Size(ctx, Source(inst))
			return handlers.ServerState{
				Name: inst.Name, Environment: inst.Config.Environment, Version: version, Commit: commit, Started: started,
				Engine: string(inst.Database.Engine), Database: inst.Database.String(), Size: size,
				Schema: queries.KnownSchema(opened.DB.Engine), ConfigFile: inst.File, LogFile: inst.LogFile,
				Mail: inst.Config.SMTP.Configured, VPN: inst.Config.VPN != nil, SecondFactor: inst.Config.TwoFactorAuth,
				Settings: limiting(inst.Config),
			}, err
		},
		Warnings: func() []handlers.ServerWarning {
			var list []handlers.ServerWarning
			for _, w := range logs.Recent() {
				list = append(list, handlers.ServerWarning(w))
			}
			return list
		},
		LogTail: func(most int) ([]string, error) { return log.Tail(inst.LogFile, most) },
	}
	if u.Examine != nil {
		o.Examine = func(ctx context.Context) []handlers.ServerFinding { return u.Examine(ctx, inst) }
	}
	if u.Backup != nil {
		o.Backup = func(ctx context.Context) (handlers.ServerBackup, error) { return u.download(ctx, inst) }
	}
	return o
}

// limiting lists the settings that limit what somebody may have, as they are in effect.
func limiting(c config.Config) []handlers.ServerSetting {
	var list []handlers.ServerSetting
	for _, s := range config.Settings() {
		block, name := s.Block()
		if (block == "limits" || block == "password_policy") && name != "" && !s.Hidden {
			list = append(list, handlers.ServerSetting{Key: s.Key, Value: fmt.Sprint(s.ValueIn(c))})
		}
	}
	return list
}

// copyPrefix begins the name of a folder in which a backup waits to be downloaded.
const copyPrefix = ".download-"

// download makes a backup in a folder of its own beside the data, which goes with the Close.
func (u Upkeep) download(ctx context.Context, inst config.Instance) (handlers.ServerBackup, error) {
	if err := private.MakeFolder(inst.DataDir, 0o750); err != nil {
		return handlers.ServerBackup{}, fmt.Errorf("making the data folder: %w", err)
	}
	folder, err := os.MkdirTemp(inst.DataDir, copyPrefix)
	if err != nil {
		return handlers.ServerBackup{}, fmt.Errorf("making a folder for a backup: %w", err)
	}
	made, err := u.opened(ctx, inst, folder)
	if err != nil {
		return handlers.ServerBackup{}, errors.Join(err, os.RemoveAll(folder))
	}
	return made, nil
}

func (u Upkeep) opened(ctx context.Context, inst config.Instance, folder string) (handlers.ServerBackup, error) {
	name, err := u.Backup(ctx, inst, folder)
	if errors.Is(err, exec.ErrNotFound) {
		return handlers.ServerBackup{}, fault.Wrap(fault.Unsupported, err,
			"pg_dump is not installed where the server runs: install the client programs of Postgres there, or run pg_dump --format=custom beside the database")
	}
	if err != nil {
		return handlers.ServerBackup{}, err
	}
	file, err := os.Open(name)
	if err != nil {
		return handlers.ServerBackup{}, fmt.Errorf("opening a backup: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return handlers.ServerBackup{}, errors.Join(fmt.Errorf("looking at a backup: %w", err), file.Close())
	}
	return handlers.ServerBackup{ReadCloser: vanishing{file, folder}, Name: filepath.Base(name), Size: info.Size()}, nil
}

// vanishing is a file that goes, with its folder, when it is closed.
type vanishing struct {
	*os.File
	folder string
}

// Close removes the folder as well.
func (v vanishing) Close() error { return errors.Join(v.File.Close(), os.RemoveAll(v.folder)) }

// sweepCopies removes backups that a server before this one could not.
func sweepCopies(inst config.Instance) error {
	entries, err := os.ReadDir(inst.DataDir)
	if err != nil {
		return nil //nolint:nilerr // there is no folder yet
	}
	var errs []error
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), copyPrefix) {
			errs = append(errs, os.RemoveAll(filepath.Join(inst.DataDir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
