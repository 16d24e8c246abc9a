"""Behaves on the wire as the node of 3.7.3: python-socketio 5.5.0, which connects with `40/tasks,`;
it answers the server's `ping` with its id. The token is in the header of the first request only.

Usage: node_3_7.py URL API_KEY
"""
import sys

import engineio
import socketio
from socketio import packet

from node_common import Node


class Engine(engineio.Client):
    def _connect_websocket(self, url, headers, engineio_path):
        return super()._connect_websocket(url, headers if not self.sid else {}, engineio_path)


class Client(socketio.Client):
    def _engineio_client_class(self):
        return Engine

    def _handle_eio_connect(self):
        self.sid = self.eio.sid
        for namespace in self.connection_namespaces:
            self._send_packet(packet.Packet(packet.CONNECT, namespace=namespace))


class Node37(Node):
    sticky = {}  # parameters of one synchronisation stay for all later ones

    def make_client(self):
        client = Client(request_timeout=60)
        client.on("ping", lambda: self.id, namespace="/tasks")
        return client

    def open_results(self, params):
        self.sticky.update(params)
        super().open_results(self.sticky)


node = Node37(*sys.argv[1:])
node.connect()
node.close_when_told()
