// What administrators do in the web interface: organizations, collaborations, nodes, users, roles, the server.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { fits, go, launch, look, open, settled, shown, signIn, telephone } from "./browser.mjs";
import { asRoot, seed, start, userPassword as password } from "./server.mjs";

let browser, server, ask, page, check;

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
  ask = await asRoot(server.origin);
  await seed(ask);
  // One page for what root does: the tests go on in it, as an administrator does.
  ({ page, check } = await open(browser, server.origin, { acceptDownloads: true }));
  await signIn(page, "root", password);
  await shown(page, "Overview");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// wrongLogIns locks an account for this machine.
async function wrongLogIns(username) {
  for (let i = 0; i < 5; i++)
    await fetch(`${server.origin}/api/token/user`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username, password: "wrong" }) });
}

test("a collaboration is set up from nothing to nodes that can be started", async () => {
  await go(page, "/collaborations");
  await shown(page, "Collaborations");
  await page.getByRole("link", { name: "New collaboration" }).click();
  await shown(page, "New collaboration");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("A collaboration needs a name.").waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("Heart failure");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("combobox", { name: "Organizations" }).click();
  await page.getByRole("option", { name: "North Hospital" }).click();
  await page.getByRole("option", { name: "East Hospital" }).click();
  await page.keyboard.press("Escape");
  await page.getByText("No public key yet: East Hospital").waitFor();
  await page.getByRole("button", { name: "Create it, with a node for each" }).click();
  await page.getByText("Heart failure is created.").waitFor();
  const key = await page.getByLabel(/^Key of North Hospital/).inputValue();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download its configuration" }).first().click()]);
  const config = readFileSync(await download.path(), "utf8");
  assert.ok(config.includes(`api_key: "${key}"`) && config.includes(`api_path: "/api"`) && config.includes("enabled: true"), config);
  const reply = await fetch(`${server.origin}/api/token/node`, { method: "POST", headers: { "Content-Type": "application/json", "User-Agent": "node/3.7.3" }, body: JSON.stringify({ api_key: key }) });
  assert.equal(reply.status, 200);
  await page.getByRole("link", { name: "To the collaboration" }).click();
  await shown(page, "Heart failure");
  check();
});

test("a node gets a new key, and the former one ends", async () => {
  await go(page, "/nodes");
  await shown(page, "Nodes");
  await page.getByRole("textbox", { name: "Search: Nodes" }).fill("east breast");
  await page.getByRole("link", { name: "East Hospital - Breast cancer Node" }).click();
  await shown(page, "East Hospital - Breast cancer Node");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "New key" }).click();
  await page.getByText("The key is shown this once.").waitFor();
  await page.keyboard.press("Escape"); // which must not lose it
  assert.match(await page.getByLabel(/^Key of East Hospital/).inputValue(), /^[0-9a-f-]{36}$/);
  await page.getByRole("button", { name: "I have kept it" }).click();
  check();
});

test("a public key is shown with its fingerprint, and one that is none is told", async () => {
  await go(page, "/organizations/2");
  await shown(page, "North Hospital");
  await page.getByText(/^SHA-256 [0-9a-f]{2}(:[0-9a-f]{2}){31}$/).waitFor();
  await page.getByRole("button", { name: "Replace the key" }).click();
  await page.getByRole("textbox", { name: "Key" }).fill("nonsense");
  await page.getByText("This is no public key.").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").getByRole("alert").filter({ hasText: "public_key" }).waitFor(); // beside the warning that stood there before
  check("400");
  await page.keyboard.press("Escape");
});

test("a user is invited by a token, is locked and unlocked, and gets a role", async () => {
  await go(page, "/users");
  await shown(page, "Users");
  await page.getByRole("button", { name: "New user" }).click();
  await page.getByRole("textbox", { name: "User name" }).fill("carla");
  await page.getByRole("textbox", { name: "E-mail address" }).fill("carla@example.org");
  await page.getByRole("combobox", { name: "Organization" }).click();
  await page.getByRole("option", { name: "North Hospital" }).click();
  await page.getByRole("button", { name: "Create user" }).click();
  const token = await page.getByRole("textbox", { name: "Token" }).inputValue();
  await page.getByRole("button", { name: "To the user" }).click();
  await shown(page, "carla");
  await page.getByRole("button", { name: "Edit user" }).click();
  await page.getByRole("combobox", { name: "Roles" }).click();
  await page.getByRole("option", { name: "Researcher" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Researcher" }).waitFor();
  const set = await fetch(`${server.origin}/api/recover/reset`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ reset_token: token, password }) });
  assert.equal(set.status, 200);
  await wrongLogIns("carla");
  await page.reload();
  await page.getByText("Locked after 5 wrong passwords").waitFor();
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByText("The user may log in again.").waitFor();
  await page.getByText("Locked after 5 wrong passwords").waitFor({ state: "detached" });
  check();
});

test("a role is made of rules that are searched for", async () => {
  await go(page, "/roles");
  await shown(page, "Roles");
  await page.getByRole("button", { name: "New role" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Watcher");
  await page.getByRole("combobox", { name: "Organization" }).click();
  await page.getByRole("option", { name: "North Hospital" }).click();
  await page.getByRole("textbox", { name: "Search the rules" }).fill("node");
  await page.getByRole("checkbox", { name: "Nodes: View, organization" }).check();
  await page.getByText("1 of 53 rules").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await shown(page, "Watcher");
  await page.getByText("1 of 53 rules").waitFor();
  check();
});

test("a new user gets a rule beside the roles", async () => {
  await go(page, "/users");
  await shown(page, "Users");
  await page.getByRole("button", { name: "New user" }).click();
  await page.getByRole("textbox", { name: "User name" }).fill("rob");
  await page.getByRole("textbox", { name: "E-mail address" }).fill("rob@example.org");
  await page.getByRole("button", { name: "Rules beside the roles" }).click();
  await page.getByRole("textbox", { name: "Search the rules" }).fill("node");
  await page.getByRole("checkbox", { name: "Nodes: View, organization" }).check();
  await page.getByRole("radio", { name: "I choose the password" }).check();
  await page.getByRole("textbox", { name: "Password", exact: true }).fill(password);
  await page.getByRole("button", { name: "Create user" }).click();
  await shown(page, "rob");
  await page.getByText("Nodes: View, organization").waitFor();
  const [made] = await ask("GET", "/user?username=rob");
  const [rule] = (await ask("GET", "/rule")).filter((one) => one.name === "node" && one.operation === "VIEW" && one.scope === "ORGANIZATION");
  assert.deepEqual(made.rules.map(({ id }) => id), [rule.id]);
  check();
});

test("a node is given to another organization, which takes the global rule", async () => {
  const { id } = await ask("POST", "/collaboration", { name: "Diabetes", organization_ids: [2, 3] });
  const node = await ask("POST", "/node", { collaboration_id: id, organization_id: 2, name: "moving node" });
  await go(page, `/nodes/${node.id}`);
  await shown(page, "moving node");
  await page.getByRole("button", { name: "Edit node" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("moved node");
  await page.getByRole("combobox", { name: "Organization" }).click();
  await page.getByRole("option", { name: "East Hospital" }).click();
  await page.getByRole("textbox", { name: "Address in the VPN" }).fill("10.76.0.9");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await shown(page, "moved node");
  const { organization, ip } = await ask("GET", `/node/${node.id}`);
  assert.deepEqual([organization.id, ip], [3, "10.76.0.9"]);
  await page.getByRole("button", { name: "Edit node" }).click();
  await page.getByRole("textbox", { name: "Address in the VPN" }).fill("");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal((await ask("GET", `/node/${node.id}`)).ip, null);
  check();
  await ask("PATCH", `/node/${node.id}`, { organization_id: 2 });
  const { page: own, check: sound, close } = await open(browser, `${server.origin}/nodes/${node.id}`); // by who edits the own nodes
  await signIn(own, "anna", password);
  await own.getByRole("button", { name: "Edit node" }).click();
  assert.ok(await own.getByRole("combobox", { name: "Organization" }).isDisabled());
  await own.getByRole("textbox", { name: "Name" }).fill("our node");
  await own.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await shown(own, "our node");
  sound();
  await close();
  await go(page, "/nodes");
  await shown(page, "Nodes");
  await ask("DELETE", `/node/${node.id}`);
  await ask("DELETE", `/collaboration/${id}`);
});

test("what the server says of who comes is told when it is asked for", async () => {
  await page.reload();
  await page.getByRole("button", { name: /^Live/ }).click();
  const log = page.getByRole("log", { name: "What the server said" });
  await log.getByText("User <root> joined room <collaboration_1>").first().waitFor();
  await page.keyboard.press("Escape");
  await log.waitFor({ state: "detached" });
  check();
});

test("who may not is not offered it, and is told why", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/nodes/5`);
  await signIn(page, "vera", password);
  const menu = page.getByRole("navigation", { name: "Main menu" });
  await menu.getByRole("link", { name: "Nodes" }).waitFor();
  assert.equal(await menu.getByRole("link", { name: "Server" }).count(), 0);
  await page.goto(`${server.origin}/organizations/2`);
  await shown(page, "North Hospital");
  const edit = page.getByRole("button", { name: "Edit organization" });
  await page.waitForFunction(() => [...document.querySelectorAll("button")].some((button) => button.textContent.includes("Edit organization") && button.disabled));
  await edit.locator("..").hover();
  await page.getByRole("tooltip").getByText(/The user vera may not PATCH \/organization\/2/).waitFor();
  await page.goto(`${server.origin}/server`);
  await page.getByText("This is for who looks after the server").waitFor();
  check("401", "404");
  await close();
});

test("the server is looked after: findings, log and a backup", async () => {
  await go(page, "/server");
  await shown(page, "Server");
  await page.getByText("SQLite,").waitFor();
  await page.getByRole("button", { name: "Examine" }).click();
  await page.getByText(/the server runs at/).waitFor();
  await page.getByText(/Listening on/).waitFor();
  check();
});

const database = "SQLite format 3\0"; // how a database begins

test("a backup is written to a file while it comes", async () => {
  // The place that somebody would choose is one in the browser's own storage, which is written to in the same way.
  await page.evaluate(() => {
    window.showSaveFilePicker = async ({ suggestedName }) => {
      window.suggested = suggestedName;
      return (await navigator.storage.getDirectory()).getFileHandle("copy", { create: true });
    };
    URL.createObjectURL = () => {
      throw new Error("held in memory");
    };
  });
  await page.getByRole("button", { name: "Download a backup" }).click();
  await page.getByText("The backup is saved.").waitFor();
  const [name, begin, size] = await page.evaluate(async () => {
    const file = await (await (await navigator.storage.getDirectory()).getFileHandle("copy")).getFile();
    return [window.suggested, await file.slice(0, 16).text(), file.size];
  });
  assert.match(name, /^browser-\d+-test-\d{8}T\d{6}Z\.sqlite$/);
  assert.equal(begin, database);
  assert.ok(size >= 4096, `${size} bytes`);
  check();
  await page.evaluate(() => {
    window.showSaveFilePicker = () => Promise.reject(new DOMException("thought better of it", "AbortError"));
  });
  await page.getByRole("button", { name: "Download a backup" }).click();
  await settled(page);
  assert.equal(await page.getByText("thought better of it").count(), 0);
  check();
});

test("a browser that cannot write while it comes tells the size of a backup before", async () => {
  await page.addInitScript(() => delete window.showSaveFilePicker);
  await page.reload();
  await page.getByRole("button", { name: "Download a backup" }).click();
  await page.getByText(/^The database takes \d.* on the server/).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download", exact: true }).click()]);
  assert.match(download.suggestedFilename(), /\.sqlite$/);
  assert.equal(readFileSync(await download.path()).subarray(0, 16).toString(), database);
  await page.getByRole("dialog").waitFor({ state: "detached" });
  check();
});

const kept = 100_000; // bytes of a file before the way to the server is cut

// breaking is a way to the server that is cut in the middle of what is sent as a file.
async function breaking() {
  const { hostname, port } = new URL(server.origin);
  const way = createServer((near) => {
    const far = connect(Number(port), hostname);
    let come = -Infinity;
    near.pipe(far);
    far.on("data", (part) => {
      come = part.includes("attachment; filename=") ? 0 : come + part.length;
      if (come > kept) return near.destroy();
      near.write(part);
    });
    for (const [one, other] of [[near, far], [far, near]]) one.on("error", () => {}).on("close", () => other.destroy());
  });
  await new Promise((listening) => way.listen(0, "127.0.0.1", listening));
  return { origin: `http://127.0.0.1:${way.address().port}`, close: () => way.close() };
}

test("a backup that breaks off is told, and no half of it is kept", async (t) => {
  const way = await breaking();
  t.after(way.close);
  const { page, check, close } = await open(browser, `${way.origin}/server`, { acceptDownloads: true });
  await signIn(page, "root", password);
  await shown(page, "Server");
  // A file that the browser makes for it, and one that was there before.
  await page.evaluate(() => {
    window.showSaveFilePicker = async () => (await navigator.storage.getDirectory()).getFileHandle(window.place, { create: true });
    window.place = "fresh";
  });
  const backup = page.getByRole("button", { name: "Download a backup" });
  const told = page.getByText("The backup broke off before it was whole. Nothing of it is kept.");
  await backup.click();
  await told.waitFor();
  await page.evaluate(async () => {
    window.place = "older";
    const older = await (await (await navigator.storage.getDirectory()).getFileHandle("older", { create: true })).createWritable();
    await older.write("an older copy");
    await older.close();
  });
  await page.getByRole("alert").getByRole("button").click(); // what was told is put away
  await told.waitFor({ state: "detached" });
  await backup.click();
  await told.waitFor();
  assert.equal(await page.getByText("The backup is saved.").count(), 0);
  const files = await page.evaluate(async () => {
    const found = {};
    for await (const [name, file] of await navigator.storage.getDirectory()) found[name] = await (await file.getFile()).text();
    return found;
  });
  assert.deepEqual(files, { older: "an older copy" });
  // A browser that holds it until it is whole.
  await page.evaluate(() => delete window.showSaveFilePicker);
  let saved = 0;
  page.on("download", () => saved++);
  await backup.click();
  await page.getByRole("button", { name: "Download", exact: true }).click();
  await page.getByRole("dialog").getByRole("alert").filter({ hasText: "The backup broke off" }).waitFor();
  assert.equal(saved, 0);
  check();
  await close();
});

const screens = {
  nodes: "/nodes", node: "/nodes/2", collaborations: "/collaborations", collaboration: "/collaborations/1", "new-collaboration": "/collaborations/new",
  organizations: "/organizations", organization: "/organizations/2", users: "/users", user: "/users/4", roles: "/roles", role: "/roles/5", server: "/server",
};

test("every screen keeps nobody out and fits, in both schemes and on a telephone", async (t) => {
  if (process.env.SCREENSHOTS) mkdirSync(process.env.SCREENSHOTS, { recursive: true });
  await wrongLogIns("anna");
  for (const [name, path] of Object.entries(screens)) {
    await t.test(name, async () => {
      await go(page, path);
      await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await settled(page);
      assert.equal(await page.getByRole("textbox", { name: "Password" }).count(), 0);
      await look(page, `manage-${name}`, { fullPage: true });
      check();
    });
  }
});

test("every screen fits a telephone in Dutch", async () => {
  const { page: dutch, check: sound, close } = await open(browser, server.origin, { locale: "nl-NL", viewport: telephone });
  await dutch.getByLabel("Gebruikersnaam").fill("root");
  await dutch.getByRole("textbox", { name: "Wachtwoord" }).fill(password);
  await dutch.getByRole("button", { name: "Aanmelden" }).click();
  await shown(dutch, "Overzicht");
  for (const [name, path] of Object.entries(screens)) {
    await go(dutch, path);
    await dutch.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
    await settled(dutch);
    await fits(dutch, `${name}, in Dutch`);
  }
  sound();
  await close();
});
