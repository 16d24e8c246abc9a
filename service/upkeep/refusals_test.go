package upkeep

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service"
	"vserver/service/config"
)

// startable is a configuration that starts.
const startable = `application:
  description: d
  ip: 127.0.0.1
  port: 0
  api_path: /api
  uri: sqlite:///DIR/x.sqlite
  allow_drop_all: no
  jwt_secret_key: 3f0e2b6c-8a41-4d1b-9d0c-5a5f6b2d7e11-and-more
  cors_allowed_origins: []
  logging: {level: INFO, use_console: no, backup_count: 1, max_size: 64, file: DIR/x.log, format: "%(message)s", datefmt: ""}
`

// What a start refuses, the check of the configuration and doctor refuse as well, with
// file and line.
func TestCheckAndDoctorRefuseWhatAStartRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, c := range map[string]struct {
		old, changed string
		at           string // line and key; empty where a start goes well, a blank where only doctor can know
	}{
		"sound":                      {"", "", ""},
		"documented dots":            {"application:", "environments: ...\napplication:", ""},
		"environments as a number":   {startable, "environments: 5\n", ":1: environments: "},
		"environment as a number":    {startable, "environments:\n  prod: 5\n", ":2: environments.prod: "},
		"empty environment":          {startable, "environments: {prod: {}}\n", ": has no environment"},
		"address with too much":      {"ip: 127.0.0.1", "ip: 300.1.1.1", ":3: application.ip: "},
		"address of no machine":      {"ip: 127.0.0.1", "ip: 203.0.113.9", ":3: application.ip: "},
		"name of no machine":         {"ip: 127.0.0.1", "ip: nowhere.invalid", ":3: application.ip: "},
		"port taken":                 {"port: 0", "port: " + strings.TrimPrefix(taken.Addr().String(), "127.0.0.1:"), " "},
		"address of metrics":         {"  uri:", "  metrics: {port: 9100, ip: 203.0.113.9}\n  uri:", ":6: application.metrics.ip: "},
		"port of metrics taken":      {"  uri:", "  metrics: {port: " + strings.TrimPrefix(taken.Addr().String(), "127.0.0.1:") + "}\n  uri:", " "},
		"format of the log":          {"%(message)s", "%(nothing)s", ":10: application.logging.format: "},
		"log file that is a folder":  {"file: DIR/x.log", "file: DIR", ":10: application.logging.file: "},
		"log file below a file":      {"file: DIR/x.log", "file: DIR/c.yaml/x.log", ":10: application.logging.file: "},
		"database that is a folder":  {"DIR/x.sqlite", "DIR", ":6: application.uri: "},
		"database below a file":      {"DIR/x.sqlite", "DIR/c.yaml/x.sqlite", ":6: application.uri: "},
		"database with a wrong word": {"sqlite:///DIR/x.sqlite", "postgresql://a:b@127.0.0.1:1/x?sslmode=geheim", ":6: application.uri: "},
		"database without its root":  {"sqlite:///DIR/x.sqlite", "postgresql://a:b@127.0.0.1:1/x?sslmode=verify-ca&sslrootcert=DIR/none", ":6: application.uri: "},
		"database that is not there": {"sqlite:///DIR/x.sqlite", "postgresql://a:b@127.0.0.1:1/x", " "},
		"certificate":                {"  uri:", "  tls: {cert: none.pem, key: none.key}\n  uri:", ":6: application.tls: "},
		"certificate without a key":  {"  uri:", "  tls: {cert: none.pem}\n  uri:", ":6: application.tls.key: "},
		"an unreadable number":       {"port: 0", "port: many", ":4: application.port: "},
		"no YAML":                    {startable, "a: [", ":1: is not YAML"},
		"a secret that is not there": {"", "", "environment: VSERVER_JWT_SECRET_KEY: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "c.yaml")
			text := strings.ReplaceAll(strings.Replace(startable, c.old, c.changed, 1), "DIR", dir)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"HOME": dir}
			if strings.HasPrefix(c.at, "environment: ") {
				env["VSERVER_JWT_SECRET_KEY_FILE"] = dir + "/none"
			}
			locations := config.ThisMachine(func(name string) string { return env[name] })
			started := starts(t, locations, path)
			if (started == nil) != (c.at == "") {
				t.Fatalf("the start: %v", started)
			}
			report, err := locations.Check(path, service.Refusals)
			if err != nil {
				t.Fatal(err)
			}
			faults := strings.ReplaceAll(report.Faults.Error(), path, "")
			if at := strings.TrimSpace(c.at); (at == "") != (faults == "") || !strings.HasPrefix(faults, at) {
				t.Errorf("the check says %q, a start %v", faults, started)
			}
			doctor := strings.ReplaceAll(strings.Join(failures(t, locations, path), "\n"), path, "")
			if (c.at == "") != (doctor == "") || strings.HasPrefix(c.at, ":") && c.at != ": has no environment" && !strings.Contains(doctor, c.at) {
				t.Errorf("doctor says %q, a start %v", doctor, started)
			}
		})
	}
}

// starts tells why a configuration does not start, nil when it does.
func starts(t *testing.T, locations config.Locations, path string) error {
	inst, err := locations.Resolve(config.Wanted{File: path, Scope: config.User})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	return service.Run(ctx, inst, service.RunOptions{Ready: func(net.Addr) { stop() }})
}

// failures are what doctor, or the reading before it, finds.
func failures(t *testing.T, locations config.Locations, path string) []string {
	inst, err := locations.Resolve(config.Wanted{File: path, Scope: config.User})
	if faults, ok := errors.AsType[config.Faults](err); ok {
		return strings.Split(faults.Error(), "\n")
	}
	if err != nil {
		return []string{err.Error()}
	}
	var list []string
	for _, f := range Examine(t.Context(), locations, inst, time.Now()) {
		if f.Verdict == Failure {
			list = append(list, fmt.Sprint(f.Text))
		}
	}
	return slices.Compact(list)
}
