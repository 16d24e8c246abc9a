package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// wantPrivate wants a file or folder that nobody else has rights to.
func wantPrivate(t *testing.T, path string) {
	t.Helper()
	_, user := asking()
	if l, err := listOf(path); err != nil || l.all || len(l.entries) == 0 || len(l.others(anyRight, user)) > 0 {
		t.Errorf("%s: %+v %v", path, l, err)
	}
}

// open makes a file as others make it. It fails the test where files are private anyway.
func openFile(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !Shared(path) {
		t.Skip("NOT TESTED: files are private in this folder anyway")
	}
	return path
}

// TestPrivateFilesHaveTheirListFromTheBeginning: whoever makes them, and folders as well.
func TestPrivateFilesHaveTheirListFromTheBeginning(t *testing.T) {
	dir := t.TempDir()
	old := openFile(t, filepath.Join(dir, "old"))
	if err := Create(filepath.Join(dir, "created")); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, filepath.Join(dir, "created"))
	for name, open := range map[string]func() (*os.File, error){
		"open": func() (*os.File, error) { return Open(filepath.Join(dir, "open"), os.O_CREATE|os.O_RDWR) },
		"append": func() (*os.File, error) {
			return Open(filepath.Join(dir, "append"), os.O_CREATE|os.O_WRONLY|os.O_APPEND)
		},
		"temporary": func() (*os.File, error) { return CreateTemp(dir, "t-*.tmp") },
		"successor": func() (*os.File, error) { return Successor(old, "s-*.tmp") },
	} {
		f, err := open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := f.WriteString("secret"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantPrivate(t, f.Name())
		_ = f.Close()
	}
	if err := MakeFolder(filepath.Join(dir, "a", "b"), 0o750); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, filepath.Join(dir, "a", "b"))
	if err := os.WriteFile(filepath.Join(dir, "a", "b", "of another"), nil, 0o600); err != nil {
		t.Error(err)
	}
}

// TestOpenDoesWhatItsFlagsSay: as os.OpenFile does.
func TestOpenDoesWhatItsFlagsSay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	for _, c := range []struct {
		flag    int
		write   string
		want    string
		failing error
	}{
		{os.O_RDWR, "", "", fs.ErrNotExist},
		{os.O_CREATE | os.O_EXCL | os.O_WRONLY, "abc", "abc", nil},
		{os.O_CREATE | os.O_EXCL | os.O_WRONLY, "", "abc", fs.ErrExist},
		{os.O_CREATE | os.O_APPEND | os.O_WRONLY, "d", "abcd", nil},
		{os.O_CREATE | os.O_TRUNC | os.O_RDWR, "e", "e", nil},
	} {
		f, err := Open(path, c.flag)
		if !errors.Is(err, c.failing) {
			t.Fatal(c, err)
		}
		if err == nil {
			_, err = f.WriteString(c.write)
			err = errors.Join(err, f.Close())
		} else {
			err = nil
		}
		if got, _ := os.ReadFile(path); err != nil || string(got) != c.want {
			t.Errorf("%+v: %q %v", c, got, err)
		}
	}
}

// TestFilesThatOthersMayUseAreMadePrivate: and their content stays.
func TestFilesThatOthersMayUseAreMadePrivate(t *testing.T) {
	path := openFile(t, filepath.Join(t.TempDir(), "a"))
	if changed, err := Restrict(path); err != nil || !changed {
		t.Error(changed, err)
	}
	wantPrivate(t, path)
	if changed, err := Restrict(path); err != nil || changed {
		t.Error("twice", changed, err)
	}
	if changed, err := Restrict(path + "-not-there"); err != nil || changed {
		t.Error("not there", changed, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "x" {
		t.Error(text, err)
	}
}

// TestServiceIsAdmittedToWhatBecomesPrivate: files and folders alike.
func TestServiceIsAdmittedToWhatBecomesPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	file := openFile(t, filepath.Join(dir, "a"))
	if err := errors.Join(Admit(file, serviceA, Reads()), Admit(dir, serviceA, Keeps())); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, file)
	wantPrivate(t, dir)
}
