// Starts the built binary on a database of its own for the browser tests.
import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const binary = process.env.VSERVER_BINARY ?? fileURLToPath(new URL("../../../bin/vserver", import.meta.url));

const listens = (listener, ...args) =>
  new Promise((resolve) => {
    listener.once("error", () => resolve(false));
    listener[listener.listen ? "listen" : "bind"](...args, () => resolve(true));
  });

// freePort finds a port that nobody has and that no outgoing connection gets, because a server may
// end and start again. That of UDP with the same number, which nobody uses, keeps it from others.
export async function freePort() {
  for (;;) {
    const port = 12000 + Math.floor(Math.random() * 18000);
    const mark = createSocket("udp4").unref();
    if (!(await listens(mark, port, "127.0.0.1"))) continue;
    const probe = createServer();
    if (!(await listens(probe, port, "127.0.0.1"))) {
      mark.close();
      continue;
    }
    await new Promise((closed) => probe.close(closed));
    return port;
  }
}

const configuration = (folder, port, uri, settings) => `application: {}
environments:
  test:
    description: browser tests
    type: test
    ip: 127.0.0.1
    port: ${port}
    api_path: /api
    uri: ${uri}
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
// lines of YAML, such as "    ui: false\n"; without a uri the database is one of SQLite.
export async function start(settings = "", uri = "", port = 0) {
  const folder = mkdtempSync(join(tmpdir(), "vserver-browser-"));
  port ||= await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const file = join(folder, `browser-${port}.yaml`);
  let server, ended;
  let printed = "";
  const serve = async (more = "") => {
    writeFileSync(file, configuration(folder, port, uri || `sqlite:///${folder}/browser.sqlite`, settings + more));
    server = spawn(binary, ["run", "--config", file, "--environment", "test", "--user"], { env: { ...process.env, HOME: folder }, stdio: ["ignore", "pipe", "pipe"] });
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
  // end and serve together are a restart on the same database and port, with more settings if given.
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
    if (!reply.ok) throw Object.assign(new Error(`${method} ${to}: ${reply.status} ${JSON.stringify(told)}`), { status: reply.status });
    return told;
  };
  const { access_token: token } = await call("POST", path, body);
  return (method, to, sent) => call(method, to, sent, token);
}

// userPassword is that of all users that the tests make, and that root chooses.
export const userPassword = "Gr3en-valleys";

// asRoot calls the API of a new server as root, who has chosen a password.
export async function asRoot(origin) {
  const first = await caller(origin, "/token/user", { username: "root", password: "root" });
  await first("PATCH", "/password/change", { current_password: "root", new_password: userPassword });
  return caller(origin, "/token/user", { username: "root", password: userPassword });
}

// seed makes a small network: three organizations, one of them with a key, a collaboration with two
// nodes, a user for each kind of work, and one without a role. It answers with the users by their role.
export async function seed(ask) {
  const key = Buffer.from(generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs1", format: "pem" } }).publicKey).toString("base64");
  for (const [name, country] of [["North Hospital", "Netherlands"], ["East Hospital", "Belgium"], ["University of the West", "Netherlands"]])
    await ask("POST", "/organization", { name, country, domain: `${name.split(" ")[0].toLowerCase()}.example`, ...(name.startsWith("North") ? { public_key: key } : {}) });
  await ask("POST", "/collaboration", { name: "Breast cancer", encrypted: false, organization_ids: [2, 3, 4] });
  await ask("POST", "/node", { collaboration_id: 1, organization_id: 2 });
  await ask("POST", "/node", { collaboration_id: 1, organization_id: 3 });
  const roles = Object.fromEntries((await ask("GET", "/role?include_root=true")).map(({ name, id }) => [name, id]));
  const user = (username, firstname, lastname, organization_id, role) =>
    ask("POST", "/user", { username, firstname, lastname, email: `${username}@example.org`, password: userPassword, organization_id, roles: role ? [roles[role]] : [] });
  await user("anna", "Anna", "de Vries", 2, "Organization Admin");
  await user("bram", "Bram", "Peeters", 3, "Researcher");
  await user("vera", "Vera", "Viewer", 2, "Viewer");
  await user("cora", "Cora", "Jansen", 2, "Collaboration Admin");
  await user("nora", "Nora", "Nobody", 2);
  return { Root: "root", "Collaboration Admin": "cora", "Organization Admin": "anna", Researcher: "bram", Viewer: "vera", "no role": "nora" };
}

// onPostgres makes a database for one file of tests, when there is a server for it: VSERVER_TEST_POSTGRES
// has its address.
export function onPostgres() {
  const at = process.env.VSERVER_TEST_POSTGRES;
  if (!at) return undefined;
  const name = `browser_${process.pid}_${Date.now()}`;
  const psql = (statement) => execFileSync("psql", ["--no-psqlrc", "--quiet", "--dbname", at, "--command", statement], { stdio: ["ignore", "ignore", "inherit"] });
  psql(`CREATE DATABASE ${name}`);
  const uri = new URL(at);
  uri.pathname = `/${name}`;
  return { uri: String(uri).replace(/^postgres:/, "postgresql:"), drop: () => psql(`DROP DATABASE ${name} WITH (FORCE)`) };
}

// version is what the binary says of itself on the command line.
export const version = () => execFileSync(binary, ["version", "--program"], { encoding: "utf8" });
