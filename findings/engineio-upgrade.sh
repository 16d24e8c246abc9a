#!/bin/sh
# python3-engineio 4.3.4-2 of Debian moves its session to a websocket without asking whose it is: a server that never saw
# the handshake may take it, as behind a balancer that sends each request elsewhere. The server of the handshake hears
# nothing more, and the client keeps the session's name that this one gave.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get download -qq -o APT::Sandbox::User=root python3-engineio=4.3.4-2 python3-websocket=1.2.3-1 \
  python3-requests=2.28.1+dfsg-1 python3-urllib3=1.26.12-1+deb12u4 python3-idna=3.3-1+deb12u1 python3-certifi=2022.9.24-1 \
  python3-chardet=5.1.0+dfsg-2 python3-six=1.16.0-4 >apt.log 2>&1 || { cat apt.log; exit 1; }
for deb in ./*.deb; do
  dpkg -x "$deb" root
done
dpkg-deb -f ./python3-engineio*.deb Package Version
cat >peers.py <<'PY'
import base64, hashlib, os, socket, sys, threading
import engineio

heard = {"handshake": 0, "websocket": 0}


def listener():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    return s


def head_of(c):
    head = b""
    while b"\r\n\r\n" not in head:
        head += c.recv(1000)
    return head.decode()


def shake_hands(c):
    "One server: it opens a session, and never hears of it again."
    heard["handshake"] += 1
    body = b'0{"sid":"of-the-first","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":60000,"maxPayload":1000000}'
    c.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    c.close()


def frame(text):
    return bytes([0x81, len(text)]) + text.encode()


def text_of(c):
    size = c.recv(2)[1] & 127
    mask, data = c.recv(4), b""
    while len(data) < size:
        data += c.recv(size - len(data))
    return bytes(b ^ mask[i % 4] for i, b in enumerate(data)).decode()


def take_over(c, head):
    "Another server: it knows no session and takes the websocket all the same."
    heard["websocket"] += 1
    key = [l.split(": ")[1] for l in head.split("\r\n") if l.lower().startswith("sec-websocket-key")][0]
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    c.sendall(("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n" % accept).encode())
    assert text_of(c) == "2probe"
    c.sendall(frame("3probe"))
    assert text_of(c) == "5"
    c.sendall(frame("4from another server"))


def balance(front):
    while True:
        c, _ = front.accept()
        head = head_of(c)
        threading.Thread(target=take_over, args=(c, head), daemon=True).start() if "pgrade: websocket" in head else shake_hands(c)


front = listener()
threading.Thread(target=balance, args=(front,), daemon=True).start()
got = threading.Event()
client = engineio.Client()
client.on("message", lambda text: (print("message:", text), got.set()))
client.connect("http://127.0.0.1:%d" % front.getsockname()[1])
arrived = got.wait(10)
print("state %s, transport %s, session %s, handshakes %d, websockets %d" % (
    client.state, client.transport(), client.sid, heard["handshake"], heard["websocket"]))
so = arrived and client.state == "connected" and client.transport() == "websocket" and client.sid == "of-the-first" and heard["handshake"] == 1
if not so:
    print("no longer so: the client wants the websocket of the server that it shook hands with")
sys.stdout.flush()
os._exit(0 if so else 1)
PY
PYTHONPATH="$dir/root/usr/lib/python3/dist-packages" /usr/bin/python3 peers.py
