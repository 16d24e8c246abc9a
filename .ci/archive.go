// Command archive packs a folder so that the same files always make the same bytes:
//
//	archive TARGET FOLDER TIME
//
// TARGET is a .tar.gz or a .zip, TIME the seconds since 1970 that every file is given.
// Paths begin with the folder's own name, owners are root, and what may be executed
// stays so.
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("archive: ")
	if len(os.Args) != 4 {
		log.Fatal("usage: archive TARGET FOLDER TIME")
	}
	seconds, err := strconv.ParseInt(os.Args[3], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	if err := pack(os.Args[1], os.Args[2], time.Unix(seconds, 0).UTC()); err != nil {
		log.Fatal(err)
	}
}

// pack writes the archive; its kind is that of its name.
func pack(target, folder string, at time.Time) error {
	out, err := os.Create(target)
	if err != nil {
		return err
	}
	defer out.Close()
	if strings.HasSuffix(target, ".zip") {
		err = zipped(out, folder, at)
	} else {
		err = tarred(out, folder, at)
	}
	return errors.Join(err, out.Close())
}

// each calls add for every file of a folder, in the order of their names.
func each(folder string, add func(name string, mode fs.FileMode, text []byte) error) error {
	files := os.DirFS(folder)
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no plain file", name)
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return add(path.Join(path.Base(folder), name), mode, text)
	})
}

func tarred(out io.Writer, folder string, at time.Time) error {
	packed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(packed)
	err = each(folder, func(name string, mode fs.FileMode, text []byte) error {
		header := tar.Header{Name: name, Mode: int64(mode), Size: int64(len(text)), ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
		if err := t.WriteHeader(&header); err != nil {
			return err
		}
		_, err := t.Write(text)
		return err
	})
	return errors.Join(err, t.Close(), packed.Close())
}

func zipped(out io.Writer, folder string, at time.Time) error {
	z := zip.NewWriter(out)
	err := each(folder, func(name string, mode fs.FileMode, text []byte) error {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at}
		header.SetMode(mode)
		w, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	return errors.Join(err, z.Close())
}
