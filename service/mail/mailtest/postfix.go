package mailtest

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// Postfix starts Debian's Postfix. It wants a name with a dot as greeting, and checks
// passwords with PLAIN, LOGIN, CRAM-MD5 and SCRAM.
func Postfix(t testing.TB) *MTA {
	t.Helper()
	dir := folder(t)
	certs := newCertificates(t, dir)
	m := &MTA{Name: "Postfix", CA: certs.ca, Own: certs.local, boxes: filepath.Join(dir, "boxes"), log: filepath.Join(dir, "log")}
	freePorts(t, &m.StartTLS, &m.TLS, &m.Plain, &m.OtherName, &m.LoginOnly)
	for _, sub := range []string{"boxes", "config", "config/sasl", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil { //nolint:gosec // used by its accounts
			t.Fatal(err)
		}
	}
	uid, gid := account(t, "postfix")
	for _, sub := range []string{"boxes", "data"} {
		if err := os.Chown(filepath.Join(dir, sub), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	users := filepath.Join(dir, "users")
	run(t, Password, "saslpasswd2", "-p", "-c", "-f", users, "-u", "example.org", User)
	if err := os.Chown(users, uid, gid); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "config", "sasl", "smtpd.conf"), lines(`
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: %s
mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256
`, users))
	write(t, filepath.Join(dir, "config", "main.cf"), lines(postfixMain, dir, uid, gid, certs.local, certs.localKey))
	secured := " -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject"
	service := func(port int, options string) string {
		return "127.0.0.1:" + strconv.Itoa(port) + " inet n - n - - smtpd" + options + "\n"
	}
	write(t, filepath.Join(dir, "config", "master.cf"),
		service(m.StartTLS, secured)+
			service(m.TLS, secured+" -o smtpd_tls_wrappermode=yes")+
			service(m.Plain, " -o smtpd_tls_security_level=none")+
			service(m.OtherName, secured+" -o smtpd_tls_cert_file="+certs.other+" -o smtpd_tls_key_file="+certs.otherKey)+
			service(m.LoginOnly, secured+" -o smtpd_sasl_mechanism_filter=login")+lines(postfixServices))
	serve(t, m, m.Plain, "postfix", "-c", filepath.Join(dir, "config"), "start-fg")
	t.Cleanup(func() {
		_ = exec.CommandContext(context.WithoutCancel(t.Context()), "postfix", "-c", filepath.Join(dir, "config"), "abort").Run() //nolint:gosec // of this test
	})
	return m
}

func account(t testing.TB, name string) (uid, gid int) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ = strconv.Atoi(u.Uid)
	gid, _ = strconv.Atoi(u.Gid)
	return uid, gid
}

// postfixMain is main.cf. Its arguments: 1 the folder, 2 and 3 ids of user and group, 4 and 5
// certificate and key.
const postfixMain = `
compatibility_level = 3.6
myhostname = mail.example.org
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
virtual_mailbox_domains = example.org
virtual_mailbox_maps = static:all/
virtual_mailbox_base = %[1]s/boxes
virtual_uid_maps = static:%[2]d
virtual_gid_maps = static:%[3]d
smtpd_tls_cert_file = %[4]s
smtpd_tls_key_file = %[5]s
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = example.org
smtpd_sasl_security_options = noanonymous
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_error_sleep_time = 0
anvil_rate_time_unit = 1s
`

// postfixServices are the lines of master.cf for all that is not a port.
const postfixServices = `
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
`
