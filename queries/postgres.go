package queries

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// withoutEffect are options of libpq that the driver would take for settings of the
// server, which refuses them. None matters here.
var withoutEffect = []string{
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
	"gssencmode", "gsslib", "gssdelegation", "sslcompression", "requirepeer", "fallback_application_name",
	"load_balance_hosts", "replication", "client_encoding", "requiressl",
}

// CheckPostgres returns what is wrong with a connection string, without connecting.
func CheckPostgres(dsn string) error {
	_, err := postgresConfig(dsn)
	return err
}

// openPostgresPool returns connections to a database, of which none is made yet.
func openPostgresPool(dsn string) (*sql.DB, error) {
	settings, err := postgresConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("opening Postgres: %w", err)
	}
	// A pooler may lie between, which passes statements on to any of its connections.
	settings.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	return stdlib.OpenDB(*settings, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		if through, err := throughPooler(ctx, c.PgConn()); err != nil || through {
			return err
		}
		_, err := c.Exec(ctx, "SET jit = off") // compiling a statement costs more than any of ours takes
		return err
	})), nil
}

// postgresConfig reads a connection string as libpq does, also where the driver does
// not (/docs/configuration#database).
func postgresConfig(dsn string) (*pgx.ConnConfig, error) {
	dsn = adapted(dsn)
	settings, err := parsePostgres(dsn)
	if err != nil {
		return nil, err
	}
	given := settings.RuntimeParams
	changed := false
	if address := given["hostaddr"]; address != "" && strings.HasPrefix(settings.Host, "/") {
		dsn, changed = withOption(dsn, "host", address), true
	}
	if given["requiressl"] == "1" && !strings.Contains(dsn, "sslmode=") {
		dsn, changed = withOption(dsn, "sslmode", "require"), true
	}
	if severalHosts(settings) && !strings.Contains(dsn, "connect_timeout=") && os.Getenv("PGCONNECT_TIMEOUT") == "" {
		dsn, changed = withOption(dsn, "connect_timeout", timeOfOneHost), true
	}
	if changed {
		if settings, err = parsePostgres(dsn); err != nil {
			return nil, err
		}
		given = settings.RuntimeParams
	}
	if err := restrictTLS(settings, given); err != nil {
		return nil, err
	}
	useAddresses(settings, given["hostaddr"])
	for _, key := range append([]string{"hostaddr", "sslcrl", "sslcrldir", "ssl_min_protocol_version", "ssl_max_protocol_version"}, withoutEffect...) {
		delete(given, key)
	}
	return settings, nil
}

// timeOfOneHost is how many seconds one of several hosts may take before the next one is tried.
const timeOfOneHost = "3"

// parsePostgres has the driver read a connection string. Its errors show the string,
// whose password they hide as far as they find it; here they lose it.
func parsePostgres(dsn string) (*pgx.ConnConfig, error) {
	settings, err := pgx.ParseConfig(dsn)
	if err == nil {
		return settings, nil
	}
	text := err.Error()
	if _, reason, found := strings.Cut(text, "`: "); found {
		text = reason
	}
	return nil, errors.New("the URI of Postgres cannot be used: " + text)
}

// withOption sets an option of a connection string.
func withOption(dsn, key, value string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn
	}
	options := u.Query()
	options.Set(key, value)
	u.RawQuery = encodedOptions(options)
	return u.String()
}

// encodedOptions writes options without a + for a blank, which libpq would not read so.
func encodedOptions(options url.Values) string {
	return strings.ReplaceAll(options.Encode(), "+", "%20")
}

// adapted leaves out what libpq goes on without: files of certificates that are not
// there, a time below zero. It names the machine's file of services when the account has
// none.
func adapted(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn
	}
	options := u.Query()
	mode := cmp.Or(options.Get("sslmode"), os.Getenv("PGSSLMODE"))
	if root := options.Get("sslrootcert"); root != "system" && absent(root) && !strings.HasPrefix(mode, "verify-") {
		options.Del("sslrootcert")
	}
	if absent(options.Get("sslcert")) {
		options.Del("sslcert")
		options.Del("sslkey")
	}
	if strings.HasPrefix(options.Get("connect_timeout"), "-") {
		options.Del("connect_timeout")
	}
	home, _ := os.UserHomeDir()
	if options.Get("service") != "" && options.Get("servicefile") == "" && os.Getenv("PGSERVICEFILE") == "" && absent(filepath.Join(home, ".pg_service.conf")) {
		for _, file := range []string{filepath.Join(cmp.Or(os.Getenv("PGSYSCONFDIR"), "/etc/postgresql-common"), "pg_service.conf"), "/etc/sysconfig/pgsql/pg_service.conf"} {
			if !absent(file) {
				options.Set("servicefile", file)
				break
			}
		}
	}
	u.RawQuery = encodedOptions(options)
	return u.String()
}

// absent reports whether a file is named that is not there.
func absent(file string) bool {
	_, err := os.Stat(file) //nolint:gosec // the administrator names the file
	return file != "" && errors.Is(err, os.ErrNotExist)
}

// useAddresses connects to given addresses in place of looking hosts up, whose names
// then serve certificates only.
func useAddresses(settings *pgx.ConnConfig, list string) {
	if list == "" {
		return
	}
	addresses := map[string]string{}
	hosts := []string{settings.Host}
	for _, f := range settings.Fallbacks {
		if f.Host != hosts[len(hosts)-1] {
			hosts = append(hosts, f.Host)
		}
	}
	for i, address := range strings.Split(list, ",") {
		if i < len(hosts) && address != "" {
			addresses[hosts[i]] = address
		}
	}
	look := settings.LookupFunc
	settings.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		if address := addresses[host]; address != "" {
			return []string{address}, nil
		}
		return look(ctx, host)
	}
}

// versionsOfTLS by the words of libpq.
var versionsOfTLS = map[string]uint16{
	"": 0, "TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13,
}

// restrictTLS limits the versions of TLS, and refuses certificates that lists have
// revoked.
func restrictTLS(settings *pgx.ConnConfig, given map[string]string) error {
	least, known := versionsOfTLS[given["ssl_min_protocol_version"]]
	most, also := versionsOfTLS[given["ssl_max_protocol_version"]]
	if !known || !also || most != 0 && least > most {
		return errors.New("the URI of Postgres cannot be used: ssl_min_protocol_version and ssl_max_protocol_version must be among TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3, the first no greater than the second")
	}
	lists, err := revocations(given["sslcrl"], given["sslcrldir"])
	if err != nil {
		return err
	}
	restrict := func(c *tls.Config) {
		if c == nil {
			return
		}
		c.MinVersion, c.MaxVersion = least, most
		if len(lists) > 0 {
			c.VerifyConnection = func(s tls.ConnectionState) error { return refuseRevoked(s.PeerCertificates, lists) }
		}
	}
	restrict(settings.TLSConfig)
	for _, f := range settings.Fallbacks {
		restrict(f.TLSConfig)
	}
	return nil
}

// revocations reads lists of revoked certificates. As for libpq a file that is not
// there revokes nothing.
func revocations(file, dir string) ([]*x509.RevocationList, error) {
	var files []string
	if dir != "" {
		files, _ = filepath.Glob(filepath.Join(dir, "*")) // the pattern is sound
	}
	var lists []*x509.RevocationList
	for _, name := range append(files, file) {
		text, err := os.ReadFile(name)
		if name == "" || errors.Is(err, os.ErrNotExist) {
			continue
		}
		for err == nil {
			block, rest := pem.Decode(text)
			if block == nil {
				break
			}
			var list *x509.RevocationList
			if list, err = x509.ParseRevocationList(block.Bytes); err == nil {
				lists, text = append(lists, list), rest
			}
		}
		if err != nil {
			return nil, fmt.Errorf("the URI of Postgres cannot be used: reading sslcrl %s: %w", name, err)
		}
	}
	return lists, nil
}

func refuseRevoked(shown []*x509.Certificate, lists []*x509.RevocationList) error {
	for _, cert := range shown {
		for _, list := range lists {
			if string(list.RawIssuer) != string(cert.RawIssuer) {
				continue
			}
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 {
					return fmt.Errorf("the certificate of Postgres, serial number %s, is revoked", cert.SerialNumber)
				}
			}
		}
	}
	return nil
}
