package queries

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// untouched is one connection to an SQLite file that changes nothing of it, and leaves nothing
// beside it: what was cut off there, a transaction or a log, is brought to its end in memory.
type untouched struct {
	*sqlite3.Conn
	system string // the name of its file system
}

// openUntouched opens a file that exists, on a file system of the driver's register. The lock of a
// reader is held as long as the connection is open.
func openUntouched(path, system string) (*untouched, error) {
	under, ok := vfs.Find(system).(vfs.VFSFilename)
	if !ok {
		return nil, fmt.Errorf("opening %s: there is no file system %q", path, system)
	}
	u := &untouched{system: "untouched-" + rand.Text()}
	vfs.Register(u.system, &asideSystem{VFSFilename: under, gone: map[string]bool{}})
	// In exclusive mode the index of a log is in memory, and no file beside it.
	uri := liteURI(path, u.system) + "&_pragma=busy_timeout(10000)&_pragma=locking_mode(exclusive)&_pragma=temp_store(memory)"
	c, err := sqlite3.OpenFlags(uri, sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err == nil {
		u.Conn = c
		_, err = c.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
	}
	if err == nil {
		err = c.Exec("PRAGMA query_only=on")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, explained(err, path)), u.Close())
	}
	return u, nil
}

// Close ends the connection.
func (u *untouched) Close() (err error) {
	defer vfs.Unregister(u.system)
	if u.Conn != nil {
		err = u.Conn.Close()
	}
	return err
}

// asideSystem opens files for reading only, and keeps what is written aside.
type asideSystem struct {
	vfs.VFSFilename
	gone map[string]bool // what was removed, as the connection sees it
}

// OpenFilename opens a file that is there; one that is not is empty, and in memory.
func (s *asideSystem) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == nil {
		return &aside{}, flags, nil
	}
	if flags&vfs.OPEN_MAIN_DB == 0 {
		there, err := s.Access(name.String(), vfs.ACCESS_EXISTS)
		if err != nil || !there {
			delete(s.gone, name.String())
			return &aside{}, flags, err
		}
	}
	const write = vfs.OPEN_READWRITE | vfs.OPEN_CREATE | vfs.OPEN_DELETEONCLOSE
	f, _, err := s.VFSFilename.OpenFilename(name, flags&^write|vfs.OPEN_READONLY)
	if err != nil {
		return nil, flags, err //nolint:wrapcheck // the driver wants its own
	}
	return &aside{under: f}, flags, nil
}

// Access reports whether a file is there.
func (s *asideSystem) Access(name string, flags vfs.AccessFlag) (bool, error) {
	if s.gone[name] {
		return false, nil
	}
	return s.VFSFilename.Access(name, flags) //nolint:wrapcheck // the driver wants its own
}

// Delete hides a file.
func (s *asideSystem) Delete(name string, _ bool) error {
	s.gone[name] = true
	return nil
}

// aside is an open file whose changes are in memory.
type aside struct {
	under   vfs.File // nil for a file that is not there
	changed bool     // the size is not that of the file below
	size    int64
	below   int64 // how much of the file below still counts
	blocks  map[int64][]byte
	lock    vfs.LockLevel
}

// asideBlock is how much is kept for a change within it.
const asideBlock = 4096

// Close closes the file below.
func (a *aside) Close() error {
	if a.under == nil {
		return nil
	}
	return a.under.Close() //nolint:wrapcheck // the driver wants its own
}

// Size is that of the file below as long as nothing was written.
func (a *aside) Size() (int64, error) {
	if a.changed || a.under == nil {
		return a.size, nil
	}
	return a.under.Size() //nolint:wrapcheck // the driver wants its own
}

// ReadAt reads what was written aside where there is any.
func (a *aside) ReadAt(p []byte, off int64) (n int, err error) {
	if !a.changed && a.under != nil {
		return a.under.ReadAt(p, off) //nolint:wrapcheck // the driver wants its own
	}
	for n < len(p) && off < a.size {
		block, err := a.block(off / asideBlock)
		if err != nil {
			return n, err
		}
		from := off % asideBlock
		some := copy(p[n:], block[from:min(asideBlock, from+a.size-off)])
		n, off = n+some, off+int64(some)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// block returns what a block holds, which is kept only when it was written.
func (a *aside) block(number int64) ([]byte, error) {
	if b, ok := a.blocks[number]; ok {
		return b, nil
	}
	b := make([]byte, asideBlock)
	from := number * asideBlock
	if a.under == nil || from >= a.below {
		return b, nil
	}
	_, err := a.under.ReadAt(b[:min(asideBlock, a.below-from)], from)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b, err //nolint:wrapcheck // the driver wants its own
}

// begin remembers how the file below was.
func (a *aside) begin() error {
	if a.changed {
		return nil
	}
	size, err := a.Size()
	a.changed, a.size, a.below, a.blocks = true, size, size, map[int64][]byte{}
	return err
}

// WriteAt keeps what is written.
func (a *aside) WriteAt(p []byte, off int64) (n int, err error) {
	if err := a.begin(); err != nil {
		return 0, err
	}
	for n < len(p) {
		number := off / asideBlock
		b, err := a.block(number)
		if err != nil {
			return n, err
		}
		a.blocks[number] = b
		some := copy(b[off%asideBlock:], p[n:])
		n, off = n+some, off+int64(some)
	}
	a.size = max(a.size, off)
	return n, nil
}

// Truncate cuts what is seen of the file.
func (a *aside) Truncate(size int64) error {
	if err := a.begin(); err != nil {
		return err
	}
	for number, b := range a.blocks {
		if from := number * asideBlock; from >= size {
			delete(a.blocks, number)
		} else if from+asideBlock > size {
			clear(b[size-from:])
		}
	}
	a.size, a.below = size, min(a.below, size)
	return nil
}

// Sync has nothing to do.
func (a *aside) Sync(vfs.SyncFlag) error { return nil }

// Lock takes the lock of a reader, of which many may be, whatever lock is asked for.
func (a *aside) Lock(lock vfs.LockLevel) error {
	if a.under != nil && a.lock == vfs.LOCK_NONE {
		if err := a.under.Lock(vfs.LOCK_SHARED); err != nil {
			return err //nolint:wrapcheck // the driver wants its own
		}
	}
	a.lock = max(a.lock, lock)
	return nil
}

// Unlock gives the lock of a reader back.
func (a *aside) Unlock(lock vfs.LockLevel) error {
	if a.under != nil && a.lock > vfs.LOCK_NONE && lock == vfs.LOCK_NONE {
		if err := a.under.Unlock(vfs.LOCK_NONE); err != nil {
			return err //nolint:wrapcheck // the driver wants its own
		}
	}
	a.lock = min(a.lock, lock)
	return nil
}

// LockState is what the connection believes to have.
func (a *aside) LockState() vfs.LockLevel { return a.lock }

// CheckReservedLock reports whether somebody else writes: what lies beside the database then was
// not left over.
func (a *aside) CheckReservedLock() (bool, error) {
	if a.under == nil || a.lock > vfs.LOCK_SHARED {
		return a.lock > vfs.LOCK_SHARED, nil
	}
	return a.under.CheckReservedLock() //nolint:wrapcheck // the driver wants its own
}

// SectorSize is the usual one.
func (a *aside) SectorSize() int { return asideBlock }

// DeviceCharacteristics promises nothing.
func (a *aside) DeviceCharacteristics() vfs.DeviceCharacteristic { return 0 }
