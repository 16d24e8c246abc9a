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

// poll calls ask until it gives something true, for ten seconds at most.
export async function poll(what, ask) {
  const end = Date.now() + 10_000;
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
  const server = spawn(binary, ["run", "--config", file, "--environment", "test"], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (part) => (printed += part));
  const ended = new Promise((resolve) => server.on("close", resolve));
  const stop = async () => {
    server.kill("SIGTERM");
    const code = await ended;
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  try {
    await poll("the server to be healthy", async () => {
      if (server.exitCode !== null) throw new Error("the server ended");
      const reply = await fetch(`${origin}/api/health`).catch(() => null);
      return reply?.ok && (await reply.json()).database === true;
    });
  } catch (problem) {
    await stop();
    throw new Error(`${problem.message}; it printed:\n${printed}`);
  }
  return { origin, stop };
}

// version is what the binary says of itself on the command line.
export const version = () => execFileSync(binary, ["version", "--program"], { encoding: "utf8" });
