// Starts the built binary on a database of its own for the browser tests.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const binary = process.env.VSERVER_BINARY ?? fileURLToPath(new URL("../../../bin/vserver", import.meta.url));

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const configuration = (folder, port, settings) => `application: {}
environments:
  test:
    description: browser tests
    type: test
    ip: 127.0.0.1
    port: ${port}
    api_path: /api
    uri: sqlite:///${folder}/browser.sqlite
    allow_drop_all: false
    jwt_secret_key: browser-tests-0123456789-0123456789
    logging:
      level: INFO
      file: ${folder}/browser.log
      use_console: true
      backup_count: 1
      max_size: 1024
      format: "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s"
      datefmt: "%Y-%m-%d %H:%M:%S"
${settings}`;

// poll calls ask until it gives something true, for ten seconds at most where nothing else is said.
export async function poll(what, ask, patience = 10_000) {
  const end = Date.now() + patience;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`gave up waiting for ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

// start serves and answers once the server is healthy; stop ends it and gives its
// exit code. What the server printed is shown when it does not come up. Further settings are
// lines of YAML, such as "    ui: false\n".
export async function start(settings = "") {
  const folder = mkdtempSync(join(tmpdir(), "vserver-browser-"));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const file = join(folder, `browser-${port}.yaml`);
  writeFileSync(file, configuration(folder, port, settings));
  let server, ended;
  let printed = "";
  const serve = async () => {
    server = spawn(binary, ["run", "--config", file, "--environment", "test"], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [server.stdout, server.stderr]) stream.on("data", (part) => (printed += part));
    ended = new Promise((resolve) => server.on("close", resolve));
    await poll("the server to be healthy", async () => {
      if (server.exitCode !== null) throw new Error("the server ended");
      const reply = await fetch(`${origin}/api/health`).catch(() => null);
      return reply?.ok && (await reply.json()).database === true;
    });
  };
  const end = () => {
    server.kill("SIGTERM");
    return ended;
  };
  const stop = async () => {
    const code = await end();
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  try {
    await serve();
  } catch (problem) {
    await stop();
    throw new Error(`${problem.message}; it printed:\n${printed}`);
  }
  // end and serve together are a restart on the same database and port.
  return { origin, stop, end, serve };
}

// startDemo plays the demo and leaves its server and nodes up; it answers with the address and the
// log-ins that the demo prints.
export async function startDemo(nodes = 3) {
  const demo = spawn(binary, ["demo", "--keep", "--nodes", String(nodes)], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [demo.stdout, demo.stderr]) stream.on("data", (part) => (printed += part));
  const ended = new Promise((resolve) => demo.on("close", resolve));
  const stop = () => {
    demo.kill("SIGINT");
    return ended;
  };
  try {
    await poll("the demo to be over", async () => {
      if (demo.exitCode !== null) throw new Error("the demo ended");
      return /researcher \S+ \/ \S+\n/.test(printed.replaceAll(/ +/g, " "));
    }, 60_000);
  } catch (problem) {
    await stop();
    throw new Error(`${problem.message}; it printed:\n${printed}`);
  }
  const logIn = (who) => new RegExp(`${who} +(\\S+) / (\\S+)`).exec(printed).slice(1, 3);
  return { origin: /stays up at (http\S+?)\/ /.exec(printed)[1], root: logIn("administrator"), researcher: logIn("researcher"), stop };
}

// caller calls the API with the token of a log-in.
export async function caller(origin, path, body) {
  const call = async (method, to, sent, token) => {
    const reply = await fetch(`${origin}/api${to}`, {
      method,
      headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: sent === undefined ? undefined : JSON.stringify(sent),
    });
    const told = await reply.json();
    if (!reply.ok) throw new Error(`${method} ${to}: ${reply.status} ${JSON.stringify(told)}`);
    return told;
  };
  const { access_token: token } = await call("POST", path, body);
  return (method, to, sent) => call(method, to, sent, token);
}

// version is what the binary says of itself on the command line.
export const version = () => execFileSync(binary, ["version", "--program"], { encoding: "utf8" });
