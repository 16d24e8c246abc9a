#!/bin/sh
# Installs vserver, upgrades it, goes back, and takes it away again. It needs no network:
# the program comes from an archive of a release, from the folder of an unpacked one, or
# from a source tree where Go is installed.
set -eu

usage() {
  cat <<'EOF'
usage: ./install.sh [OPTIONS]

Installs vserver, or upgrades it when it is there. Without --file the program comes from
the unpacked archive or the source tree that this script lies in.

  --file FILE         the archive (.tar.gz) of a release, or the program itself
  --sha256 SUM        what sha256 of FILE must be; else FILE.sha256 or a SHA256SUMS beside
                      FILE must tell, or nothing is installed
  --name NAME         make a service of this configuration, and start it
  --environment NAME  the environment that the service runs, if not prod
  --prefix DIR        install to DIR/bin (default /usr/local)
  --user              for this user alone: to ~/.local, services of this user
  --rollback          go back to the program before the last upgrade
  --data              with --rollback: the data as well; what came since is lost
  --uninstall         remove program and services; configuration and data stay
  --everyone          with --uninstall: stop and remove what runs other programs, too
  --purge             with --uninstall: configurations, data and snapshots go too; what
                      is removed is kept in an archive
  --no-snapshot       upgrade without copying the databases first, or purge without archive
  --yes               do not ask before --purge
  --wait SECONDS      how long a server may take until it works (default 60)
  --dry-run           say what would be done, and do nothing
  --help              show this text

An upgrade stops the services, copies their databases, replaces the program and starts
the services again. When one of them does not work then, all is put back.

With DESTDIR set, only the files are put below that folder, or taken away from there:
no service or server is looked at, no account is made, and nothing outside is changed.
EOF
}

# ---------------------------------------------------------------- words

say() { printf '%s\n' "$*"; }

complain() { printf 'install.sh: %s\n' "$*" >&2; }

fail() {
  complain "$*"
  exit 1
}

misused() {
  complain "$*"
  complain "see ./install.sh --help"
  exit 2
}

# run COMMAND…: does it, or says what it would be.
run() {
  if [ "$dry" = yes ]; then say "would run: $*"; else "$@"; fi
}

# ---------------------------------------------------------------- options

file='' sum='' name='' environment='' prefix='' level=system action=install
data=no purge=no snapshot=yes dry=no wait=60 yes=no everyone=no

# value OPTION COUNT: an option needs one more word.
value() { [ "$2" -ge 2 ] || misused "$1 needs a value"; }

while [ $# -gt 0 ]; do
  case $1 in
    --file) value "$1" $#; file=$2; shift ;;
    --sha256) value "$1" $#; sum=$2; shift ;;
    --name) value "$1" $#; name=$2; shift ;;
    --environment) value "$1" $#; environment=$2; shift ;;
    --prefix) value "$1" $#; prefix=$2; shift ;;
    --wait) value "$1" $#; wait=$2; shift ;;
    --user) level=user ;;
    --rollback) action=rollback ;;
    --data) data=yes ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    --everyone) everyone=yes ;;
    --no-snapshot) snapshot=no ;;
    --yes) yes=yes ;;
    --dry-run) dry=yes ;;
    --help) usage; exit 0 ;;
    *) misused "unknown option: $1" ;;
  esac
  shift
done

case $wait in '' | *[!0-9]*) misused "--wait needs a number of seconds" ;; esac
case $file in *://*) misused "--file takes a file of this machine; fetch $file first" ;; esac
case ${prefix:-/} in /*) ;; *) misused "--prefix needs an absolute path" ;; esac
[ "$purge" = no ] || [ "$action" = uninstall ] || misused "--purge goes with --uninstall"
[ "$data" = no ] || [ "$action" = rollback ] || misused "--data goes with --rollback"
[ "$everyone" = no ] || [ "$action" = uninstall ] || misused "--everyone goes with --uninstall"
[ "$yes" = no ] || [ "$purge" = yes ] || misused "--yes goes with --purge"
[ "$snapshot" = yes ] || [ "$action" = install ] || [ "$purge" = yes ] || misused "--no-snapshot goes with an upgrade or --purge"
[ -z "${DESTDIR:-}" ] || [ -z "$name" ] || misused "--name makes a service of this machine: not with DESTDIR"
[ -z "${DESTDIR:-}" ] || [ "$data" = no ] || misused "--data puts back data of this machine: not with DESTDIR"
[ -z "$file" ] || [ -f "$file" ] || fail "$file does not exist"

# ---------------------------------------------------------------- places

# A staging folder, where nothing runs; or a whole machine below a folder, services
# included, for a trial.
staged=no
if [ -n "${DESTDIR:-}" ]; then staged=yes; fi
root=${DESTDIR:-${VSERVER_MACHINE:-}}
here=$(cd "$(dirname "$0")" && pwd)
tab=$(printf '\t')

if [ "$level" = user ]; then
  prefix=$root${prefix:-$HOME/.local}
  snapshots=$root${XDG_STATE_HOME:-$HOME/.local/state}/vserver/snapshots
else
  prefix=$root${prefix:-/usr/local}
  snapshots=$root/var/backups/vserver
fi
program=$prefix/bin/vserver
moment=$(date -u +%Y%m%dT%H%M%SZ)
# Here lies what an upgrade needs to go back:
#   vserver.previous  the program before the last upgrade
#   snapshot          the folder with the databases of that moment
#   replaced          the program before the upgrade that is under way
#   unfinished        the services that it has stopped
library=$prefix/lib/vserver

[ "$level" = user ] || [ -n "$root" ] || [ "$(id -u)" -eq 0 ] || [ "$dry" = yes ] ||
  fail "must run as root (sudo ./install.sh …); with --user it installs for you alone"

# ---------------------------------------------------------------- one at a time, and tidy

work=$(mktemp -d "${TMPDIR:-/tmp}/vserver-install.XXXXXX")
services=$work/services
stage=start # replacing: what was begun has to be put back
locked=no

finish() {
  code=$?
  trap - EXIT
  trap '' INT TERM HUP
  if [ "$stage" = replacing ]; then
    put_back || true
    code=1
  fi
  if [ "$locked" = yes ]; then
    rm -rf "$library/lock"
    rmdir "$library" 2>/dev/null || true # when nothing is kept there
  fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# lock keeps a second run away; one that was killed leaves a lock without a process.
lock() {
  [ "$dry" = no ] || return 0
  mkdir -p "$library"
  if ! mkdir "$library/lock" 2>/dev/null; then
    holder=$(cat "$library/lock/pid" 2>/dev/null || true)
    if [ -n "$holder" ] && kill -0 "$holder" 2>/dev/null; then
      fail "another install.sh is at work (process $holder)"
    fi
  fi
  locked=yes
  echo $$ >"$library/lock/pid"
}

# ---------------------------------------------------------------- the new program

# digest FILE prints its sha256.
digest() {
  if command -v sha256sum >/dev/null; then
    sha256sum <"$1"
  elif command -v shasum >/dev/null; then
    shasum -a 256 <"$1"
  else
    openssl dgst -sha256 -r <"$1"
  fi | cut -c1-64
}

# wanted FILE prints the sha256 that FILE must have, from what lies beside it.
wanted() {
  if [ -f "$1.sha256" ]; then
    cut -c1-64 <"$1.sha256"
  elif [ -f "$(dirname "$1")/SHA256SUMS" ]; then
    awk -v name="$(basename "$1")" '{n = $2; sub(/^\*/, "", n)} n == name {print $1; exit}' "$(dirname "$1")/SHA256SUMS"
  fi
}

# verify FILE COPY ends the run when the copy of FILE is not what FILE should be.
verify() {
  must=$(printf '%s' "${sum:-$(wanted "$1")}" | tr 'A-F' 'a-f')
  [ -n "$must" ] || fail "nothing tells the sha256 of $1: give --sha256, or put $(basename "$1").sha256 or SHA256SUMS beside it"
  is=$(digest "$2")
  [ "$is" = "$must" ] || fail "$1 is damaged or not what was released: its sha256 is $is, not $must"
}

# obtain leaves the new program in $work/new, and what comes with it in $work/share.
obtain() {
  mkdir "$work/new"
  if [ -z "$file" ] && [ -f "$here/vserver" ]; then
    file=$here/vserver
    if [ -d "$here/share" ]; then cp -R "$here/share" "$work/share"; fi
  fi
  if [ -z "$file" ]; then
    build
    return
  fi
  # What is checked is what is installed, even when somebody changes FILE meanwhile.
  cp "$file" "$work/given"
  verify "$file" "$work/given"
  case $file in
    *.tar.gz | *.tgz) unpack "$work/given" ;;
    *) mv "$work/given" "$work/new/vserver" ;;
  esac
  chmod 755 "$work/new/vserver"
}

# unpack ARCHIVE takes the program, and the manuals when there are any.
unpack() {
  mkdir "$work/archive"
  (cd "$work/archive" && tar -xzf "$1") || fail "$file cannot be unpacked"
  for found in "$work/archive/vserver" "$work"/archive/*/vserver; do
    if [ -f "$found" ] && [ ! -h "$found" ]; then
      mv "$found" "$work/new/vserver"
      if [ -d "$(dirname "$found")/share" ]; then mv "$(dirname "$found")/share" "$work/share"; fi
      return
    fi
  done
  fail "$file holds no vserver"
}

# build makes the program from the source tree that this script lies in.
build() {
  grep -qs '^module vserver$' "$here/go.mod" || fail "give --file: beside this script there is neither a program nor its source"
  PATH=$PATH:/usr/local/go/bin
  command -v go >/dev/null || fail "Go is needed to build from source; or give --file"
  vcs=false
  if (cd "$here" && git rev-parse HEAD) >/dev/null 2>&1; then vcs=true; fi
  say "Building from $here"
  (cd "$here" && CGO_ENABLED=0 go build -trimpath -buildvcs=$vcs -ldflags='-s -w' -o "$work/new/vserver" .) ||
    fail "the program cannot be built"
}

# version PROGRAM prints what it says of itself, in one line.
version() { "$1" version --program 2>/dev/null | head -n 1; }

# ---------------------------------------------------------------- services

# with PROGRAM VERB…: runs a command for the service that for_each has come to.
with() {
  its_program=$1
  shift
  set -- "$@" "--$level"
  if [ "$its_file" = - ]; then set -- "$@" --name "$its_name"; else set -- "$@" --config "$its_file"; fi
  if [ "$its_environment" != - ]; then set -- "$@" --environment "$its_environment"; fi
  "$its_program" "$@"
}

# for_each FUNCTION: calls it for every service; the first that fails ends it.
for_each() {
  [ -s "$services" ] || return 0
  while IFS=$tab read -r its_name its_state its_environment its_file <&3; do
    "$1" || return 1
  done 3<"$services"
}

# know_services lists those that run this program, with --everyone all. Those that an
# interrupted run has stopped count as running.
know_services() {
  : >"$services"
  [ "$staged" = no ] && [ -x "$program" ] || return 0
  if [ -f "$library/unfinished" ]; then
    say "An earlier run was interrupted: what it stopped will be started"
    cp "$library/unfinished" "$services"
    return
  fi
  if ! "$program" service list "--$level" >"$work/listed" 2>"$work/complaint"; then
    complain "services are left alone: $(cat "$work/listed" "$work/complaint")"
    return
  fi
  while IFS=$tab read -r its_name its_state its_environment its_file its_program; do
    if own "$its_program"; then
      printf '%s\t%s\t%s\t%s\n' "$its_name" "$its_state" "$its_environment" "$its_file" >>"$services"
    else
      say "Leaving alone the service $its_name, which runs $its_program"
    fi
  done <"$work/listed"
}

# own PROGRAM reports whether what runs it is touched.
own() {
  case $1 in
    '' | - | "$program" | "$(readlink -f "$program" 2>/dev/null)") return 0 ;;
  esac
  [ "$everyone" = yes ]
}

# others prints the servers that run this program, with --everyone any program, apart from
# the services, as `vserver start` leaves them: name, environment and file. For the
# system those of all accounts count.
others() {
  online | while IFS=$tab read -r other scope of file from; do
    if own "$from" && ! is_service "$other" "$file"; then printf '%s\t%s\t%s\n' "$other" "$of" "$file"; fi
  done
}

# strangers prints the servers of this level that run another program: name, file and
# program.
strangers() {
  online | while IFS=$tab read -r other scope of file from; do
    if [ "$scope" = "$level" ] && ! own "$from"; then printf '%s\t%s\t%s\n' "$other" "$file" "$from"; fi
  done
}

# online prints what runs: name, level, environment, file and program.
online() {
  [ "$staged" = no ] && [ -x "$program" ] || return 0
  "$program" list --running 2>/dev/null | while IFS=$tab read -r other scope of file from; do
    if [ "$scope" = "$level" ] || [ "$level" = system ]; then
      printf '%s\t%s\t%s\t%s\t%s\n' "$other" "$scope" "$of" "$file" "$from"
    fi
  done
}

# is_service NAME FILE reports whether a server is that of a service.
is_service() {
  awk -F "$tab" -v name="$1" -v file="$2" '
    $1 == name && ($4 == "-" || $4 == file) {found = 1} END {exit !found}' "$services"
}

stop_service() {
  [ "$its_state" = running ] || return 0
  say "Stopping $its_name"
  with "$program" service stop || fail "$its_name cannot be stopped"
}

stop_anyhow() { with "$program" service stop >/dev/null 2>&1 || true; }

# start_service brings back what ran, and tells whether it works. One that had failed
# before is tried, but not counted on.
start_service() {
  case $its_state in
    running) ;;
    failed)
      with "$program" service start || complain "$its_name still does not start"
      return 0
      ;;
    *) return 0 ;;
  esac
  say "Starting $its_name"
  with "$program" service start || return 1
  left=$wait
  until with "$program" health >"$work/health" 2>&1; do
    if [ "$left" -le 0 ]; then
      cat "$work/health"
      complain "$its_name does not work"
      return 1
    fi
    left=$((left - 1))
    sleep 1
  done
}

# snapshot_service copies its database. One that does not run may have none.
snapshot_service() {
  if with "$copier" backup "$snapshot_dir/$its_name.backup"; then return; fi
  [ "$its_state" != running ] || return 1
  complain "$its_name has no snapshot"
}

# restore_service puts back the database of snapshot_dir.
restore_service() {
  [ -f "$snapshot_dir/$its_name.backup" ] || return 0
  say "Putting back the data of $its_name"
  with "$program" restore "$snapshot_dir/$its_name.backup"
}

# put_back_data puts back the databases of the time before the last upgrade.
put_back_data() {
  fresh=$snapshot_dir
  snapshot_dir=$previous_snapshot
  for_each restore_service || {
    snapshot_dir=$fresh
    fail "the data could not be put back"
  }
  snapshot_dir=$fresh
}

# take_snapshot copies the databases with the program that wrote them.
take_snapshot() {
  snapshot_dir=''
  if [ "$snapshot" = no ] || [ ! -s "$services" ]; then return 0; fi
  copier=$program
  if ! "$copier" backup --help >/dev/null 2>&1; then copier=$work/new/vserver; fi
  if ! "$copier" backup --help >/dev/null 2>&1; then
    fail "neither program can copy the databases: copy them yourself and give --no-snapshot"
  fi
  snapshot_dir=$snapshots/$moment-$$
  (umask 077 && mkdir -p "$snapshot_dir")
  say "Copying the databases to $snapshot_dir"
  for_each snapshot_service
}

# ---------------------------------------------------------------- install and upgrade

# put_back undoes what was begun: the program, and the data only where it was changed on
# purpose, or the old program cannot go on with what the new one has left.
put_back() {
  stage=over
  complain "that did not succeed: putting back what was there"
  for_each stop_anyhow
  if [ -f "$library/replaced" ]; then
    mv -f "$library/replaced" "$program" || complain "the old program stays at $library/replaced"
  fi
  if [ "$data_changed" = yes ] || ! for_each start_service; then
    for_each stop_anyhow
    if [ -z "$snapshot_dir" ] || ! for_each restore_service || ! for_each start_service; then
      complain "THE SERVICES DO NOT RUN; the copies of their databases: ${snapshot_dir:-none}"
      return 1
    fi
  fi
  rm -f "$library/unfinished"
  say "All is as before: $(version "$program")"
}

# place PROGRAM puts a program where the old one is, in one step.
place() {
  mkdir -p "$prefix/bin"
  cp "$1" "$program.new"
  chmod 755 "$program.new"
  if [ -f "$program" ]; then cp -p "$program" "$library/replaced"; fi
  mv -f "$program.new" "$program"
}

# place_manuals installs what the archive has beside the program.
place_manuals() {
  [ -d "$work/share" ] || return 0
  mkdir -p "$prefix/share"
  cp -R "$work/share/." "$prefix/share/"
}

# remember_previous keeps the replaced program and its snapshot for --rollback, and no
# more than three snapshots.
remember_previous() {
  if [ -f "$library/replaced" ]; then
    mv -f "$library/replaced" "$library/vserver.previous"
    printf '%s\n' "$snapshot_dir" >"$library/snapshot"
  fi
  rm -f "$library/unfinished"
  [ -d "$snapshots" ] || return 0
  # The names begin with the time.
  for old in "$snapshots"/*; do basename "$old"; done | sort -r | tail -n +4 | while read -r old; do
    rm -rf "${snapshots:?}/$old"
  done
}

# replace PROGRAM: whatever fails from here on, finish puts back. No part of it may be
# called where the shell forgives failures.
replace() {
  snapshot_dir='' data_changed=no
  cp "$services" "$library/unfinished"
  stage=replacing
  for_each stop_service
  take_snapshot
  place "$1"
  prepare_account
  if [ "$data" = yes ]; then
    data_changed=yes
    put_back_data
  fi
  for_each start_service || {
    if [ "$action-$data" = rollback-no ]; then
      complain "the database may be too new for this program: --data puts back the one of $previous_snapshot, and loses what came since"
    fi
    exit 1
  }
  stage=over
  remember_previous
}

# prepare_account makes the user and the folders of services of the system.
prepare_account() {
  [ "$level" = system ] && [ "$staged" = no ] || return 0
  "$program" service account
}

install() {
  obtain
  new=$(version "$work/new/vserver") || true
  [ -n "$new" ] || fail "the program does not run on this machine ($(uname -s) $(uname -m))"
  say "New: $new"
  if [ -x "$program" ]; then say "Now: $(version "$program")"; fi
  lock
  know_services
  if [ "$dry" = yes ]; then
    foretell
    return
  fi
  if [ ! -f "$library/unfinished" ] && cmp -s "$work/new/vserver" "$program"; then
    say "It is there already"
    prepare_account
  else
    replace "$work/new/vserver"
  fi
  place_manuals
  say "Installed $program"
  others | while IFS=$tab read -r other _; do
    say "$other is no service and goes on with the program it was started with, until it is stopped and started"
  done
  if [ -n "$name" ]; then
    make_service
  elif [ "$staged" = no ] && [ ! -s "$services" ]; then
    option=''
    if [ "$level" = user ]; then option=' --user'; fi
    say "Next: vserver new$option, then vserver service install$option --name NAME --now"
  fi
}

make_service() {
  its_name=$name its_state=running its_environment=${environment:--} its_file=-
  with "$program" service install || exit 1
  start_service || exit 1
}

foretell_service() { say "would stop, copy the database of, start and check: $its_name ($its_state)"; }

foretell() {
  for_each foretell_service
  say "would install $program"
  if [ "$level-$staged" = system-no ]; then say "would make the user and folders of services, if they are not there"; fi
  if [ -n "$name" ]; then say "would make and start a service of $name"; fi
}

# ---------------------------------------------------------------- rollback

rollback() {
  [ -f "$library/vserver.previous" ] || fail "there is nothing to go back to"
  lock
  know_services
  previous_snapshot=$(cat "$library/snapshot" 2>/dev/null || true)
  say "Now: $(version "$program")"
  say "Back to: $(version "$library/vserver.previous")"
  if [ "$data" = yes ] && [ ! -d "$previous_snapshot" ]; then fail "there is no snapshot of the data"; fi
  if [ "$dry" = yes ]; then
    say "would stop the services, exchange the program, and start them"
    if [ "$data" = yes ]; then say "would put back the data of $previous_snapshot"; fi
    return
  fi
  cp -p "$library/vserver.previous" "$work/previous"
  replace "$work/previous"
  say "Installed $program: $(version "$program")"
}

# ---------------------------------------------------------------- uninstall

uninstall_service() {
  say "Removing the service $its_name"
  with "$program" service uninstall || complain "the service $its_name stays"
}

foretell_removal() { say "would remove the service $its_name"; }

# remove_tree FOLDER removes a folder of this program, and no other by mistake.
remove_tree() {
  case $1 in
    */vantage6/server | */vantage6/log/server | */vserver) ;;
    *) fail "will not remove $1" ;;
  esac
  [ -e "$1" ] || return 0
  run rm -rf "$1"
  case $1 in
    */vantage6/server) [ "$dry" = yes ] || rmdir "$(dirname "$1")" 2>/dev/null || true ;; # nodes may use it too
  esac
}

uninstall() {
  if [ "$purge" = yes ]; then agree; fi
  lock
  know_services
  strangers >"$work/strangers"
  if [ "$purge" = yes ] && [ -s "$work/strangers" ]; then
    IFS=$tab read -r other file from <"$work/strangers"
    fail "nothing was removed: the server $other ($file) runs $from, on data that --purge would remove: stop it, or give --everyone"
  fi
  while IFS=$tab read -r other file from; do
    say "Leaving alone the server $other ($file), which runs $from"
  done <"$work/strangers"
  others | while IFS=$tab read -r _ of file; do
    run "$program" stop "--$level" --config "$file" --environment "$of"
  done
  if [ "$dry" = yes ]; then for_each foretell_removal; else for_each uninstall_service; fi
  was=no
  if [ -f "$program" ]; then was=yes; fi
  for part in "$program" "$prefix/share/bash-completion/completions/vserver" \
    "$prefix/share/zsh/site-functions/_vserver" "$prefix/share/fish/vendor_completions.d/vserver.fish" \
    "$prefix"/share/man/man1/vserver.1* "$prefix"/share/man/man1/vserver-*.1*; do
    if [ -f "$part" ]; then run rm -f "$part"; fi
  done
  remove_tree "$library"
  if [ "$was" = no ]; then
    say "There is no $program"
  elif [ "$dry" = no ]; then
    say "Removed $program"
  fi
  if [ "$purge" = yes ]; then
    purge
  else
    say "Configuration and data stay; --uninstall --purge removes them as well"
  fi
}

# agree asks before anything is lost.
agree() {
  [ "$yes" = no ] && [ "$dry" = no ] || return 0
  [ -t 0 ] || fail "--purge removes configurations and data: give --yes"
  printf 'Remove all configurations, data and snapshots of this level? [y/N] '
  read -r answer || answer=no
  case $answer in
    [yY] | [yY][eE][sS]) ;;
    *) fail "nothing was removed" ;;
  esac
}

# keep FOLDER… makes an archive of what is going to be removed, for its owner alone.
keep() {
  [ "$snapshot" = yes ] || return 0
  : >"$work/kept"
  for folder; do
    if [ -e "$folder" ]; then printf '%s\n' "$folder" >>"$work/kept"; fi
  done
  [ -s "$work/kept" ] || return 0
  archive=$(dirname "$snapshots")-purged-$moment.tar.gz
  if [ "$level" = system ]; then archive=$snapshots-purged-$moment.tar.gz; fi
  if [ "$dry" = yes ]; then
    say "would keep what is removed in $archive"
    return
  fi
  mkdir -p "$(dirname "$archive")"
  (umask 077 && tar -czf "$archive" -C / -T "$work/kept" 2>"$work/complaint") ||
    fail "nothing was removed: it cannot be kept in $archive: $(cat "$work/complaint")"
  say "What is removed is kept in $archive"
}

purge() {
  case $level-$(uname -s) in
    user-Darwin) set -- "$HOME/Library/Application Support" "$HOME/Library/Logs" ;;
    user-*) set -- "${XDG_CONFIG_HOME:-$HOME/.config}" "${XDG_DATA_HOME:-$HOME/.local/share}" ;;
    *-Darwin) set -- "/Library/Application Support" ;;
    *) set -- /etc/xdg /usr/local/share ;;
  esac
  for folder; do
    set -- "$@" "$root$folder/vantage6/server"
    shift
  done
  keep "$@"
  for folder; do remove_tree "$folder"; done
  if [ "$level" = user ]; then
    remove_tree "$root${XDG_CACHE_HOME:-$HOME/.cache}/vantage6/server"
    remove_tree "$root${XDG_CACHE_HOME:-$HOME/.cache}/vantage6/log/server"
    remove_tree "$(dirname "$snapshots")"
    return
  fi
  remove_tree "$snapshots"
  remove_tree "$root/var/lib/vserver"
  [ -z "$root" ] || return 0
  if [ "$(uname -s)" = Darwin ]; then
    if id _vserver >/dev/null 2>&1; then run sysadminctl -deleteUser _vserver; fi
  elif id vserver >/dev/null 2>&1; then
    run userdel vserver
  fi
}

"$action"
