package private

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// asking are the accounts of this process: the one that owns what it makes, which for an
// administrator are all of these, and the one of its user.
func asking() (owner, user string) {
	token := windows.GetCurrentProcessToken()
	if u, err := token.GetTokenUser(); err == nil {
		user = u.User.Sid.String()
	}
	const most = 256 // bytes, more than an identifier has
	var needed uint32
	buffer := make([]byte, most)
	err := windows.GetTokenInformation(token, windows.TokenOwner, &buffer[0], most, &needed)
	if err != nil {
		return user, user
	}
	return (*(**windows.SID)(unsafe.Pointer(&buffer[0]))).String(), user //nolint:gosec // Windows fills it with a pointer
}

// listOf reads who may use a file or folder.
func listOf(path string) (list, error) {
	const what = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, what)
	if err != nil {
		return list{}, fmt.Errorf("reading the rights to %s: %w", path, err)
	}
	var l list
	if owner, _, err := sd.Owner(); err == nil && owner != nil {
		l.owner = owner.String()
	}
	acl, _, err := sd.DACL()
	if errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) || err == nil && acl == nil {
		l.all = true
		return l, nil
	}
	if err != nil {
		return list{}, fmt.Errorf("reading the rights to %s: %w", path, err)
	}
	for i := range acl.AceCount {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, uint32(i), &ace); err != nil {
			return list{}, fmt.Errorf("reading the rights to %s: %w", path, err)
		}
		if ace.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE {
			sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)) //nolint:gosec // it begins there
			l.entries = append(l.entries, entry{sid.String(), uint32(ace.Mask), ace.Header.AceFlags})
		}
	}
	return l, nil
}

// set gives a file or folder a list, and takes what it inherits. What is in a folder keeps its own.
func (l list) set(path string) error {
	sd, err := windows.SecurityDescriptorFromString(l.text())
	if err != nil {
		return fmt.Errorf("making a list of rights: %w", err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, windows.READ_CONTROL|windows.WRITE_DAC, share, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return &fs.PathError{Op: "changing the rights of", Path: path, Err: err}
	}
	defer func() { _ = windows.CloseHandle(h) }()
	const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetKernelObjectSecurity(h, what, sd); err != nil {
		return &fs.PathError{Op: "changing the rights of", Path: path, Err: err}
	}
	return nil
}

// attributes have Windows make something with a list from its first moment.
func (l list) attributes() (*windows.SecurityAttributes, error) {
	sd, err := windows.SecurityDescriptorFromString(l.text())
	if err != nil {
		return nil, fmt.Errorf("making a list of rights: %w", err)
	}
	a := &windows.SecurityAttributes{SecurityDescriptor: sd}
	a.Length = uint32(unsafe.Sizeof(*a))
	return a, nil
}

// createNew makes an empty file with a list; one that is there is fs.ErrExist. While the
// returned function was not called nobody can put another in its place.
func (l list) createNew(path string) (release func(), err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	a, err := l.attributes()
	if err != nil {
		return nil, err
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, share, a, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return func() { _ = windows.CloseHandle(h) }, nil
}

// newFile is the list of a file that is going to be made: with the accounts that its folder hands down.
func newFile(path string) list {
	owner, user := asking()
	above, _ := listOf(filepath.Dir(path)) // a folder that cannot be read hands nothing down
	return sealed(owner, 0, above.handed(false, user)...)
}

// Open opens a file as os.OpenFile does. One that it makes is private from its first moment.
func Open(path string, flag int) (*os.File, error) { return openWith(path, flag, newFile(path)) }

func openWith(path string, flag int, l list) (*os.File, error) {
	if flag&os.O_CREATE != 0 {
		release, err := l.createNew(path)
		switch {
		case err == nil:
			defer release()
		case flag&os.O_EXCL != 0 || !errors.Is(err, fs.ErrExist):
			return nil, err
		}
		flag &^= os.O_CREATE | os.O_EXCL
	}
	return os.OpenFile(path, flag, Mode) //nolint:wrapcheck // as os.OpenFile does
}

// Successor makes a private file that is to take the place of one, and returns it open. Who may use
// it, of services, is said by the one that is there, and not by the folder.
func Successor(path, pattern string) (*os.File, error) {
	owner, user := asking()
	above, _ := listOf(filepath.Dir(path))
	kept := above.handed(false, user)
	kept = slices.DeleteFunc(kept, func(e entry) bool { return ofService(e.sid) })
	old, _ := listOf(path) // there may be none
	return temporary(filepath.Dir(path), pattern, sealed(owner, 0, append(kept, old.kept(user)...)...))
}

// CreateTemp is os.CreateTemp for a private file.
func CreateTemp(dir, pattern string) (*os.File, error) {
	return temporary(dir, pattern, newFile(filepath.Join(dir, pattern)))
}

// Shared reports whether others than its account may do anything with a file.
func Shared(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	_, user := asking()
	l, err := listOf(path)
	return err == nil && len(l.others(anyRight, user)) > 0
}

// Restrict takes the rights to a file from everybody but its account and services, and reports
// whether there was anything to take. A file that is not there needs nothing.
func Restrict(path string) (changed bool, err error) {
	if !Shared(path) {
		return false, nil
	}
	before, err := listOf(path)
	if err != nil {
		return false, fmt.Errorf("making %s private: %w", path, err)
	}
	owner, user := asking()
	if err := closed(before, owner, user).set(path); err != nil {
		return false, fmt.Errorf("making %s private: %w", path, err)
	}
	if Shared(path) {
		return false, fmt.Errorf("making %s private: its disk keeps no rights", path)
	}
	return true, nil
}

// Remedy is the command that makes a file or folder private.
func Remedy(path string) string {
	before, err := listOf(path)
	if err != nil {
		return "look at the rights of the file"
	}
	_, user := asking()
	after := closed(before, before.owner, user)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		after = closedFolder(before, before.owner, user, true)
	}
	return after.command(path, before)
}

// Exposed reports whether others than its account may put files into a folder.
func Exposed(dir string) bool {
	_, user := asking()
	l, err := listOf(dir)
	return err == nil && len(l.others(makeRights, user)) > 0
}

// mkdir makes a folder that hands its list down. Where all users see what is in the folder
// above and the mode lets them, they see what is in this one as well; they read nothing.
func mkdir(dir string, mode fs.FileMode) error {
	owner, user := asking()
	above, _ := listOf(filepath.Dir(dir))
	kept := above.handed(true, user)
	if mode&seen == seen && above.shown() {
		kept = append(kept, listed())
	}
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	a, err := sealed(owner, inheritance, kept...).attributes()
	if err != nil {
		return err
	}
	if err := windows.CreateDirectory(name, a); err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// seen are the rights of everybody in the mode of a folder that all may list.
const seen fs.FileMode = 0o005

// temporary makes a private file with a name that none has, as os.CreateTemp chooses it.
func temporary(dir, pattern string, l list) (*os.File, error) {
	before, after, _ := strings.Cut(pattern, "*")
	const tries = 10000
	for try := 1; ; try++ {
		name := filepath.Join(dir, before+strconv.FormatUint(rand.Uint64(), 36)+after) //nolint:gosec // no secret: a name that exists is refused
		f, err := openWith(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, l)
		if !errors.Is(err, fs.ErrExist) || try == tries {
			return f, err
		}
	}
}

// Admit makes a file or folder private, but for the account of a service, which gets a right.
func Admit(path, sid string, r Right) error {
	l, err := admitting(path, r.of(sid))
	if err == nil {
		err = l.set(path)
	}
	return err
}

func admitting(path string, e entry) (list, error) {
	before, err := listOf(path)
	if err != nil {
		return list{}, err
	}
	before.admit(e)
	owner, user := asking()
	if e.flags != 0 {
		return closedFolder(before, owner, user, e.flags&oneLevel != 0), nil
	}
	return closed(before, owner, user), nil
}
