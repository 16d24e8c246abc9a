package upkeep

import (
	"maps"
	"path/filepath"
	"testing"

	"vserver/service/config"
)

// TestCopyHasTheKeyFollow: a server on the copy finds the key of the second factors.
func TestCopyHasTheKeyFollow(t *testing.T) {
	dir := t.TempDir()
	file := config.Database{Engine: config.SQLite, Path: filepath.Join(dir, "d.sqlite")}
	beside := config.Database{Engine: config.SQLite, Path: filepath.Join(dir, "e.sqlite")}
	elsewhere := config.Database{Engine: config.SQLite, Path: filepath.Join(t.TempDir(), "d.sqlite")}
	postgres := config.Database{Engine: config.Postgres}
	own := map[string]string{"secret_key_file": filepath.Join(dir, "secret.key")}
	for name, c := range map[string]struct {
		from, to config.Database
		given    config.Config
		adds     map[string]string
		fault    bool
	}{
		"to Postgres":          {file, postgres, config.Config{}, own, false},
		"to another folder":    {file, elsewhere, config.Config{}, own, false},
		"within the folder":    {file, beside, config.Config{}, nil, false},
		"from Postgres":        {postgres, file, config.Config{SecretKey: "k"}, nil, false},
		"with a file":          {file, postgres, config.Config{SecretKeyFile: "/k"}, nil, false},
		"nobody knows the key": {postgres, file, config.Config{}, nil, true},
	} {
		inst := config.Instance{Database: c.from, Config: c.given}
		target := inst
		target.Database = c.to
		settings := map[string]string{}
		if fault := keyFollows(inst, target, settings); fault != "" != c.fault || !maps.Equal(settings, c.adds) {
			t.Errorf("%s: %v %q", name, settings, fault)
		}
	}
}
