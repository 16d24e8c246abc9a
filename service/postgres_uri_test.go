package service

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/config"
)

// A URI as SQLAlchemy and psycopg2 take it reaches the database, whatever the password
// has in it; one that cannot says why without any part of the password.
func TestURIsOfOtherSoftwareReachPostgres(t *testing.T) {
	env := os.Getenv("VSERVER_TEST_POSTGRES")
	if env == "" {
		t.Skip("NOT TESTED: URIs of Postgres, since VSERVER_TEST_POSTGRES names none")
	}
	const role, password = "vserver uri@test", `g/e@h?e#i:m-7 +%`
	admin, err := dbtest.SQL(queries.Source{Engine: queries.Postgres, DSN: env})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	drop := func() { _, _ = admin.ExecContext(t.Context(), `DROP ROLE IF EXISTS "`+role+`"`) }
	drop()
	if _, err := admin.ExecContext(t.Context(), fmt.Sprintf(`CREATE ROLE %q LOGIN PASSWORD '%s'`, role, password)); err != nil {
		t.Skipf("NOT TESTED: URIs of Postgres, since no role can be made: %v", err)
	}
	defer drop()
	var sockets string
	if err := admin.QueryRowContext(t.Context(), "SHOW unix_socket_directories").Scan(&sockets); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(env)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pass":    fmt.Sprintf("*:*:*:%s:%s\n", role, strings.ReplaceAll(password, ":", `\:`)),
		"service": fmt.Sprintf("[v6]\nhost=nowhere.invalid\nhostaddr=127.0.0.1\nkeepalives=1\nport=%s\ndbname=postgres\n", at.Port()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PGSERVICEFILE", filepath.Join(dir, "service"))
	user, escaped := url.PathEscape(role), strings.ReplaceAll(url.QueryEscape(password), "+", "%20")
	host, end := at.Host, "/postgres?sslmode=prefer"
	uris := []string{
		user + ":" + escaped + "@" + host + end,
		user + ":" + strings.Replace(escaped, "%25", "%", 1) + "@" + host + end,
		user + ":g/e%40h?e#i:m-7 +%@" + host + end,
		user + ":g/e@h?e#i:m-7 +%@" + host + end,
		user + ":" + escaped + "@nowhere.invalid:" + at.Port() + end + "&hostaddr=" + at.Hostname(),
		user + ":" + escaped + "@" + end + "&hostaddr=" + at.Hostname() + "&port=" + at.Port(),
		user + ":" + escaped + "@127.0.0.1:1," + host + end + "&target_session_attrs=read-write",
		user + ":" + escaped + "@" + end + "&host=127.0.0.1:1&host=" + host + "&target_session_attrs=primary",
		user + ":" + escaped + "@" + host + end + "&sslrootcert=/none&sslcert=/none&sslkey=/none&sslcrl=/none&ssl_min_protocol_version=TLSv1.3",
		user + ":" + escaped + "@" + host + end + "&keepalives=1&gssencmode=disable&client_encoding=latin1&connect_timeout=0&requiressl=0",
		user + ":" + escaped + "@" + host + end + "&options=-c%20search_path%3Dpg_catalog",
		user + "@" + host + end + "&passfile=" + filepath.Join(dir, "pass"),
		user + ":" + escaped + "@?service=v6",
		host + "/?user=" + url.QueryEscape(role) + "&password=" + url.QueryEscape(password) + "&dbname=postgres",
	}
	if socket, _, _ := strings.Cut(sockets, ","); socket != "" {
		uris = append(uris, user+":"+escaped+"@"+url.QueryEscape(socket)+":"+at.Port()+end, user+":"+escaped+"@"+end+"&port="+at.Port()+"&host="+socket)
	}
	machine := config.Locations{GOOS: runtime.GOOS}
	for _, uri := range uris {
		d, err := machine.Database(config.Secret("postgresql+psycopg2://"+uri), "")
		if err == nil {
			_, err = queries.ClockOfPostgres(t.Context(), d.DSN.Reveal())
		}
		if err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for _, uri := range []string{
		user + ":" + escaped + "x@" + host + end, user + ":" + escaped + "@nowhere.invalid" + end, user + ":" + escaped + "@" + host + "/postgres?sslmode=geheim",
		user + ":" + escaped + "@" + host + end + "&ssl_min_protocol_version=2", user + ":" + escaped + "@" + host + "/postgres?sslmode=verify-full&sslrootcert=/none",
		user + ":" + escaped + "@" + host + end + "&foo=1",
	} {
		d, err := machine.Database(config.Secret("postgresql://"+uri), "")
		if err == nil {
			_, err = queries.ClockOfPostgres(t.Context(), d.DSN.Reveal())
		}
		if err == nil || strings.Contains(err.Error(), "g/e") || strings.Contains(err.Error(), "m-7") || strings.Contains(err.Error(), "xxxxx") {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
