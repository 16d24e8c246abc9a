// What administrators do in the web interface: organizations, collaborations, nodes, users, roles, the server.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { launch, open, shown, signIn } from "./browser.mjs";
import { start } from "./server.mjs";

let browser, server, ask;
const password = "Gr3en-valleys";
const pictures = fileURLToPath(new URL("../screenshots/", import.meta.url));

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
  ask = await asRoot(server.origin);
  await seed();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// asRoot gives a way to ask the API as root, with a password that root has chosen.
async function asRoot(origin) {
  const post = async (token, method, path, body) => {
    const reply = await fetch(`${origin}/api${path}`, { method, headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: body && JSON.stringify(body) });
    const told = await reply.json();
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(told)}`);
    return told;
  };
  const { access_token: first } = await post("", "POST", "/token/user", { username: "root", password: "root" });
  await post(first, "PATCH", "/password/change", { current_password: "root", new_password: password });
  const { access_token: token } = await post("", "POST", "/token/user", { username: "root", password });
  return (method, path, body) => post(token, method, path, body);
}

// seed makes a small network: three hospitals, of which one has an encrypted collaboration with another.
async function seed() {
  const key = Buffer.from(generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs1", format: "pem" } }).publicKey).toString("base64");
  for (const [name, country] of [["North Hospital", "Netherlands"], ["East Hospital", "Belgium"], ["University of the West", "Netherlands"]])
    await ask("POST", "/organization", { name, country, domain: `${name.split(" ")[0].toLowerCase()}.example`, ...(name.startsWith("North") ? { public_key: key } : {}) });
  await ask("POST", "/collaboration", { name: "Breast cancer", encrypted: false, organization_ids: [2, 3, 4] });
  await ask("POST", "/node", { collaboration_id: 1, organization_id: 2 });
  await ask("POST", "/node", { collaboration_id: 1, organization_id: 3 });
  const user = (username, firstname, lastname, organization_id, roles) => ask("POST", "/user", { username, firstname, lastname, email: `${username}@example.org`, password, organization_id, roles });
  await user("anna", "Anna", "de Vries", 2, [6]); // Organization Admin
  await user("bram", "Bram", "Peeters", 3, [5]); // Researcher
  await user("vera", "Vera", "Viewer", 2, [4]);
}

// wrongLogIns locks an account for this machine.
async function wrongLogIns(username) {
  for (let i = 0; i < 5; i++)
    await fetch(`${server.origin}/api/token/user`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username, password: "wrong" }) });
}

// axe looks for what keeps people out.
async function axe(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map((node) => node.html).slice(0, 3)]), []);
}

test("a collaboration is set up from nothing to nodes that can be started", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/collaborations`, { acceptDownloads: true });
  await signIn(page, "root", password);
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
  const config = (await (await import("node:fs/promises")).readFile(await download.path(), "utf8"));
  assert.ok(config.includes(`api_key: "${key}"`) && config.includes(`api_path: "/api"`) && config.includes("enabled: true"), config);
  const reply = await fetch(`${server.origin}/api/token/node`, { method: "POST", headers: { "Content-Type": "application/json", "User-Agent": "node/3.7.3" }, body: JSON.stringify({ api_key: key }) });
  assert.equal(reply.status, 200);
  await page.getByRole("link", { name: "To the collaboration" }).click();
  await shown(page, "Heart failure");
  check();
  await close();
});

test("a node gets a new key, and the former one ends", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/nodes`);
  await signIn(page, "root", password);
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
  await close();
});

test("a public key is shown with its fingerprint, and one that is none is told", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/organizations/2`);
  await signIn(page, "root", password);
  await shown(page, "North Hospital");
  await page.getByText(/^SHA-256 [0-9a-f]{2}(:[0-9a-f]{2}){31}$/).waitFor();
  await page.getByRole("button", { name: "Replace the key" }).click();
  await page.getByRole("textbox", { name: "Key" }).fill("nonsense");
  await page.getByText("This is no public key.").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").getByRole("alert").first().waitFor();
  check("400");
  await close();
});

test("a user is invited by a token, is locked and unlocked, and gets a role", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/users`);
  await signIn(page, "root", password);
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
  await close();
});

test("a role is made of rules that are searched for", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/roles`);
  await signIn(page, "root", password);
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
  await close();
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
  const { page, check, close } = await open(browser, `${server.origin}/server`, { acceptDownloads: true });
  await signIn(page, "root", password);
  await shown(page, "Server");
  await page.getByText("SQLite,").waitFor();
  await page.getByRole("button", { name: "Examine" }).click();
  await page.getByText(/the server runs at/).waitFor();
  await page.getByText(/Listening on/).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download a backup" }).click()]);
  assert.match(download.suggestedFilename(), /\.sqlite$/);
  check();
  await close();
});

const screens = {
  nodes: "/nodes", node: "/nodes/2", collaborations: "/collaborations", collaboration: "/collaborations/1", "new-collaboration": "/collaborations/new",
  organizations: "/organizations", organization: "/organizations/2", users: "/users", user: "/users/4", roles: "/roles", role: "/roles/5", server: "/server",
};

for (const [kind, options] of Object.entries({
  light: { colorScheme: "light", viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  narrow: { colorScheme: "light", viewport: { width: 360, height: 740 }, locale: "nl-NL" },
}))
  test(`every screen keeps nobody out and fits, ${kind}`, async () => {
    mkdirSync(pictures, { recursive: true });
    await wrongLogIns("anna");
    const { page, check, close } = await open(browser, server.origin, options);
    if (kind === "narrow") {
      await page.getByLabel("Gebruikersnaam").fill("root");
      await page.getByRole("textbox", { name: "Wachtwoord" }).fill(password);
      await page.getByRole("button", { name: "Aanmelden" }).click();
    } else await signIn(page, "root", password);
    await shown(page, kind === "narrow" ? "Overzicht" : "Overview");
    for (const [name, path] of Object.entries(screens)) {
      await page.goto(server.origin + path);
      await page.waitForLoadState("networkidle");
      await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      assert.equal(await page.getByRole("textbox", { name: /^(Password|Wachtwoord)$/ }).count(), 0);
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${pictures}manage-${name}-${kind}.png`, fullPage: true });
      await axe(page);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${name} is wider than the window`);
    }
    check();
    await close();
  });
