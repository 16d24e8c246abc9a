#!/bin/sh
# exim4-daemon-light 4.96-15+deb12u11 of Debian names the files of a Maildir with the microseconds of the second as they
# are, without leading zeros. Ordered by their names, mails of one second do not stand in the order of their arrival.
set -eu

version=4.96-15+deb12u11
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get download -qq -o APT::Sandbox::User=root "exim4-daemon-light=$version" >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x ./*.deb root
dpkg-deb -f ./*.deb Package Version
id Debian-exim >/dev/null 2>&1 || { echo "Exim wants the system user Debian-exim: useradd --system Debian-exim"; exit 1; }
mkdir spool log boxes
chown mail:mail spool log boxes
cat >exim.conf <<CONF
exim_user = mail
exim_group = mail
exim_path = $dir/root/usr/sbin/exim4
primary_hostname = mail.example.org
spool_directory = $dir/spool
log_file_path = $dir/log/%s
never_users =
keep_environment =
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  directory = $dir/boxes/all
  create_directory
  user = mail
  group = mail
CONF

number=0
until find boxes -name '*.M?????P*' | grep -q .; do
  number=$((number + 1))
  if [ "$number" -gt 300 ]; then
    echo "no longer so: each name has six digits"
    exit 1
  fi
  printf 'From: a@example.org\nTo: b@example.org\nSubject: %s\n\n.\n' "$number" |
    root/usr/sbin/exim4 -C "$dir/exim.conf" -odf -f a@example.org b@example.org >>exim.log 2>&1
done
echo "after $number mails a name has fewer than six digits for the microseconds:"
find boxes -name '*.M*P*' | sed 's/.*new\///; s/P.*//' | sort | tail -n 3
