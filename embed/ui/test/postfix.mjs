// A real mail server for the tests: Debian's Postfix on a free port, with a mailbox for everybody at example.org.
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, poll } from "./server.mjs";

const main = (folder, uid, gid) => `compatibility_level = 3.6
myhostname = mail.example.org
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
virtual_mailbox_domains = example.org
virtual_mailbox_maps = static:all/
virtual_mailbox_base = ${folder}/boxes
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${gid}
smtpd_tls_security_level = none
smtpd_relay_restrictions = reject_unauth_destination
`;

const services = (port) => `127.0.0.1:${port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
`;

// postfix is undefined where it cannot be started. next waits for the next mail and gives its text.
export async function postfix() {
  if (process.getuid?.() !== 0 || !existsSync("/usr/sbin/postfix")) return undefined;
  const id = (flag) => Number(execFileSync("id", [flag, "postfix"], { encoding: "utf8" }));
  const [uid, gid] = [id("-u"), id("-g")];
  const folder = mkdtempSync(join(tmpdir(), "vserver-postfix-"));
  chmodSync(folder, 0o755);
  for (const name of ["boxes", "config", "queue", "data"]) mkdirSync(join(folder, name), 0o755);
  for (const name of ["boxes", "data"]) chownSync(join(folder, name), uid, gid);
  const port = await freePort();
  writeFileSync(join(folder, "config", "main.cf"), main(folder, uid, gid));
  writeFileSync(join(folder, "config", "master.cf"), services(port));
  const config = ["-c", join(folder, "config")];
  const server = spawn("/usr/sbin/postfix", [...config, "start-fg"], { stdio: "ignore" });
  const ended = new Promise((resolve) => server.on("close", resolve));
  const log = () => (existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8") : "");
  await poll("Postfix", () => {
    if (server.exitCode !== null) throw new Error(`Postfix ended: ${log()}`);
    return log().includes("daemon started");
  }, 30_000);
  const read = new Set();
  const next = () =>
    poll("a mail", () => {
      const box = join(folder, "boxes", "all", "new");
      const file = existsSync(box) && readdirSync(box).find((name) => !read.has(name));
      if (!file) return undefined;
      read.add(file);
      return readFileSync(join(box, file), "utf8");
    }, 60_000);
  const stop = async () => {
    execFileSync("/usr/sbin/postfix", [...config, "abort"], { stdio: "ignore" });
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, next, stop };
}
