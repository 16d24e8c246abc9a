// Speaks to a live server as the web UI does and prints what it saw, one line each.
//
// Usage: node interop.cjs URL TRANSPORT[,TRANSPORT]
//
// The server side is in interop_test.go. Needs socket.io-client (package.json beside this file) in node_modules.
"use strict";
const { io } = require("socket.io-client");

const [, , url, transports] = process.argv;
const lines = [];
let waiting = [];

function add(line) {
  lines.push(line);
  waiting = waiting.filter((check) => !check());
}

function wait(line, times = 1) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`waited in vain for ${line}, saw ${lines}`)), 8000);
    const check = () => {
      if (lines.filter((l) => l === line).length < times) return false;
      clearTimeout(late);
      console.log(line);
      resolve();
      return true;
    };
    if (!check()) waiting.push(check);
  });
}

function connect(namespace, token) {
  const s = io(url + namespace, {
    transports: transports.split(","),
    extraHeaders: { Authorization: "Bearer " + token },
    forceNew: true,
    reconnectionDelay: 100,
    reconnectionDelayMax: 200,
  });
  s.on("connect", () => add("connect"));
  s.on("disconnect", (why) => add("disconnect " + why));
  s.on("connect_error", (err) => add("connect_error " + (err instanceof Error)));
  s.on("message", (text) => add("message " + text));
  s.on("expired_token", (...args) => add("expired_token " + args.length));
  s.on("node-online", (d) => add(`node-online ${d.id} ${d.name}`));
  s.on("ping", (ack) => ack(7));
  return s;
}

async function main() {
  let s = connect("/tasks", "good");
  await wait("connect");
  await wait("message Node <Zürich & co> joined room <all>");
  if (s.io.engine.transport.name === transports.split(",")[0] && transports.includes(",")) {
    await new Promise((resolve) => s.io.engine.once("upgrade", resolve));
  }
  console.log("transport", s.io.engine.transport.name);
  const call = (...args) => new Promise((resolve) => s.emit(...args, (...answer) => resolve(JSON.stringify(answer))));
  console.log("echo", await call("echo", { a: [1, null] }, "b"));
  console.log("unknown", await call("unknown", 1));
  s.emit("shout", { id: 1, name: "n" });
  await wait("node-online 1 n");
  s.emit("ask");
  await wait("message acknowledged [7]");
  for (let i = 0; i < 50; i++) s.emit("count", i);
  console.log("counted", await call("counted"));
  s.emit("burst", 40);
  await wait("message burst 39");
  // cut off, it comes back by itself
  s.emit("drop");
  await wait("connect", 2);
  console.log("echo", await call("echo", "again"));
  // a new server takes over, and has it back too
  s.emit("restart");
  await wait("connect", 3);
  console.log("echo", await call("echo", "after the restart"));
  // sent away, it does not
  s.emit("away");
  await wait("disconnect io server disconnect");
  console.log("active", s.active);
  // a bad token
  lines.length = 0;
  s = connect("/tasks", "bad");
  await wait("disconnect io server disconnect");
  // by polling, the close of the transport is in the same body and overtakes
  console.log(lines.filter((l) => l !== "disconnect transport close").join(", "));
  console.log("active", s.active);
  // a namespace that is not there
  s = connect("/admin", "good");
  await wait("connect_error true");
  s.disconnect();
}

main().then(
  () => process.exit(0),
  (err) => {
    console.error(err);
    process.exit(1);
  },
);
