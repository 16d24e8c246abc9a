package upkeep

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/private"
)

// permissions looks for secrets that every account of the machine may read.
func (e examination) permissions(context.Context) []Finding {
	if private.Lists {
		return e.rights()
	}
	files := []string{e.inst.File}
	if e.inst.Config.TLS != nil {
		files = append(files, e.inst.Config.TLS.Key)
	}
	var found []Finding
	if e.inst.Database.Engine == config.SQLite {
		for _, file := range queries.SQLiteFiles(e.inst.Database.Path) {
			if private.Shared(file) {
				found = append(found, Finding{
					Verdict: Doubt, Text: "other accounts of this machine have rights to " + file,
					Advice: "chmod go= " + file + "; the next start does so where the file is its own",
				})
			}
		}
	}
	if key, _ := e.inst.KeyFile(); key != "" {
		files = append(files, key)
	}
	for _, file := range files {
		if worldReadable(file) {
			found = append(found, Finding{
				Verdict: Doubt, Text: "every account of this machine may read " + file,
				Advice: "chmod o-rwx " + file,
			})
		}
	}
	if found == nil {
		return sound("nobody else may read the files with secrets")
	}
	return found
}

// rights is permissions where the rights of a file are a list: files that others may use, and
// folders into which they may put some, such as a configuration.
func (e examination) rights() (found []Finding) {
	files := service.PrivateFiles(e.inst)
	if e.inst.Config.TLS != nil {
		files = append(files, e.inst.Config.TLS.Key)
	}
	for _, file := range files {
		if private.Shared(file) {
			found = append(found, Finding{
				Verdict: Doubt, Text: "other accounts of this machine have rights to " + file, Advice: private.Remedy(file),
			})
		}
	}
	dirs := []string{filepath.Dir(e.inst.File), filepath.Dir(e.inst.LogFile), e.inst.DataDir}
	if e.inst.Database.Engine == config.SQLite {
		dirs = append(dirs, filepath.Dir(e.inst.Database.Path))
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		if private.Exposed(dir) {
			found = append(found, Finding{
				Verdict: Doubt, Text: "other accounts of this machine may put files into " + dir, Advice: private.Remedy(dir),
			})
		}
	}
	if found == nil {
		return sound("nobody else may use the files with secrets")
	}
	return found
}

// worldReadable reports whether everybody may read a file, its folder willing.
func worldReadable(file string) bool {
	const read, enter = 0o004, 0o001
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&read == 0 {
		return false
	}
	dir, err := os.Stat(filepath.Dir(file))
	return err == nil && dir.Mode().Perm()&enter != 0
}
