package service

import (
	"path/filepath"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/config"
	"vserver/service/log"
	"vserver/service/private"
)

// PrivateFiles are the files of an instance that hold secrets or names of people, whether or
// not they are there: its configuration, its logs, the key of its second factors, its database
// with copies beside it.
func PrivateFiles(inst config.Instance) []string {
	files := append([]string{inst.File, inst.LogFile}, log.OldFiles(inst.LogFile)...)
	if key, _ := inst.KeyFile(); key != "" {
		files = append(files, key)
	}
	if inst.Database.Engine != config.SQLite {
		return files
	}
	copies, _ := filepath.Glob(inst.Database.Path + ".before-*") // one that is no pattern matches nothing
	return append(append(files, queries.SQLiteFiles(inst.Database.Path)...), copies...)
}

// restrictFiles takes from others the rights to the files of an instance, and says so, where a new
// file has those of its folder. Elsewhere modes are the administrator's, but for the database.
func restrictFiles(inst config.Instance, log zerolog.Logger) {
	if !private.Lists {
		return
	}
	for _, file := range PrivateFiles(inst) {
		changed, err := private.Restrict(file)
		switch {
		case err != nil:
			log.Warn().Err(err).Msgf("Other accounts of this machine have rights to %s, and this one may not take them: vserver doctor says how", file)
		case changed:
			log.Warn().Msgf("Other accounts of this machine had rights to %s: they have none any more", file)
		}
	}
}
