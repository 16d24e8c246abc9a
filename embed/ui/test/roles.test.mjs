// What each default role sees in the web interface is what the API lets it do: nothing is asked for that is
// refused, no control is offered that the server would not obey, and none is missing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { go, launch, open, settled, shown, signIn } from "./browser.mjs";
import { asRoot, caller, onPostgres, seed, start, userPassword } from "./server.mjs";

let browser, server, users;
const database = process.env.VSERVER_LONG ? onPostgres() : undefined; // the short run has SQLite

before(async () => {
  [server, browser] = await Promise.all([start("", database?.uri), launch()]);
  const root = await asRoot(server.origin);
  users = await seed(root);
  const researcher = await caller(server.origin, "/token/user", { username: users.Researcher, password: userPassword });
  const input = [2, 3].map((id) => ({ id, input: Buffer.from('json.{"method": "average"}').toString("base64") }));
  await researcher("POST", "/task", { name: "ages", image: "example", collaboration_id: 1, organizations: input });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  database?.drop();
});

// lists are the entries of the menu that stand for a list, with the control that makes another one.
const lists = [
  ["Tasks", "/tasks", "/task", "New task"],
  ["Nodes", "/nodes", "/node", "New node"],
  ["Collaborations", "/collaborations", "/collaboration", "New collaboration"],
  ["Organizations", "/organizations", "/organization", "New organization"],
  ["Users", "/users", "/user", "New user"],
  ["Roles", "/roles", "/role", "New role"],
];

// things are screens of one thing, with the requests that their controls stand for.
const things = [
  ["/tasks/1", "/task/1", { Kill: ["POST", "/kill/task"], Delete: ["DELETE", "/task/1"] }],
  ["/nodes/2", "/node/2", { "Edit node": ["PATCH", "/node/2"], "New key": ["PATCH", "/node/2"], Delete: ["DELETE", "/node/2"] }],
  ["/nodes/3", "/node/3", { "Edit node": ["PATCH", "/node/3"], "New key": ["PATCH", "/node/3"], Delete: ["DELETE", "/node/3"] }],
  ["/collaborations/1", "/collaboration/1", { "Edit collaboration": ["PATCH", "/collaboration/1"], Delete: ["DELETE", "/collaboration/1"] }],
  ["/organizations/2", "/organization/2", { "Edit organization": ["PATCH", "/organization/2"], "Replace the key": ["PATCH", "/organization/2"] }],
  ["/organizations/3", "/organization/3", { "Edit organization": ["PATCH", "/organization/3"], "Upload a public key": ["PATCH", "/organization/3"] }],
  ["/users/4", "/user/4", { "Edit user": ["PATCH", "/user/4"] }],
  ["/users/5", "/user/5", { "Edit user": ["PATCH", "/user/5"] }],
  ["/roles/6", "/role/6", { "Edit role": ["PATCH", "/role/6"], Delete: ["DELETE", "/role/6"] }],
];

// allowed asks the server itself: a change is tried with nothing in it, what would leave a trace is asked about.
async function allowed(ask, method, path) {
  if (method !== "PATCH") return (await ask("GET", `/access/explain?method=${method}&path=${path}`)).allowed;
  return ask("PATCH", path, {}).then(
    () => true,
    ({ message, status }) => {
      assert.ok([400, 401].includes(status), message); // 400: nobody may, as with the default roles
      return false;
    },
  );
}

const gets = (ask, path) => ask("GET", path).then(() => true, () => false);

async function offers(page, ask) {
  for (const [path, api, controls] of things) {
    if (!(await gets(ask, api))) continue;
    const before = await page.locator("main h1").textContent();
    await go(page, path);
    await page.waitForFunction((was) => ![was, undefined].includes(document.querySelector("main h1")?.textContent), before);
    await settled(page);
    for (const [name, [method, asked]] of Object.entries(controls)) {
      const control = page.getByRole("main").getByRole("button", { name, exact: true });
      const offered = (await control.count()) > 0 && (await control.first().isEnabled());
      assert.equal(offered, await allowed(ask, method, asked), `${name} on ${path}`);
    }
  }
}

test("what a role is offered is what it may do, and nothing is refused", async (t) => {
  for (const [role, username] of Object.entries(users))
    await t.test(role, async () => {
      const ask = await caller(server.origin, "/token/user", { username, password: userPassword });
      const { page, check, close } = await open(browser, server.origin);
      await signIn(page, username, userPassword);
      await shown(page, "Overview");
      await settled(page);
      const menu = page.getByRole("navigation", { name: "Main menu" });
      for (const [title, path, api, make] of lists) {
        const seen = await ask("GET", api).then((rows) => rows.length > 0, () => false);
        assert.equal(await menu.getByRole("link", { name: title, exact: true }).count(), seen ? 1 : 0, `${title} in the menu`);
        await go(page, path);
        await shown(page, title);
        await settled(page);
        const { allowed: may } = await ask("GET", `/access/explain?method=POST&path=${api}`);
        const control = page.getByRole("button", { name: make, exact: true }).or(page.getByRole("link", { name: make, exact: true }));
        assert.equal((await control.count()) > 0, may, `${make} for ${role}`);
      }
      assert.equal(await menu.getByRole("link", { name: "Server", exact: true }).count(), (await gets(ask, "/server")) ? 1 : 0, "Server in the menu");
      for (const [path, title] of [["/server", "Server"], ["/tasks/new", "New task"], ["/collaborations/new", "New collaboration"], ["/account", "My account"]]) {
        await go(page, path);
        await shown(page, title);
        await settled(page);
      }
      await offers(page, ask);
      check(); // no 401 or 403, no complaint
      await close();
    });
});
