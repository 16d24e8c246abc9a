package service

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/config"
	"vserver/service/promise"
)

// bouncer starts the PgBouncer of the machine before the PostgreSQL of a database, and returns the way through it.
func bouncer(t *testing.T, direct, mode string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !executable(program) {
			t.Skip("NOT TESTED: PgBouncer, since it is not installed")
		}
	}
	at, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	dir, err := os.MkdirTemp("", "vserver-bouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	password, _ := at.User.Password()
	text := fmt.Sprintf("[databases]\n* = host=%s port=%s user=%s password=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\n"+
		"auth_type = any\npool_mode = %s\ndefault_pool_size = 40\nmax_client_conn = 500\nunix_socket_dir =\n",
		at.Hostname(), at.Port(), at.User.Username(), password, port, mode)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, file)
	if os.Getuid() == 0 { // it refuses to run as root
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	at.Host = fmt.Sprintf("127.0.0.1:%d", port)
	holds(t, "PgBouncer takes connections", func() bool {
		conn, err := net.DialTimeout("tcp", at.Host, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return at.String()
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode()&0o111 != 0
}

// TestServersBehindPgBouncer: nodes work at two servers, of which one reaches the database through PgBouncer. Where
// notifications do not get through it says so, and events come nevertheless; with uri_listen they come at once.
func TestServersBehindPgBouncer(t *testing.T) {
	for _, c := range []struct{ mode, pooler, listen string }{
		{"session", "session", ""}, {"transaction", "", ""}, {"transaction", "transaction", "direct"},
	} {
		t.Run(c.mode+c.listen, func(t *testing.T) {
			t.Parallel()
			f, r := replicas(t, 1, 10)
			inst := r[0].inst
			direct := inst.Database.DSN
			inst.Name, inst.File, inst.LogFile = "bounced", "/etc/bounced.yaml", filepath.Join(t.TempDir(), "bounced.log")
			inst.Database = asConfigured(queries.Source{Engine: queries.Postgres, DSN: bouncer(t, direct.Reveal(), c.mode)})
			inst.Config.Pooler = c.pooler
			if c.listen != "" {
				inst.Database.Direct = direct
			}
			bounced := &replica{inst: inst, proxy: r[0].proxy}
			bounced.begin(t)
			node := bounced.socket(f.keys[0].token(f))
			f.post("one")
			t.Logf("an event was heard after %s", hears(t, node, `"new_task",1]`, 5*time.Second))
			_ = node.CloseNow()
			f.work(bounced.address)
			f.post("two")
			f.await(20)
			deaf := strings.Contains(content(t, inst.LogFile), "Notifications of PostgreSQL do not arrive")
			if deaf != (c.mode == "transaction" && c.listen == "") {
				t.Errorf("that notifications do not arrive is said: %t", deaf)
			}
			if text := content(t, inst.LogFile); strings.Contains(text, "ERROR") {
				t.Error(text)
			}
		})
	}
}

// TestReliability_R8_EveryConnectionIsCutBehindPgBouncer is the test of nodes whose connections are cut, with a server
// that reaches its database through PgBouncer, in both modes.
func TestReliability_R8_EveryConnectionIsCutBehindPgBouncer(t *testing.T) {
	if !promise.Long() {
		t.Skip("PgBouncer below many nodes is tried by make test-long")
	}
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			inst := configured(t)
			if inst.Database.Engine != config.Postgres {
				t.Skip("skipped: SQLite has no pooler")
			}
			direct := inst.Database.DSN
			inst.Database = asConfigured(queries.Source{Engine: queries.Postgres, DSN: bouncer(t, direct.Reveal(), mode)})
			inst.Config.Pooler, inst.Database.Direct = mode, direct // that for the schema
			newFieldOf(t, inst, 10).everyConnectionIsCut(200, 500*time.Millisecond)
		})
	}
}

// TestMigrationsGoPastPoolers: a database that has to change is not changed through one.
func TestMigrationsGoPastPoolers(t *testing.T) {
	t.Parallel()
	inst := configured(t)
	if inst.Database.Engine != config.Postgres {
		t.Skip("skipped: SQLite has no pooler")
	}
	direct := queries.Source{Engine: queries.Postgres, DSN: dbtest.Postgres(t).DSN}
	src := direct
	src.DSN = bouncer(t, direct.DSN, "transaction")
	if _, err := queries.Open(t.Context(), src); err == nil || !strings.Contains(err.Error(), "uri_listen") {
		t.Errorf("an empty database: %v", err)
	}
}
