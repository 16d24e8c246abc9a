// The main job in the web interface, with the keyboard alone, on each database, and where there is no network.
import { execFile, execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { mainJob } from "./mainjob.mjs";
import { onPostgres } from "./server.mjs";

// alone is a command line that has no network but loopback, undefined where that cannot be made.
function alone() {
  const wrap = (line) => ["unshare", ["--net", "sh", "-c", `ip link set lo up && ${line}`]];
  try {
    execFileSync(...wrap("true"), { stdio: "ignore" });
    return wrap('exec node "$0"');
  } catch {
    return undefined;
  }
}

test("the main job is done with the keyboard alone, on SQLite, without any network", async (t) => {
  const line = alone();
  if (!line) {
    await mainJob();
    t.skip("a namespace without a network is for root on Linux; the job was done with one");
    return;
  }
  const [program, args] = line;
  await promisify(execFile)(program, [...args, fileURLToPath(new URL("mainjob.mjs", import.meta.url))], { env: { ...process.env, WITHOUT_NETWORK: "1" } });
});

test("the main job is done with the keyboard alone, on PostgreSQL", async (t) => {
  const database = onPostgres();
  if (!database) {
    t.skip("VSERVER_TEST_POSTGRES names no PostgreSQL");
    return;
  }
  try {
    await mainJob(database.uri);
  } finally {
    database.drop();
  }
});
