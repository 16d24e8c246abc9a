package mailtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// eximPath finds Exim, which Debian cannot install beside Postfix: .ci/test unpacks it.
func eximPath() string {
	if path, err := exec.LookPath("exim4"); err == nil {
		return path
	}
	dir, err := os.Getwd()
	for err == nil && dir != "/" {
		path := filepath.Join(dir, ".cache", "exim", "usr", "sbin", "exim4")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// Exim starts Debian's Exim. Its only way to log in is LOGIN, on a connection that is
// encrypted, as Debian has it.
func Exim(t testing.TB) *MTA {
	t.Helper()
	dir := folder(t)
	certs := newCertificates(t, dir)
	m := &MTA{Name: "Exim", CA: certs.ca, Own: certs.local, boxes: filepath.Join(dir, "boxes"), log: filepath.Join(dir, "log", "main")}
	freePorts(t, &m.StartTLS, &m.TLS, &m.Plain, &m.OtherName)
	m.LoginOnly = m.StartTLS
	uid, gid := account(t, "mail")
	for _, sub := range []string{"boxes", "spool", "log"} {
		path := filepath.Join(dir, sub)
		if err := os.Mkdir(path, 0o755); err != nil { //nolint:gosec // used by its account
			t.Fatal(err)
		}
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{certs.localKey, certs.otherKey} {
		if err := os.Chown(key, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "exim.conf")
	write(t, config, lines(eximConfiguration, dir, m.StartTLS, m.TLS, m.Plain, m.OtherName, certs.other, certs.otherKey, certs.local, certs.localKey, User, Password, eximPath()))
	run(t, "", eximPath(), "-C", config, "-bV")
	serve(t, m, m.Plain, eximPath(), "-C", config, "-bdf")
	return m
}

// eximConfiguration has as arguments: 1 the folder, 2 to 5 the ports for STARTTLS, TLS, neither
// and the other name, 6 to 9 certificate and key for the other name and for localhost, 10 and
// 11 name and password, 12 the program.
const eximConfiguration = `
exim_user = mail
exim_group = mail
exim_path = %[12]s
primary_hostname = mail.example.org
spool_directory = %[1]s/spool
log_file_path = %[1]s/log/%%s
log_selector = +tls_cipher
pid_file_path = %[1]s/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = %[2]d : %[3]d : %[4]d : %[5]d
tls_on_connect_ports = %[3]d
tls_advertise_hosts = ${if eq{$received_port}{%[4]d}{}{*}}
tls_certificate = ${if eq{$received_port}{%[5]d}{%[6]s}{%[8]s}}
tls_privatekey = ${if eq{$received_port}{%[5]d}{%[7]s}{%[9]s}}
acl_smtp_rcpt = check
acl_smtp_helo = greeted
never_users =
keep_environment =
begin acl
greeted:
  deny condition = ${if match{$sender_helo_name}{\N^\[|\.\N}{no}{yes}}
       message = a greeting needs a name with a dot
  accept
check:
  deny condition = ${if eq{$sender_address_domain}{}}
       message = sender address must contain a domain
  accept condition = ${if eq{$received_port}{%[4]d}}
  accept authenticated = *
  deny message = log in first
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  directory = %[1]s/boxes/all
  create_directory
  user = mail
  group = mail
begin authenticators
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{%[10]s}}{eq{$auth2}{%[11]s}}}}
  server_set_id = $auth1
  server_advertise_condition = ${if def:tls_in_cipher}
`
