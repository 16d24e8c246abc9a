// Every screen of the web interface in both schemes and on a telephone: axe finds nothing serious, no
// screen is wider than the window, and with SCREENSHOTS=FOLDER pictures of all are written there.
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { go, launch, look, open, shown, signIn, wide } from "./browser.mjs";
import { caller, poll, startDemo } from "./server.mjs";

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url)));

let browser, demo, sealed, away;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(6), launch()]);
  const [username, password] = demo.root;
  const root = await caller(demo.origin, "/token/user", { username, password });
  // A collaboration with a node that is away and has work, one that never came, and a task whose result is encrypted.
  const [own, second] = [1, 2];
  await root("PATCH", `/organization/${own}`, { public_key: vectors.publicKey, name: "University" });
  const joint = await root("POST", "/collaboration", { name: "Registry of strokes", organization_ids: [own, second], encrypted: true });
  const nodes = [];
  for (const organization of [own, second]) nodes.push(await root("POST", "/node", { collaboration_id: joint.id, organization_id: organization, name: `registry node ${organization}` }));
  const input = [{ id: own, input: vectors.empty }];
  const task = await root("POST", "/task", { name: "strokes by hospital", image: "vserver.example/strokes:2", collaboration_id: joint.id, organizations: input, database: "registry" });
  await root("POST", "/task", { name: "survival after a stroke", image: "vserver.example/strokes:2", collaboration_id: joint.id, organizations: input, database: "registry" });
  const node = await caller(demo.origin, "/token/node", { api_key: nodes[0].api_key });
  const now = new Date();
  await node("PATCH", `/result/${task.results[0].id}`, { result: vectors.rows, status: "completed", log: "12 hospitals read\ndone", started_at: now.toISOString(), finished_at: new Date(now.getTime() + 42_000).toISOString() });
  // Pictures show a node that was seen, which the server writes down a little later.
  if (process.env.SCREENSHOTS) await poll("the node is seen", async () => (await root("GET", `/node/${nodes[0].id}`)).last_seen, 60_000);
  sealed = task.id;
  away = joint.id;
  const demonstration = (await root("GET", "/collaboration")).find((one) => one.name.startsWith("Demonstration"));
  await root("PATCH", `/collaboration/${demonstration.id}`, { name: "Ages of patients" });
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const readKey = async (page) => {
  await page.locator('input[type="file"]').setInputFiles({ name: "university.pem", mimeType: "application/x-pem-file", buffer: Buffer.from(vectors.privateKey) });
  await page.getByRole("cell", { name: "Hospital 11" }).waitFor();
};

// name, path, and what to wait for or do before it is looked at
const screens = [
  ["overview", "/", (page) => page.getByRole("button", { name: /North Hospi.*Online/ }).waitFor()],
  ["overview-offline", () => `/?collaboration=${away}`, (page) => page.getByText("What to check").first().click()],
  ["tasks", "/tasks", (page) => page.getByRole("link", { name: "average age" }).waitFor()],
  ["task", "/tasks/1", (page) => page.getByText("average", { exact: true }).waitFor()],
  ["task-encrypted", () => `/tasks/${sealed}`, (page) => page.getByText("Encrypted for University.").waitFor()],
  ["task-decrypted", () => `/tasks/${sealed}`, readKey],
  ["task-time", "/tasks/1?tab=time", (page) => page.getByRole("img", { name: /Time line of/ }).first().waitFor()],
  ["task-run", "/tasks/1?tab=tree", (page) => page.getByRole("link", { name: "partial average" }).waitFor()],
  ["task-compare", "/tasks/1?tab=compare", (page) => page.getByText("All together").waitFor()],
  ["new-task", "/tasks/new?from=1", (page) => page.getByText("Filled in from task 1").waitFor()],
  ["account", "/account", (page) => page.getByText("Sign out everywhere").waitFor()],
];

test("every screen is sound in both schemes and on a telephone", async (t) => {
  if (process.env.SCREENSHOTS) mkdirSync(process.env.SCREENSHOTS, { recursive: true });
  const { page, check, close } = await open(browser, demo.origin, { viewport: wide });
  await shown(page, "Sign in");
  await t.test("sign-in", () => look(page, "sign-in"));
  await signIn(page, ...demo.root);
  await shown(page, "Overview");
  for (const [name, path, ready] of screens) {
    await t.test(name, async () => {
      await go(page, typeof path === "function" ? path() : path);
      await ready(page);
      await look(page, name);
      check();
    });
  }
  await close();
});
