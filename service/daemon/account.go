package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vserver/service/config"
	"vserver/service/private"
)

// Machine is what installing a service changes beside the service manager. Tests put
// others in the place of the functions.
type Machine struct {
	Run   Runner
	Chown func(path string, uid, gid int) error // never follows a link; -1 leaves as it is
	// Admit makes a file or folder private, but for one account of a service (Windows).
	Admit func(path, sid string, r private.Right) error
}

// ThisMachine changes the machine that the program runs on.
func ThisMachine() Machine { return Machine{Run: RunCommand, Chown: os.Lchown, Admit: private.Admit} }

// Modes of what a service of the system gets: others have no business there, and the
// way there is open.
const (
	ownedMode  = 0o750
	parentMode = 0o755
)

// Register prepares the machine for a service and makes it known; one that is
// there is replaced, and runs on if it ran. It returns what its user should know.
func Register(ctx context.Context, m Machine, mgr Manager, u Unit, inst config.Instance) (remarks []string, err error) {
	before, err := mgr.Status()
	if err != nil {
		return nil, err
	}
	if u.Account != "" && u.GOOS != "windows" {
		if remarks, err = m.prepare(ctx, u, inst); err != nil {
			return nil, err
		}
	}
	if before != NotInstalled {
		if err := remove(mgr, u, before); err != nil {
			return nil, err
		}
	}
	if err := mgr.Install(); err != nil {
		return nil, err
	}
	if u.GOOS == "windows" { // only now there is the account
		if err := m.grant(ctx, u, inst); err != nil {
			return nil, err
		}
	}
	if before == Active {
		return remarks, startAgain(mgr)
	}
	return remarks, nil
}

// remove takes a service out of the manager. Windows keeps one that runs until it ends.
func remove(mgr Manager, u Unit, state State) error {
	if u.GOOS == "windows" && state == Active {
		if err := mgr.Stop(); err != nil {
			return err
		}
	}
	return mgr.Uninstall()
}

// startAgain starts a service that was stopped by being replaced.
func startAgain(mgr Manager) error {
	now, err := mgr.Status()
	if err != nil || now == Active {
		return err
	}
	return mgr.Start()
}

// Unregister stops a service and makes the manager forget it. Data, account and
// configuration stay.
func Unregister(mgr Manager) error {
	state, err := mgr.Status()
	if err != nil {
		return err
	}
	if state == NotInstalled {
		return errors.New("the service is not installed")
	}
	if state != Stopped { // one that has failed may be about to start again
		if err := mgr.Stop(); err != nil {
			return err
		}
	}
	return mgr.Uninstall()
}

// MakeAccount makes the account of services of the system, and the standard folders
// with it, unless they are there. Packages and install.sh call it through the command
// `service account`.
func (m Machine) MakeAccount(ctx context.Context, locations config.Locations) error {
	u := Unit{GOOS: locations.GOOS, Scope: config.System}
	if locations.GOOS == "windows" {
		return nil // Windows makes one for each service
	}
	uid, gid, err := m.account(ctx, u.GOOS, accountOf(u))
	if err != nil {
		return err
	}
	folders := locations.Folders(config.System, "")
	if err := os.MkdirAll(folders.Config, parentMode); err != nil {
		return fmt.Errorf("making the folder of configurations: %w", err)
	}
	return m.owned(folders.Log, uid, gid)
}

// account returns the numbers of an account, which is made if it is not there.
func (m Machine) account(ctx context.Context, goos, name string) (uid, gid int, err error) {
	if uid, gid, err = m.numbers(ctx, name); err == nil {
		return uid, gid, nil
	}
	command := []string{
		"useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
		"--shell", "/usr/sbin/nologin", "--comment", "vserver", name,
	}
	if goos == "darwin" {
		command = []string{"sysadminctl", "-addUser", name, "-fullName", "vserver", "-UID", strconv.Itoa(freeNumber()), "-roleAccount"}
	}
	if _, err := m.Run(ctx, command[0], command[1:]...); err != nil {
		return 0, 0, fmt.Errorf("making the account %s: %w", name, err)
	}
	return m.numbers(ctx, name)
}

// numbers asks the system, which knows more accounts than are in its files.
func (m Machine) numbers(ctx context.Context, name string) (uid, gid int, err error) {
	for option, to := range map[string]*int{"-u": &uid, "-g": &gid} {
		out, err := m.Run(ctx, "id", option, name)
		if err == nil {
			*to, err = strconv.Atoi(strings.TrimSpace(out))
		}
		if err != nil {
			return 0, 0, fmt.Errorf("looking for the account %s: %w", name, err)
		}
	}
	return uid, gid, nil
}

// freeNumber finds a number that macOS lets accounts of services have.
func freeNumber() int {
	const first, last = 300, 400
	for n := first; n < last; n++ {
		if _, err := user.LookupId(strconv.Itoa(n)); err != nil {
			return n
		}
	}
	return last
}

// prepare makes the service's account the owner of what the server writes to, and lets it read the
// configuration.
func (m Machine) prepare(ctx context.Context, u Unit, inst config.Instance) (remarks []string, err error) {
	uid, gid, err := m.account(ctx, u.GOOS, u.Account)
	if err != nil {
		return nil, err
	}
	standard := filepath.Dir(u.Data)
	for _, dir := range slices.Concat(u.Writes, []string{u.Data}) {
		if dir != standard && !strings.HasPrefix(dir, standard+"/") && isThere(dir) {
			remarks = append(remarks, fmt.Sprintf("%s is not changed: see that %s may write to it (chown %s %s)", dir, u.Account, u.Account, dir))
			continue
		}
		if err := m.owned(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	if err := m.handOver(u, inst, uid, gid); err != nil {
		return nil, err
	}
	return remarks, m.readable(u, inst.File, uid, gid)
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// owned makes a folder if it is not there, and gives it to the account.
func (m Machine) owned(dir string, uid, gid int) error {
	if err := os.MkdirAll(filepath.Dir(dir), parentMode); err != nil {
		return fmt.Errorf("making a folder of the service: %w", err)
	}
	if err := os.Mkdir(dir, ownedMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making a folder of the service: %w", err)
	}
	if err := m.Chown(dir, uid, gid); err != nil {
		return fmt.Errorf("giving a folder to the service: %w", err)
	}
	return nil
}

// handOver makes the account the owner of the files of a server that has run as somebody else: its
// data folder, its logs and its database.
func (m Machine) handOver(u Unit, inst config.Instance, uid, gid int) error {
	files, err := belongings(u, inst)
	if err != nil {
		return fmt.Errorf("giving its data to the service: %w", err)
	}
	for _, file := range files {
		if err := m.give(file, uid, gid); err != nil {
			return fmt.Errorf("giving its data to the service: %w", err)
		}
	}
	return nil
}

// belongings are the data folder of a service with all that is in it, its logs and its database.
func belongings(u Unit, inst config.Instance) (files []string, err error) {
	err = filepath.WalkDir(u.Data, func(path string, _ fs.DirEntry, err error) error {
		files = append(files, path)
		return err
	})
	patterns := []string{inst.LogFile, inst.LogFile + ".*"}
	if inst.Database.Engine == config.SQLite {
		patterns = append(patterns, inst.Database.Path, inst.Database.Path+"-*")
	}
	for _, p := range patterns {
		found, _ := filepath.Glob(p) // one that is no pattern matches nothing
		files = append(files, found...)
	}
	return files, err
}

// give changes the owner of a file or folder. A file with a second name may be anybody's,
// put there to be given away: it stays as it is.
func (m Machine) give(file string, uid, gid int) error {
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if !info.IsDir() && (!info.Mode().IsRegular() || linkCount(info) > 1) {
		return nil
	}
	return m.Chown(file, uid, gid)
}

// readable lets the account read the configuration, and nobody else who could not.
func (m Machine) readable(u Unit, file string, uid, gid int) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("letting the service read its configuration: %w", err)
	}
	if u.GOOS == "darwin" { // where accounts of services share a group with people
		err = m.Chown(file, uid, -1)
	} else if info.Mode().Perm()&0o004 == 0 {
		err = errors.Join(m.Chown(file, -1, gid), os.Chmod(file, info.Mode().Perm()|0o040))
	}
	if err != nil {
		return fmt.Errorf("letting the service read its configuration: %w", err)
	}
	return nil
}
