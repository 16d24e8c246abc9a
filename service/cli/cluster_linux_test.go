package cli_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/freeport"
	"vserver/service/promise"
)

// cluster is a primary and a streaming standby of PostgreSQL that a test has for itself.
type cluster struct {
	bin, dir string
	as       *syscall.SysProcAttr // PostgreSQL refuses to run as root
	ports    [2]int
	running  [2]*exec.Cmd
	primary  int
	sync     bool // commits wait for the standby
}

func newCluster(t *testing.T, sync bool) *cluster {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Skip("NOT TESTED: failover, since there is no initdb of Debian")
	}
	slices.Sort(found)
	c := &cluster{bin: filepath.Dir(found[len(found)-1]), sync: sync, as: &syscall.SysProcAttr{}}
	if c.dir, err = os.MkdirTemp("", "vserver-cluster-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for i := range c.running {
			c.kill(i)
		}
		_ = os.RemoveAll(c.dir)
	})
	if os.Getuid() == 0 {
		c.becomePostgres(t)
	}
	for i := range c.ports {
		if c.ports[i], err = freeport.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte("failover"), 0o644); err != nil { // for the account of PostgreSQL
		t.Fatal(err)
	}
	c.do(t, "initdb", "--no-sync", "-D", c.data(0), "-U", "postgres", "--pwfile", secret, "--auth-local", "trust",
		"--auth-host", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8")
	c.start(t, 0)
	c.ask(t, 0, "postgres", "CREATE DATABASE served")
	c.follow(t)
	return c
}

func (c *cluster) becomePostgres(t *testing.T) {
	t.Helper()
	account, err := user.Lookup("postgres")
	if err != nil {
		t.Skipf("NOT TESTED: failover: %v", err)
	}
	uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	c.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(c.dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) data(i int) string { return filepath.Join(c.dir, strconv.Itoa(i)) }

// do runs a program of PostgreSQL.
func (c *cluster) do(t *testing.T, program string, args ...string) {
	t.Helper()
	p := exec.CommandContext(t.Context(), filepath.Join(c.bin, program), args...)
	p.Dir, p.SysProcAttr = c.dir, c.as
	if out, err := p.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// start starts one of the two, as what its files say that it is.
func (c *cluster) start(t *testing.T, i int) {
	t.Helper()
	p := exec.Command(filepath.Join(c.bin, "postgres"), "-D", c.data(i), "-p", strconv.Itoa(c.ports[i]), "-k", c.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "jit=off", "-c", "cluster_name=standby", "-c", "wal_receiver_status_interval=1s")
	p.Dir, p.SysProcAttr = c.dir, c.as
	said := &bytes.Buffer{}
	p.Stdout, p.Stderr = said, said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	c.running[i] = p
	for end := time.Now().Add(promise.Patience); ; time.Sleep(20 * time.Millisecond) {
		if _, err := c.read(t, i, "postgres", "SELECT 1"); err == nil {
			return
		} else if time.Now().After(end) {
			t.Fatalf("PostgreSQL does not start: %v\n%s", err, said)
		}
	}
}

// kill ends one at once, with all of its processes.
func (c *cluster) kill(i int) {
	p := c.running[i]
	if p == nil {
		return
	}
	children := childrenOf(p.Process.Pid)
	_ = p.Process.Kill()
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = p.Wait()
	c.running[i] = nil
}

func childrenOf(parent int) (list []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var state string
		var of int
		_, rest, _ := strings.Cut(string(text), ") ")
		if _, err := fmt.Sscan(rest, &state, &of); err == nil && of == parent {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}

// follow makes the other one a standby of the primary.
func (c *cluster) follow(t *testing.T) {
	t.Helper()
	i := 1 - c.primary
	c.kill(i)
	if err := os.RemoveAll(c.data(i)); err != nil {
		t.Fatal(err)
	}
	c.ask(t, c.primary, "postgres", "ALTER SYSTEM RESET synchronous_standby_names")
	c.do(t, "pg_basebackup", "-D", c.data(i), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h", c.dir,
		"-p", strconv.Itoa(c.ports[c.primary]), "-U", "postgres")
	c.start(t, i)
	if c.sync {
		c.ask(t, c.primary, "postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
		c.ask(t, c.primary, "postgres", "SELECT pg_reload_conf()")
	}
	state := map[bool]string{true: "sync", false: "async"}[c.sync]
	for end := time.Now().Add(promise.Patience); ; time.Sleep(20 * time.Millisecond) {
		n, err := c.read(t, c.primary, "postgres", "SELECT COUNT(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '"+state+"'")
		if err == nil && n == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("there is no %s standby: %d %v", state, n, err)
		}
	}
}

// promote makes the standby the primary.
func (c *cluster) promote(t *testing.T) {
	t.Helper()
	c.primary = 1 - c.primary
	c.do(t, "pg_ctl", "promote", "-s", "-w", "-D", c.data(c.primary))
}

func (c *cluster) source(i int, database string) queries.Source {
	return queries.Source{Engine: queries.Postgres, DSN: fmt.Sprintf("postgres://postgres:failover@127.0.0.1:%d/%s?sslmode=disable", c.ports[i], database)}
}

// both names the two, the first one first.
func (c *cluster) both() queries.Source {
	return queries.Source{Engine: queries.Postgres, DSN: fmt.Sprintf("postgres://postgres:failover@127.0.0.1:%d,127.0.0.1:%d/served?sslmode=disable", c.ports[0], c.ports[1])}
}

func (c *cluster) ask(t *testing.T, i int, database, statement string) {
	t.Helper()
	db, err := dbtest.SQL(c.source(i, database))
	if err == nil {
		_, err = db.ExecContext(t.Context(), statement)
		_ = db.Close()
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (c *cluster) read(t *testing.T, i int, database, query string) (n int64, err error) {
	t.Helper()
	var db *sql.DB
	if db, err = dbtest.SQL(c.source(i, database)); err == nil {
		err = db.QueryRowContext(t.Context(), query).Scan(&n)
		_ = db.Close()
	}
	return n, err
}
