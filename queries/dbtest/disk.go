package dbtest

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"sync"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
)

// Disk is the machine's file system below SQLite, with faults that a test asks for. A
// queries.Source with its name in VFS lies on it.
type Disk struct {
	Name string

	under vfs.VFSFilename
	mu    sync.Mutex
	// writes counts what was asked to be written, cut or synced; failed counts what
	// was refused.
	writes, failed int
	failAt         int  // the write that fails, 0 for none
	failOn         bool // so do all after it
	full           bool
	panicking      access
	spared         int // how many accesses do not panic before the first that does
	panics         int // how many accesses still panic
}

// access is a kind of access to a file.
type access string

// The accesses that PanicAt takes.
const (
	Reading access = "read"
	Writing access = "write"
)

// NewDisk makes a disk without faults, which the test has to itself.
func NewDisk(t testing.TB) *Disk {
	t.Helper()
	under, ok := vfs.Find("os").(vfs.VFSFilename)
	if !ok {
		t.Fatal("the file system of the machine takes no names with parameters")
	}
	d := &Disk{Name: "disk-" + rand.Text(), under: under}
	vfs.Register(d.Name, d)
	t.Cleanup(func() { vfs.Unregister(d.Name) })
	return d
}

// FailAt has the n-th write from now fail, and with on all after it until Heal.
func (d *Disk) FailAt(n int, on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes, d.failed, d.failAt, d.failOn = 0, 0, n, on
}

// Fill leaves no room: a file that would grow does not.
func (d *Disk) Fill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed, d.full = 0, true
}

// PanicAt has the next accesses of a kind panic within SQLite's driver.
func (d *Disk) PanicAt(kind access, times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.panicking, d.spared, d.panics = kind, 0, times
}

// BelowThisProcess puts a disk below every SQLite database of this process, which panics
// once, at the n-th access of a kind. It is for processes that a test starts.
func BelowThisProcess(kind string, n int) error {
	under, ok := vfs.Find("os").(vfs.VFSFilename)
	if !ok {
		return errForeign
	}
	// The name that package queries gives the machine's own file system.
	vfs.Register("vserver-", &Disk{under: under, panicking: access(kind), spared: n - 1, panics: 1})
	return nil
}

// mayPanic panics where PanicAt wants it.
func (d *Disk) mayPanic(kind access) {
	d.mu.Lock()
	wanted := d.panicking == kind && d.panics > 0
	switch {
	case wanted && d.spared > 0:
		d.spared--
		wanted = false
	case wanted:
		d.panics--
	}
	d.mu.Unlock()
	if wanted {
		panic("a test wanted a panic in the driver")
	}
}

// Heal ends all faults.
func (d *Disk) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failAt, d.full, d.panics = 0, false, 0
}

// Writes is how often something was written, cut or synced since FailAt.
func (d *Disk) Writes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.writes
}

// Failed is how often that was refused since FailAt or Fill.
func (d *Disk) Failed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// check returns the error of a write that fails; grows says that it needs more room.
func (d *Disk) check(op, file string, grows bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	fault := error(nil)
	switch {
	case d.full && grows:
		fault = syscall.ENOSPC
	case d.failAt > 0 && (d.writes == d.failAt || d.failOn && d.writes > d.failAt):
		fault = syscall.EIO
	default:
		return nil
	}
	d.failed++
	return &fs.PathError{Op: op, Path: file, Err: fault}
}

var errForeign = errors.New("no file of the machine's own file system")

// Open is not asked for: OpenFilename is.
func (d *Disk) Open(string, vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) { return nil, 0, errForeign }

// OpenFilename opens a file of the machine.
func (d *Disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := d.under.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	whole, ok := f.(wholeFile)
	if !ok {
		return nil, flags, errors.Join(errForeign, f.Close())
	}
	return &diskFile{wholeFile: whole, disk: d, name: name.String()}, flags, nil
}

// Delete removes a file of the machine.
func (d *Disk) Delete(name string, syncDir bool) error { return d.under.Delete(name, syncDir) }

// Access asks for the rights to a file of the machine.
func (d *Disk) Access(name string, flags vfs.AccessFlag) (bool, error) {
	return d.under.Access(name, flags)
}

// FullPathname is the machine's.
func (d *Disk) FullPathname(name string) (string, error) { return d.under.FullPathname(name) }

// wholeFile is all that a file of the machine can do.
type wholeFile interface {
	vfs.FileHasMoved
	vfs.FileLockState
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSharedMemory
	vfs.FileSizeHint
}

// diskFile is a file of a Disk.
type diskFile struct {
	wholeFile
	disk *Disk
	name string
}

// ReadAt reads.
func (f *diskFile) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mayPanic(Reading)
	return f.wholeFile.ReadAt(p, off)
}

// WriteAt writes half of what it refuses, as a disk may; a full one takes nothing.
func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mayPanic(Writing)
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	if err := f.disk.check("write", f.name, off+int64(len(p)) > size); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return 0, err
		}
		n, _ := f.wholeFile.WriteAt(p[:len(p)/2], off)
		return n, err
	}
	return f.wholeFile.WriteAt(p, off)
}

// Truncate cuts the file, or refuses.
func (f *diskFile) Truncate(size int64) error {
	if err := f.disk.check("truncate", f.name, false); err != nil {
		return err
	}
	return f.wholeFile.Truncate(size)
}

// Sync makes the file durable, or refuses.
func (f *diskFile) Sync(flags vfs.SyncFlag) error {
	if err := f.disk.check("sync", f.name, false); err != nil {
		return err
	}
	return f.wholeFile.Sync(flags)
}

// SizeHint takes room for the file, or refuses.
func (f *diskFile) SizeHint(size int64) error {
	has, err := f.Size()
	if err != nil {
		return err
	}
	if err := f.disk.check("allocate", f.name, size > has); err != nil {
		return err
	}
	return f.wholeFile.SizeHint(size)
}
