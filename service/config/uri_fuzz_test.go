package config_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"vserver/service/config"
)

// FuzzDatabase: no URI brings the reader down, and the driver reads the very password
// that was written with percent signs, which no print or error shows.
func FuzzDatabase(f *testing.F) {
	f.Add("postgresql://ada:pw@db:5432/v6?sslmode=disable", "p@ss/w?rd")
	f.Add("sqlite:///x.db", "%41+ ")
	f.Add("postgres+x://a:b:c@d@[::1]/?password=x&y", "ünï")
	at := machine("linux", "", nil)
	f.Fuzz(func(t *testing.T, uri, password string) {
		if d, err := at.Database(config.Secret(uri), "/data"); err == nil {
			_ = fmt.Sprint(d, (config.Config{URI: d.Display}).Secrets())
		}
		if password == "" || strings.ContainsRune(password, 0) {
			return
		}
		escaped := strings.ReplaceAll(url.QueryEscape(password), "+", "%20")
		d, err := at.Database(config.Secret("postgresql://ada:"+escaped+"@db:5432/v6"), "")
		if err != nil {
			t.Fatal(err)
		}
		read, err := pgconn.ParseConfig(d.DSN.Reveal())
		if err != nil || read.Password != password || read.Host != "db" {
			t.Errorf("%q became %+v: %v", password, read, err)
		}
		if d.String() != "postgresql://ada:***@db:5432/v6" {
			t.Errorf("printed as %s", d)
		}
		if _, err := at.Database(config.Secret("postgresql://ada:geheim-7"+escaped+"@db:port/v6"), ""); err == nil || strings.Contains(err.Error(), "geheim-7") {
			t.Errorf("wrong port: %v", err)
		}
	})
}
