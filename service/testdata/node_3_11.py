"""Behaves on the wire as the node of 3.11: python-socketio 5.7.2, which connects with `40/tasks,{}`; it
emits `ping` by itself, has no handler for the server's, and tells about its configuration.

Usage: node_3_11.py URL API_KEY
"""
import sys
import threading
import time

from node_common import Node


class Node311(Node):
    def on_connect(self):
        super().on_connect()
        self.emit("node_info_update", {"encryption": False, "allowed_algorithms": ["^turn-.*$"]})

    def ping(self):
        while True:
            time.sleep(0.2)
            self.emit("ping", None)


node = Node311(*sys.argv[1:])
node.connect()
threading.Thread(target=node.ping, daemon=True).start()
node.close_when_told()
