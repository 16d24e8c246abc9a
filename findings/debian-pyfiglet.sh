#!/bin/sh
# python3-pyfiglet 0.8.0+dfsg-3 of Debian comes without a single font, so that figlet_format fails as soon as it is called
# without one, with FontNotFound. Programs that show a banner with it, as clients of this field do, stop at that line.
set -eu

version=0.8.0+dfsg-3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get download -qq -o APT::Sandbox::User=root "python3-pyfiglet=$version" >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x ./*.deb root
/usr/bin/python3 --version
dpkg-deb -f ./*.deb Package Version
cat >banner.py <<'PY'
import pyfiglet

print("fonts:", len(pyfiglet.FigletFont.getFonts()))
try:
    print(pyfiglet.figlet_format("client"))
    raise SystemExit("no longer so")
except pyfiglet.FontNotFound as e:
    print("figlet_format without a font: FontNotFound:", e)
PY
PYTHONPATH="$dir/root/usr/lib/python3/dist-packages" /usr/bin/python3 banner.py
