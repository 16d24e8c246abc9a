package upkeep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/private"
)

// folderMode is that of folders which are made for data.
const folderMode = 0o750

// Copied is a backup that was made and proven.
type Copied struct {
	File    string `json:"file"`           // absolute or as given
	Size    int64  `json:"size"`           // bytes
	Version int64  `json:"schema_version"` // of the copy
	Key     string `json:"key,omitempty"`  // of second factors, where it is: not in the copy
}

// BackupOptions are what a backup decides beside its place.
type BackupOptions struct {
	Show    func(command string)    // is told the commands that run for Postgres; may be nil
	Replace func(file string) error // agrees to replace an older backup
}

// previousSuffix is added to the name of a backup that was replaced.
const previousSuffix = ".previous"

// Backup copies an instance's database, whether or not a server runs on it, to a
// file, or below a folder to one that is named after the instance and the moment. An
// older backup in that file is kept beside it.
func Backup(ctx context.Context, inst config.Instance, to string, now time.Time, o BackupOptions) (made Copied, err error) {
	if err := service.RefuseForeign(ctx, inst); err != nil {
		return Copied{}, err
	}
	to, replaces, err := backupFile(ctx, inst, to, now)
	if err != nil {
		return Copied{}, err
	}
	if replaces {
		if err := o.Replace(to); err != nil {
			return Copied{}, err
		}
		if err := os.Rename(to, to+previousSuffix); err != nil {
			return Copied{}, fmt.Errorf("keeping the older backup: %w", err)
		}
		defer func() {
			if made.File == "" { // also after a panic
				err = errors.Join(err, os.Rename(to+previousSuffix, to))
			}
		}()
	}
	var version int64
	if inst.Database.Engine == config.Postgres {
		version, err = queries.BackupPostgres(ctx, inst.Database.DSN.Reveal(), to, o.Show)
	} else {
		version, err = queries.BackupSQLite(ctx, inst.Database.Path, to)
	}
	if err != nil {
		return Copied{}, err
	}
	info, err := os.Stat(to)
	if err != nil {
		return Copied{}, fmt.Errorf("looking at the backup: %w", err)
	}
	return Copied{to, info.Size(), version, keyPlace(inst)}, nil
}

// KeepData copies an instance's database before all its data is removed: beside an SQLite
// database, for Postgres into the data folder. The file is empty when there is no
// database yet.
func KeepData(ctx context.Context, inst config.Instance, now time.Time, show func(command string)) (file string, err error) {
	file = fmt.Sprintf("%s.before-drop-%s", inst.Database.Path, moment(now))
	if inst.Database.Engine == config.Postgres {
		file = filepath.Join(inst.DataDir, fmt.Sprintf("%s.before-drop-%s.dump", inst.Name, moment(now)))
		if err := private.MakeFolder(inst.DataDir, folderMode); err != nil {
			return "", fmt.Errorf("making the data folder: %w", err)
		}
	} else if _, err := os.Stat(inst.Database.Path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	_, err = Backup(ctx, inst, file, now, BackupOptions{Show: show})
	return file, err
}

// backupFile chooses where a backup goes, and refuses to replace what is no backup. It
// reports whether an older backup is there.
func backupFile(ctx context.Context, inst config.Instance, to string, now time.Time) (file string, replaces bool, err error) {
	info, err := os.Stat(to)
	switch {
	case err == nil && info.IsDir():
		return filepath.Join(to, dated(inst, now)), false, nil
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(to, string(filepath.Separator)):
		return "", false, fmt.Errorf("the folder %s does not exist", to)
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(to)); errors.Is(err, fs.ErrNotExist) {
			return "", false, fmt.Errorf("the folder %s does not exist", filepath.Dir(to))
		}
		return to, false, nil
	case err != nil:
		return "", false, fmt.Errorf("looking at the place of the backup: %w", err)
	}
	own, err := os.Stat(inst.Database.Path)
	if err == nil && (os.SameFile(own, info) || sameName(to, inst.Database.Path)) {
		return "", false, fmt.Errorf("%s is the database itself", to)
	}
	if !looksLikeBackup(ctx, to) {
		return "", false, fmt.Errorf("%s exists and is no backup: it is not replaced", to)
	}
	return to, info.Size() > 0, nil
}

// sameName reports whether two names lead to one file. Windows may not say so of a file that is in use.
func sameName(a, b string) bool {
	a, errA := filepath.Abs(config.RealPath(a))
	b, errB := filepath.Abs(config.RealPath(b))
	return errA == nil && errB == nil && a == b
}

// dated names a backup.
func dated(inst config.Instance, now time.Time) string {
	return fmt.Sprintf("%s-%s-%s%s", inst.Name, inst.Config.Environment, moment(now), backupSuffix(inst))
}

func moment(now time.Time) string { return now.UTC().Format("20060102T150405.000Z") }

func backupSuffix(inst config.Instance) string {
	if inst.Database.Engine == config.Postgres {
		return ".dump"
	}
	return ".sqlite"
}

// looksLikeBackup knows a backup of Postgres by how it begins, and one of SQLite by its tables.
func looksLikeBackup(ctx context.Context, path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 16)
	n, _ := f.Read(head)
	if n == 0 || strings.HasPrefix(string(head), "PGDMP") {
		return true
	}
	id, err := queries.Identify(ctx, queries.Source{Engine: queries.SQLite, Path: path})
	return err == nil && id.Usable()
}

// Restored is where the data is that a backup replaced.
type Restored struct {
	Safety  string `json:"kept,omitempty"` // empty when there was no database
	Version int64  `json:"schema_version"` // of what was restored
	// KeyFault is why the second factors in it cannot be used, empty when they can.
	KeyFault string `json:"key_fault,omitempty"`
}

// Restore puts a backup in place of an instance's database, which no server may use
// meanwhile: this process takes the instance's address for the time. What was there is
// kept beside it, for Postgres in the instance's data folder. A backup that is damaged
// or newer than this program is refused before anything is touched.
func Restore(ctx context.Context, inst config.Instance, backup string, now time.Time, show func(string)) (Restored, error) {
	// A database that is too damaged to be known is moved aside.
	if err := service.RefuseForeign(ctx, inst); isForeign(err) || err != nil && inst.Database.Engine == config.Postgres {
		return Restored{}, err
	}
	release, err := occupied(ctx, inst)
	if err != nil {
		return Restored{}, err
	}
	defer release()
	replace := replaceSQLite
	if inst.Database.Engine == config.Postgres {
		replace = func(ctx context.Context, inst config.Instance, backup string, now time.Time) (Restored, error) {
			return replacePostgres(ctx, inst, backup, now, show)
		}
	}
	done, err := replace(ctx, inst, backup, now)
	if err == nil {
		if why := keyFits(ctx, inst); errors.Is(why, core.ErrNoKey) {
			done.KeyFault = why.Error()
		}
	}
	return done, err
}

func replaceSQLite(ctx context.Context, inst config.Instance, backup string, now time.Time) (Restored, error) {
	if err := private.MakeFolder(filepath.Dir(inst.Database.Path), folderMode); err != nil {
		return Restored{}, fmt.Errorf("making the folder of the database: %w", err)
	}
	safety := fmt.Sprintf("%s.before-restore-%s", inst.Database.Path, moment(now))
	if err := noBackup(ctx, backup); err != nil {
		return Restored{}, err
	}
	version, err := queries.VerifySQLite(backup)
	if err != nil {
		return Restored{}, err
	}
	kept, err := queries.RestoreSQLite(ctx, backup, inst.Database.Path, safety)
	if !kept {
		safety = ""
	}
	return Restored{Safety: safety, Version: version}, stopFirst(err)
}

// isForeign reports whether a database is of another program.
func isForeign(err error) bool {
	_, ok := errors.AsType[*queries.ForeignError](err)
	return ok
}

// noBackup says what a file is in place of a backup; nil when it may be one.
func noBackup(ctx context.Context, file string) error {
	id, _ := queries.Identify(ctx, queries.Source{Engine: queries.SQLite, Path: file}) // a look for damage says more than the error
	switch {
	case id.Kind == queries.KindReference:
		return fmt.Errorf("%s is %s, and no backup of this server: have uri of the configuration lead to it, and take it over with vserver takeover", file, id.What)
	case id.Kind == queries.KindForeign:
		return fmt.Errorf("%s is %s, and no backup of this server", file, id.What)
	case id.Kind == queries.KindEmpty && id.Exists:
		return fmt.Errorf("%s is empty, and no backup of this server", file)
	}
	return nil
}

// occupied takes an instance's address and its place at the database, which a server has to
// have before it touches that. Who may not have the address, because of its low number,
// goes without.
func occupied(ctx context.Context, inst config.Instance) (release func(), err error) {
	leave, err := service.BeAlone(inst, "a restore or migration of")
	if err != nil {
		return nil, err
	}
	l, err := service.Listen(ctx, inst.Config)
	if errors.Is(err, fs.ErrPermission) {
		return leave, nil
	}
	if err != nil {
		leave()
		return nil, fmt.Errorf("a server seems to run on this database, stop it first: %w", err)
	}
	return func() {
		_ = l.Close()
		leave()
	}, nil
}

func replacePostgres(ctx context.Context, inst config.Instance, backup string, now time.Time, show func(string)) (Restored, error) {
	version, err := queries.VerifyPostgres(ctx, backup)
	if err != nil {
		return Restored{}, err
	}
	if err := private.MakeFolder(inst.DataDir, folderMode); err != nil {
		return Restored{}, fmt.Errorf("making the data folder: %w", err)
	}
	safety := filepath.Join(inst.DataDir, fmt.Sprintf("%s.before-restore-%s.dump", inst.Name, moment(now)))
	kept, err := queries.RestorePostgres(ctx, backup, inst.Database.DSN.Reveal(), safety, show)
	if !kept {
		safety = ""
	}
	return Restored{Safety: safety, Version: version}, stopFirst(err)
}

// stopFirst says what to do about a database in use.
func stopFirst(err error) error {
	if errors.Is(err, queries.ErrInUse) {
		return fmt.Errorf("%w: stop the server first", err)
	}
	return err
}
