"""What the nodes of all releases have in common: the calls that they make, in their order.

See node_3_7.py and node_3_11.py. Needs python-socketio with requests and websocket-client.
"""
import base64
import datetime
import os
import sys
import threading
import time

import requests
import socketio


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")  # at once: handlers run side by side
    sys.stdout.flush()


class Node:
    """A node that runs every task that it is told of by turning its input round."""

    def __init__(self, url, api_key):
        self.url, self.api = url, url + "/api"
        self.work = threading.Lock()
        self.done = set()
        reply = requests.post(self.api + "/token/node", json={"api_key": api_key}, timeout=20)
        if reply.status_code > 200:
            sys.exit("log-in: %d %s" % (reply.status_code, reply.text))
        self.keep(reply.json())
        self.refresh_url = url + reply.json()["refresh_url"]
        payload = self.access.split(".")[1]
        subject = requests.compat.json.loads(base64.urlsafe_b64decode(payload + "==="))["sub"]
        me = self.call("GET", "node/%d" % subject)
        self.id, self.name = me["id"], me["name"]
        self.collaboration, self.organization = me["collaboration"]["id"], me["organization"]["id"]
        self.call("GET", "organization/%d" % self.organization)
        assert self.call("GET", "collaboration/%d" % self.collaboration)["encrypted"] in (0, 1)

    def keep(self, session):
        self.access = session["access_token"]
        self.refresh = session.get("refresh_token", getattr(self, "refresh", None))

    def refresh_token(self):
        reply = requests.post(self.refresh_url, headers={"Authorization": "Bearer " + self.refresh}, timeout=20)
        if reply.status_code != 200:
            sys.exit("refresh: %d %s" % (reply.status_code, reply.text))
        self.keep(reply.json())

    def call(self, method, path, json=None, params=None, retry=True):
        """The node's helper: a lost connection is tried again for ever, a refusal once with a new token."""
        while True:
            try:
                reply = requests.request(method, self.api + "/" + path, json=json, params=params, timeout=20,
                                         headers={"Authorization": "Bearer " + self.access})
                break
            except requests.exceptions.ConnectionError:
                time.sleep(0.1)
        if reply.status_code > 210 and retry:
            self.refresh_token()
            return self.call(method, path, json, params, retry=False)
        return reply.json()

    # ---------------------------------------------------------------- the live channel

    def make_client(self):
        return socketio.Client(request_timeout=60)

    def connect(self):
        self.client = self.make_client()
        on = lambda event, f: self.client.on(event, f, namespace="/tasks")  # noqa: E731
        on("connect", self.on_connect)
        on("disconnect", lambda: say("disconnect"))
        on("new_task", self.on_new_task)
        on("expired_token", self.on_expired_token)
        on("message", lambda text: say("message", text))
        on("algorithm_status_change", lambda change: say("status", change["result_id"], change["status"]))
        self.client.connect(self.url, namespaces=["/tasks"], wait=False,
                            headers={"Authorization": "Bearer " + self.access})

    def on_connect(self):
        say("connect")
        self.open_results({})

    def on_new_task(self, task):
        say("new_task", task)
        self.open_results({"task_id": task})

    def on_expired_token(self):
        say("expired_token")
        self.client.disconnect()
        self.refresh_token()
        self.connect()

    def open_results(self, params):
        params = dict(params, state="open", include="task", node_id=self.id)
        results = self.call("GET", "result", params=params)
        threading.Thread(target=self.run, args=(results,), daemon=True).start()

    # ---------------------------------------------------------------- tasks

    def run(self, results):
        with self.work:
            for result in results:
                if result["id"] not in self.done:
                    self.done.add(result["id"])
                    self.run_one(result)

    def run_one(self, result):
        task, path = result["task"], "result/%d" % result["id"]
        assert "parent" in task, task
        self.call("PATCH", path, {"started_at": now()})
        token = self.call("POST", "token/container", {"task_id": task["id"], "image": task["image"]})
        assert token["container_token"], token
        self.tell(result, "active")
        self.call("DELETE", "port", params={"result_id": result["id"]})
        self.tell(result, "completed", store=False)
        assert self.call("GET", path)["task"]["id"] == task["id"]
        initiator = self.call("GET", "task/%d" % task["id"])["initiator"]
        assert "public_key" in self.call("GET", "organization/%d" % initiator)
        output = base64.b64decode(result["input"])[::-1]
        self.call("PATCH", path, {"result": base64.b64encode(output).decode(), "log": "turned round",
                                  "status": "completed", "finished_at": now()})
        say("finished", task["id"])

    def tell(self, result, status, store=True):
        if store:
            self.call("PATCH", "result/%d" % result["id"], {"status": status})
        parent = result["task"]["parent"]
        self.emit("algorithm_status_change", {
            "node_id": self.id, "status": status, "result_id": result["id"], "task_id": result["task"]["id"],
            "collaboration_id": self.collaboration, "organization_id": self.organization,
            "parent_id": parent["id"] if parent else None})

    def emit(self, event, data):
        """Emits as soon as the node is connected."""
        while True:
            try:
                return self.client.emit(event, data, namespace="/tasks")
            except socketio.exceptions.BadNamespaceError:
                time.sleep(0.05)

    def close_when_told(self):
        """Waits for a line on standard input, then leaves.

        It does not wait for threads: a client whose token expired while it was coming back may still be trying,
        since the library takes a goodbye during that for a failure.
        """
        sys.stdin.readline()
        self.client.disconnect()
        say("closed")
        os._exit(0)


def now():
    return datetime.datetime.now().isoformat(timespec="microseconds")
