package upkeep

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/instance"
	"vserver/service/mail"
)

// Verdict is what a check came to.
type Verdict string

// The verdicts.
const (
	Sound   Verdict = "ok"
	Doubt   Verdict = "warning" // works, and should be looked at
	Failure Verdict = "failure" // does not work, or will not for long
	Skipped Verdict = "skipped" // does not apply here
)

// Finding is what one check of an instance found, and what to do about it.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	Advice  string  `json:"advice,omitempty"`
}

// examination is what the checks look at.
type examination struct {
	inst      config.Instance
	locations config.Locations
	now       time.Time
}

// Examine runs every check on an instance, whether or not its server runs, and
// changes nothing. A check may have several findings; all have at least one.
func Examine(ctx context.Context, locations config.Locations, inst config.Instance, now time.Time) []Finding {
	e := examination{inst, locations, now}
	var all []Finding
	for _, check := range []struct {
		name string
		run  func(context.Context) []Finding
	}{
		{"configuration", e.configuration}, {"permissions", e.permissions}, {"port", e.port},
		{"database", e.database}, {"migrations", e.migrations}, {"keys", e.keys}, {"old node keys", e.oldKeys}, {"second factor", e.secondFactor},
		{"clock", e.clock}, {"disk", e.disk},
		{"mail", e.mail}, {"vpn", e.vpn}, {"certificate", e.certificate}, {"cors", e.cors}, {"proxy", e.proxy},
	} {
		for _, f := range check.run(ctx) {
			f.Check = check.name
			all = append(all, f)
		}
	}
	return all
}

func sound(format string, args ...any) []Finding {
	return []Finding{{Verdict: Sound, Text: fmt.Sprintf(format, args...)}}
}

func skipped(text string) []Finding { return []Finding{{Verdict: Skipped, Text: text}} }

func failing(advice string, err error) []Finding {
	return []Finding{{Verdict: Failure, Text: err.Error(), Advice: advice}}
}

func (e examination) configuration(context.Context) []Finding {
	var found []Finding
	for _, w := range e.inst.Warnings {
		// Open origins have a check of their own; so has a key that is not there.
		if !strings.HasSuffix(w.Key, ".cors_allowed_origins") && (!e.inst.Config.JWTSecretGenerated || !strings.HasSuffix(w.Key, ".jwt_secret_key")) {
			found = append(found, Finding{Verdict: Doubt, Text: w.String(), Advice: "correct the configuration"})
		}
	}
	if e.inst.Config.JWTSecretGenerated {
		found = append(found, Finding{
			Verdict: Doubt, Text: "jwt_secret_key is not set: every start ends all log-ins",
			Advice: "set jwt_secret_key to a long random text",
		})
	}
	for _, r := range service.Refusals(e.inst) {
		fault := e.locations.FaultAt(e.inst, r)
		found = append(found, Finding{Verdict: Failure, Text: fault.Error(), Advice: "correct the configuration"})
	}
	if found == nil {
		return sound("%s, environment %s", e.inst.File, e.inst.Config.Environment)
	}
	return found
}

func (e examination) port(ctx context.Context) []Finding {
	if r, ok := instance.Find(e.locations, e.inst); ok {
		return sound("the server runs at %s", r.URL)
	}
	l, err := service.Listen(ctx, e.inst.Config)
	if err != nil {
		return failing("end the program that has the port, or change ip or port of the configuration", err)
	}
	at := l.Addr()
	_ = l.Close()
	found := sound("%s is free", at)
	if m := e.inst.Config.Metrics; m != nil {
		l, err := service.Listen(ctx, config.Config{IP: m.IP, Port: m.Port})
		if err != nil {
			return append(found, failing("end the program that has the port, or change ip or port of metrics", err)...)
		}
		_ = l.Close()
	}
	return found
}

func (e examination) database(ctx context.Context) []Finding {
	if foreign, ok := errors.AsType[*queries.ForeignError](service.RefuseForeign(ctx, e.inst)); ok {
		return failing(foreign.Remedy(), foreign)
	}
	if e.inst.Database.Engine == config.Postgres {
		if _, err := ReadSchema(ctx, e.inst); err != nil {
			return failing("check uri of the configuration, and that Postgres runs", err)
		}
		found := sound("Postgres answers at %s", e.inst.Database.Host)
		if err := service.RequireStandby(ctx, e.inst); err != nil {
			found = append(found, failing("give PostgreSQL a synchronous standby, or set sync to any", err)...)
		}
		if _, err := exec.LookPath("pg_dump"); err != nil {
			found = append(found, Finding{
				Verdict: Doubt, Text: "pg_dump is not installed: this machine can make no backup of the database",
				Advice: "install the client programs of Postgres, of the version of its server",
			})
		}
		return found
	}
	path := e.inst.Database.Path
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return sound("%s does not exist yet, the first start makes it", path)
	}
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		return sound("%s is empty, the first start fills it", path)
	}
	if err := queries.ProveSQLite(path); err != nil {
		return failing(queries.Remedy(err), err)
	}
	return sound("%s is sound", path)
}

func (e examination) migrations(ctx context.Context) []Finding {
	s, err := ReadSchema(ctx, e.inst)
	switch {
	case isForeign(err):
		return skipped("the database is not of this server, see its check")
	case err != nil:
		return failing("see the check of the database", err)
	case s.Has > s.Knows:
		return failing("install the release that wrote it, or a newer one",
			fmt.Errorf("the database has schema version %d, this program knows up to %d", s.Has, s.Knows))
	case s.Has > 0 && len(s.Pending) > 0:
		return []Finding{{
			Verdict: Doubt, Text: fmt.Sprintf("the schema has version %d of %d", s.Has, s.Knows),
			Advice: "make a backup; vserver migrate up or the next start does the rest",
		}}
	case s.Has == 0:
		return sound("the first start makes the tables")
	}
	return sound("the schema has version %d, the newest", s.Has)
}

// keys looks for public keys that nobody can encrypt with.
func (e examination) keys(ctx context.Context) (found []Finding) {
	s, err := ReadSchema(ctx, e.inst)
	if err != nil || s.Has == 0 || s.Has != s.Knows {
		return skipped("the database cannot be read as it is, see its check")
	}
	db, err := queries.Open(ctx, service.Source(e.inst))
	if err != nil {
		return failing("see the check of the database", err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.FindOrganizations(ctx, queries.FindOrganizationsParams{})
	if err != nil {
		return failing("see the check of the database", err)
	}
	for _, o := range rows {
		if len(o.PublicKey) > 0 && !core.HoldsRSAKey(o.PublicKey) {
			found = append(found, Finding{
				Verdict: Doubt, Text: fmt.Sprintf("the public_key of organization %d %s", o.ID, core.TextNoRSAKey),
				Advice: "have its node upload the key again, or set it with PATCH organization",
			})
		}
	}
	if found == nil {
		return sound("every public key is one that clients can encrypt with")
	}
	return found
}

// clock compares the clock with what should be in the past, and with that of Postgres.
func (e examination) clock(ctx context.Context) []Finding {
	const slack = time.Minute
	const advice = "set the clock, and keep it with NTP: tokens are valid by the clock"
	for _, file := range []string{e.inst.File, e.inst.Database.Path, e.inst.LogFile} {
		if info, err := os.Stat(file); err == nil && info.ModTime().After(e.now.Add(slack)) {
			return failing(advice, fmt.Errorf("it is %s here, but %s was written later, at %s",
				e.now.UTC().Format(time.RFC3339), file, info.ModTime().UTC().Format(time.RFC3339)))
		}
	}
	if e.inst.Database.Engine == config.Postgres {
		theirs, err := queries.ClockOfPostgres(ctx, e.inst.Database.DSN.Reveal())
		if err != nil {
			return skipped("Postgres does not tell the time")
		}
		if apart := theirs.Sub(e.now).Abs(); apart > slack {
			return failing(advice, fmt.Errorf("the clocks of this machine and of Postgres are %s apart", apart.Round(time.Second)))
		}
	}
	return sound("it is %s", e.now.UTC().Format(time.RFC3339))
}

func (e examination) disk(context.Context) []Finding {
	const least, little = 100 << 20, 1 << 30 // bytes
	var found []Finding
	dirs := []string{e.inst.DataDir, filepath.Dir(e.inst.LogFile)}
	if e.inst.Database.Engine == config.SQLite && filepath.Dir(e.inst.Database.Path) != e.inst.DataDir {
		dirs = append(dirs, filepath.Dir(e.inst.Database.Path))
	}
	for _, dir := range slices.Compact(dirs) {
		if err := mayWrite(existing(dir)); err != nil {
			found = append(found, failing("give the folder to the account that the server runs as, or ask as that one",
				fmt.Errorf("nothing can be written to %s: %w", dir, err))...)
			continue
		}
		free, err := queries.FreeSpace(existing(dir))
		switch f := (Finding{Text: fmt.Sprintf("%d MiB are free for %s", free>>20, dir), Advice: "make room"}); {
		case err != nil:
			found = append(found, failing("look at the disk", err)...)
		case free < least:
			f.Verdict = Failure
			found = append(found, f)
		case free < little:
			f.Verdict = Doubt
			found = append(found, f)
		default:
			found = append(found, sound("%s", f.Text)...)
		}
	}
	return found
}

// mayWrite returns why files cannot be made in a folder, nil when they can.
func mayWrite(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is no folder", dir)
	}
	return writable(dir)
}

// existing is a folder, or the one above that is there already.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// mail connects and logs in, and sends nothing. A failure is no more than a doubt: the
// server works without mail.
func (e examination) mail(ctx context.Context) []Finding {
	const patience = 20 * time.Second
	if !e.inst.Config.SMTP.Configured {
		return skipped("smtp is not configured")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := mail.New(e.inst.Config)
	if err := s.Probe(ctx); err != nil {
		return []Finding{{
			Verdict: Doubt, Text: fmt.Sprintf("the mail server at %s cannot be used: %s", s.Place(), err),
			Advice: "check smtp of the configuration, and the firewall; vserver mail test ADDRESS shows the whole conversation",
		}}
	}
	return sound("the mail server at %s takes mail from %s", s.Place(), s.From())
}

func (e examination) certificate(context.Context) []Finding {
	const soon = 21 * 24 * time.Hour
	files := e.inst.Config.TLS
	if files == nil {
		return skipped("tls is not configured")
	}
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return failing("check cert and key of tls", fmt.Errorf("reading the certificate: %w", err))
	}
	const renew = "renew the certificate; the server takes the new one without a restart"
	until := pair.Leaf.NotAfter
	day := until.UTC().Format(time.DateOnly)
	switch left := until.Sub(e.now); {
	case pair.Leaf.NotBefore.After(e.now):
		return failing("check the clock and the certificate", fmt.Errorf("the certificate is not valid before %s", pair.Leaf.NotBefore.UTC().Format(time.DateOnly)))
	case left < 0:
		return failing(renew, fmt.Errorf("the certificate was valid until %s", day))
	case left < soon:
		return []Finding{{Verdict: Doubt, Text: "the certificate is valid until " + day, Advice: renew}}
	}
	return sound("the certificate is valid until %s", day)
}

// proxy looks for a proxy that nobody listed, as far as the log knows.
func (e examination) proxy(context.Context) (found []Finding) {
	for _, at := range service.UnknownProxies(e.inst) {
		found = append(found, Finding{
			Verdict: Doubt, Text: fmt.Sprintf("the proxy %s forwards requests, and trusted_proxies does not list it: limits and locks by address do not apply", at),
			Advice: fmt.Sprintf("if it is yours, add this line to the environment in the configuration: trusted_proxies: [%s]", at),
		})
	}
	if found == nil {
		return sound("no proxy forwards requests that trusted_proxies does not list")
	}
	return found
}

func (e examination) cors(context.Context) []Finding {
	if e.inst.Config.CORSAllowedOrigins.Any {
		return []Finding{{
			Verdict: Doubt, Text: "web pages of any origin may read answers",
			Advice: "list the origins of your web UIs under cors_allowed_origins",
		}}
	}
	if len(e.inst.Config.TrustedProxies) > 0 && !named(e.inst.Config) {
		return []Finding{{
			Verdict: Doubt, Text: "no setting says by which name people reach this server through its proxy: web pages of that name are refused",
			Advice: "set public_url to the address that people use, such as https://vserver.example.org",
		}}
	}
	return sound("only listed origins may read answers")
}

// named reports whether the configuration has a name under which others reach the server.
func named(c config.Config) bool {
	return slices.ContainsFunc(slices.Concat(c.PublicURL, c.CORSAllowedOrigins.List), func(address string) bool {
		u, err := url.Parse(address)
		return err == nil && u.Hostname() != "localhost" && net.ParseIP(u.Hostname()) == nil
	})
}
