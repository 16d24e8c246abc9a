// Whatever 3.x interfaces can call to change something, somebody can do on a screen here: each call of the list
// is made by what an administrator clicks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { go, launch, open, settled, shown, signIn } from "./browser.mjs";
import { asRoot, seed, start, userPassword } from "./server.mjs";

// It takes a minute on a busy machine.
const long = process.env.VSERVER_LONG === "1";
const inLong = { skip: long ? false : "the long run does" };

let browser, server, page, check;
const made = new Set(); // "POST /organization", with {id} for numbers

before(async () => {
  if (!long) return;
  [server, browser] = await Promise.all([start(), launch()]);
  await seed(await asRoot(server.origin));
  ({ page, check } = await open(browser, server.origin));
  page.on("response", (reply) => {
    if (reply.ok()) made.add(`${reply.request().method()} ${new URL(reply.url()).pathname.replace(/^\/api/, "").replaceAll(/\/\d+/g, "/{id}")}`);
  });
  await signIn(page, "root", userPassword);
  await shown(page, "Overview");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const main = () => page.getByRole("main");
const dialog = () => page.getByRole("dialog");

async function at(path, title) {
  await go(page, path);
  await shown(page, title);
  await settled(page);
}

async function choose(label, option, within = dialog()) {
  await within.getByRole("combobox", { name: label, exact: true }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

async function edit(button, field, text) {
  await main().getByRole("button", { name: button }).click();
  await dialog().getByRole("textbox", { name: field, exact: true }).fill(text);
  await dialog().getByRole("button", { name: "Save" }).click();
  await dialog().waitFor({ state: "detached" });
}

async function remove(title) {
  await main().getByRole("button", { name: "Delete" }).click();
  await dialog().getByRole("button", { name: "Delete" }).click();
  await shown(page, title);
}

test("an organization is made and changed", inLong, async () => {
  await at("/organizations", "Organizations");
  await main().getByRole("button", { name: "New organization" }).click();
  await dialog().getByRole("textbox", { name: "Name", exact: true }).fill("South Hospital");
  await dialog().getByRole("button", { name: "Save" }).or(dialog().getByRole("button", { name: /^Create/ })).click();
  await dialog().waitFor({ state: "detached" });
  await at("/organizations/5", "South Hospital");
  await edit("Edit organization", "Country", "Netherlands");
  await main().getByText("Netherlands").waitFor();
  check();
});

test("a collaboration is changed, gets a node, and both are deleted", inLong, async () => {
  await at("/collaborations/new", "New collaboration");
  await page.getByRole("textbox", { name: "Name" }).fill("Short");
  await page.getByRole("button", { name: "Next" }).click();
  await choose("Organizations", "East Hospital", page);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Create it, with a node for each" }).click();
  await page.getByRole("link", { name: "To the collaboration" }).click();
  await shown(page, "Short");
  await main().getByRole("button", { name: "Edit collaboration" }).click();
  await dialog().getByRole("textbox", { name: "Name", exact: true }).fill("Shorter");
  await choose("Organizations", "North Hospital");
  await page.keyboard.press("Escape");
  await dialog().getByRole("button", { name: "Save" }).click();
  await shown(page, "Shorter");
  await at("/nodes", "Nodes");
  await main().getByRole("button", { name: "New node" }).click();
  await choose("Collaboration", "Shorter");
  await choose("Organization", "North Hospital");
  await dialog().getByRole("textbox", { name: "Name", exact: true }).fill("third node");
  await dialog().getByRole("button", { name: "Create node" }).click();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await main().getByRole("link", { name: "third node" }).click();
  await shown(page, "third node");
  await edit("Edit node", "Name", "last node");
  await shown(page, "last node");
  await main().getByRole("button", { name: "New key" }).click();
  await dialog().getByRole("button", { name: "New key" }).click();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await remove("Nodes");
  await main().getByRole("link", { name: /East Hospital - Short/ }).click();
  await remove("Nodes");
  await at("/collaborations", "Collaborations");
  await main().getByRole("link", { name: "Shorter" }).click();
  await remove("Collaborations");
  check();
});

test("a role is changed and deleted", inLong, async () => {
  await at("/roles", "Roles");
  await main().getByRole("button", { name: "New role" }).click();
  await dialog().getByRole("textbox", { name: "Name", exact: true }).fill("Guest");
  await choose("Organization", "North Hospital");
  await dialog().getByRole("checkbox", { name: "Nodes: View, organization" }).check();
  await dialog().getByRole("button", { name: "Save" }).click();
  await shown(page, "Guest");
  await edit("Edit role", "Description", "Looks on");
  await main().getByText("Looks on").waitFor();
  await remove("Roles");
  check();
});

test("a user is changed and deleted", inLong, async () => {
  await at("/users", "Users");
  await main().getByRole("button", { name: "New user" }).click();
  await dialog().getByRole("textbox", { name: "User name" }).fill("gus");
  await dialog().getByRole("textbox", { name: "E-mail address" }).fill("gus@example.org");
  await dialog().getByRole("button", { name: "Create user" }).click();
  await page.getByRole("button", { name: "To the user" }).click();
  await shown(page, "gus");
  await edit("Edit user", "First name", "Gus");
  await shown(page, "Gus");
  await remove("Users");
  check();
});

test("a task is sent, killed and deleted, and the own password is changed", inLong, async () => {
  await at("/collaborations/1", "Breast cancer");
  await main().getByRole("button", { name: "Edit collaboration" }).click();
  await choose("Organizations", "root");
  await page.keyboard.press("Escape");
  await dialog().getByRole("button", { name: "Save" }).click();
  await dialog().waitFor({ state: "detached" });
  await at("/tasks/new?collaboration=1", "New task");
  await main().getByRole("checkbox", { name: "North Hospital" }).check();
  await main().getByRole("combobox", { name: "Image of the algorithm" }).fill("example");
  await main().getByRole("textbox", { name: "Name", exact: true }).fill("to be killed");
  await main().getByRole("textbox", { name: "Method" }).fill("average");
  await main().getByRole("button", { name: "Send task" }).click();
  await shown(page, "to be killed");
  await main().getByRole("button", { name: "Kill" }).click();
  await dialog().getByRole("button", { name: "Kill" }).click();
  await main().getByText("Killed").first().waitFor();
  await remove("Tasks");
  await at("/account", "My account");
  await main().getByRole("textbox", { name: "Current password" }).fill(userPassword);
  await main().getByRole("textbox", { name: "New password" }).fill(`${userPassword}2`);
  await Promise.all([page.waitForResponse((reply) => reply.url().endsWith("/password/change")), main().getByRole("button", { name: "Change password" }).click()]);
  check();
});

test("every call that changes something was made", inLong, () => {
  const calls = ["POST /organization", "PATCH /organization/{id}", "POST /collaboration", "PATCH /collaboration/{id}", "DELETE /collaboration/{id}",
    "POST /node", "PATCH /node/{id}", "DELETE /node/{id}", "POST /recover/node", "POST /role", "PATCH /role/{id}", "DELETE /role/{id}",
    "POST /user", "PATCH /user/{id}", "DELETE /user/{id}", "POST /task", "POST /kill/task", "DELETE /task/{id}", "PATCH /password/change"];
  assert.deepEqual(calls.filter((call) => !made.has(call)), []);
});
