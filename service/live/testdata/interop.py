"""Speaks to a live server as a node does and prints what it saw, one line each.

Usage: interop.py URL TRANSPORT[,TRANSPORT]

The server side is in interop_test.go. Needs python-socketio with requests and websocket-client.
"""
import sys
import threading
import time

import socketio

WAIT = 8


class Seen:
    """A line that another thread waits for."""

    def __init__(self):
        self.lines = []
        self.changed = threading.Condition()

    def add(self, line):
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def wait(self, line, times=1):
        with self.changed:
            if not self.changed.wait_for(lambda: self.lines.count(line) >= times, WAIT):
                sys.exit("waited in vain for %r, saw %r" % (line, self.lines))
        print(line, flush=True)


def client(seen):
    c = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.2, randomization_factor=0)
    c.on("connect", lambda: seen.add("connect"), namespace="/tasks")
    c.on("disconnect", lambda: seen.add("disconnect"), namespace="/tasks")
    c.on("message", lambda text: seen.add("message " + text), namespace="/tasks")
    c.on("expired_token", lambda: seen.add("expired_token"), namespace="/tasks")
    c.on("node-online", lambda d: seen.add("node-online %s %s" % (d["id"], d["name"])), namespace="/tasks")
    c.on("connect_error", lambda why: seen.add("refused " + str(why)), namespace="/admin")

    @c.on("ping", namespace="/tasks")
    def ping():
        return 7

    return c


def cross(c):
    """Drops the client while a packet of its own is on its way: its writer takes that packet together with the word of
    its reader that the connection has ended, as chance will have it now and then."""
    queue, get, taken = c.eio.queue, c.eio.queue.get, []

    def late(block=True, timeout=None):
        if block and "drop" in taken:
            queue.get = get
            c.emit("count", -1, namespace="/tasks")
            deadline = time.monotonic() + WAIT
            while None not in queue.queue and time.monotonic() < deadline:
                time.sleep(0.001)
        item = get(block, timeout)
        if item and "drop" in str(item.data):
            taken.append("drop")
        return item

    queue.get = late
    c.call("echo", "from here on", namespace="/tasks", timeout=WAIT)
    c.emit("drop", namespace="/tasks")


def settle(c):
    """Waits until a client that came back is done with it: on a busy machine its first try may take too long for it."""
    task = c._reconnect_task
    if task:
        task.join(WAIT)


def main():
    url, transports = sys.argv[1], sys.argv[2].split(",")
    seen = Seen()
    c = client(seen)
    c.connect(url, headers={"Authorization": "Bearer good"}, namespaces=["/tasks"], transports=transports, wait_timeout=WAIT)
    seen.wait("message Node <Zürich & co> joined room <all>")
    seen.wait("connect")
    print("echo", c.call("echo", ({"a": [1, None]}, "b"), namespace="/tasks", timeout=WAIT))
    print("unknown", c.call("unknown", 1, namespace="/tasks", timeout=WAIT))
    c.emit("shout", {"id": 1, "name": "n"}, namespace="/tasks")
    seen.wait("node-online 1 n")
    c.emit("ask", namespace="/tasks")
    seen.wait("message acknowledged [7]")
    for i in range(50):
        c.emit("count", i, namespace="/tasks")
    print("counted", c.call("counted", namespace="/tasks", timeout=WAIT))
    c.emit("burst", 40, namespace="/tasks")
    seen.wait("message burst 39")
    print("transport", c.transport())
    # cut off, it comes back by itself
    c.emit("drop", namespace="/tasks")
    seen.wait("disconnect")
    seen.wait("connect", times=2)
    settle(c)
    print("echo", c.call("echo", "again", namespace="/tasks", timeout=WAIT))
    # a new server takes over, and has it back too
    c.emit("restart", namespace="/tasks")
    seen.wait("disconnect", times=2)
    seen.wait("connect", times=3)
    settle(c)
    print("echo", c.call("echo", "after the restart", namespace="/tasks", timeout=WAIT))
    # cut off while it is posting, it comes back just as well
    cross(c)
    seen.wait("disconnect", times=3)
    seen.wait("connect", times=4)
    settle(c)
    print("echo", c.call("echo", "once more", namespace="/tasks", timeout=WAIT))
    c.disconnect()
    # sent away, it does not
    c = client(seen)
    c.connect(url, headers={"Authorization": "Bearer good"}, namespaces=["/tasks"], transports=transports, wait_timeout=WAIT)
    seen.wait("connect", times=5)
    c.emit("away", namespace="/tasks")
    c.eio.wait()
    print("connected", c.connected)
    # a bad token
    seen.lines.clear()
    c = client(seen)
    c.connect(url, headers={"Authorization": "Bearer bad"}, namespaces=["/tasks"], transports=transports, wait_timeout=WAIT)
    # this client takes each packet in a thread of its own, so in any order
    seen.wait("expired_token")
    seen.wait("connect")
    c.eio.wait()
    print("connected", c.connected)
    # a namespace that is not there
    c = client(seen)
    try:
        c.connect(url, headers={"Authorization": "Bearer good"}, namespaces=["/admin"], transports=transports)
    except socketio.exceptions.ConnectionError as err:
        print("not connected:", err)
    seen.wait("refused Unable to connect")
    c.disconnect()


main()
