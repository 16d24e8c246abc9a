package daemon

import (
	"context"
	"crypto/sha1" //nolint:gosec // Windows makes the identifiers of services with it
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"vserver/service/config"
	"vserver/service/private"
)

// grant lets the account that Windows makes with a service use what belongs to the instance, and
// nobody else who is no administrator: its folders and files, and to read its configuration.
// A folder that is somebody else's keeps its rights, and the account gets those to have files in it.
func (m Machine) grant(ctx context.Context, u Unit, inst config.Instance) error {
	sid := serviceSID(u.Name)
	for _, dir := range u.Writes {
		if err := m.grantFolder(ctx, u, inst, dir, sid); err != nil {
			return fmt.Errorf("letting the service write to %s: %w", dir, err)
		}
	}
	files, err := belongings(u, inst)
	if err != nil {
		return fmt.Errorf("giving its data to the service: %w", err)
	}
	ext := filepath.Ext(inst.LogFile)
	old, _ := filepath.Glob(strings.TrimSuffix(inst.LogFile, ext) + "-*" + ext) // one that is no pattern matches nothing
	for _, file := range append(files, old...) {
		if err := m.grantFile(file, sid); err != nil {
			return fmt.Errorf("letting the service write to %s: %w", file, err)
		}
	}
	if err := m.Admit(inst.File, sid, private.Reads()); err != nil {
		return fmt.Errorf("letting the service read %s: %w", inst.File, err)
	}
	return nil
}

// grantFolder makes a folder of the instance if it is not there. Its data folders are its own; in the
// standard folder and in those of others it has files only, not the folders there.
func (m Machine) grantFolder(ctx context.Context, u Unit, inst config.Instance, dir, sid string) error {
	there := isThere(dir)
	if err := private.MakeFolder(dir, ownedMode); err != nil {
		return err
	}
	standard := filepath.Dir(u.Data)
	switch {
	case dir == u.Data || !there && dir == inst.DataDir:
		return m.Admit(dir, sid, private.Keeps())
	case dir == standard || !there:
		return m.Admit(dir, sid, private.Fills())
	}
	r := private.Fills()
	if dir == inst.DataDir {
		r = private.Keeps()
	}
	_, err := m.Run(ctx, "icacls", dir, "/grant", "*"+sid+":"+r.String())
	return err
}

// grantFile lets the service write to a file, or use a folder in its data folder. What is
// neither, such as a link, stays as it is.
func (m Machine) grantFile(file, sid string) error {
	info, err := os.Lstat(file)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return m.Admit(file, sid, private.Keeps())
	case info.Mode().Type() != fs.FileMode(0):
		return nil
	}
	return m.Admit(file, sid, private.Writes())
}

// serviceSID is the identifier of the account of a service, which Windows makes of its name.
func serviceSID(name string) string {
	var wide []byte
	for _, unit := range utf16.Encode([]rune(strings.ToUpper(name))) {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	sum := sha1.Sum(wide) //nolint:gosec // as Windows does
	text := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		text += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return text
}
