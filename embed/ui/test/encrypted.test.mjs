// Encrypted tasks in the web interface, with messages made as the reference's cryptor makes them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { createDecipheriv } from "node:crypto";
import { launch, open, shown, signIn } from "./browser.mjs";
import { asRoot, caller, start, userPassword as password } from "./server.mjs";

const forge = createRequire(new URL("../package.json", import.meta.url))("node-forge");
const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url)));
const pem = (name, text) => ({ name, mimeType: "application/x-pem-file", buffer: Buffer.from(text) });

let browser, server, root, node, collaboration;

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
  root = await asRoot(server.origin);
  await root("PATCH", "/organization/1", { public_key: vectors.publicKey });
  collaboration = await root("POST", "/collaboration", { name: "sealed", organization_ids: [1], encrypted: true });
  const made = await root("POST", "/node", { collaboration_id: collaboration.id, organization_id: 1, name: "our node" });
  node = await caller(server.origin, "/token/node", { api_key: made.api_key });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// finished makes a task whose result is a text.
async function finished(name, result) {
  const task = await root("POST", "/task", { name, image: "example", collaboration_id: collaboration.id, organizations: [{ id: 1, input: vectors.empty }] });
  const now = new Date().toISOString();
  await node("PATCH", `/result/${task.results[0].id}`, { result, status: "completed", started_at: now, finished_at: now });
  return task.id;
}

test("a result is decrypted by the organization's key alone, and the other key is told apart", async () => {
  const id = await finished("rows", vectors.rows);
  const { page, check, close } = await open(browser, `${server.origin}/tasks/${id}`);
  await signIn(page, "root", password);
  await page.getByText("Encrypted for root.").waitFor();
  const file = page.locator('input[type="file"]');
  await file.setInputFiles(pem("notes.pem", "nothing"));
  await page.getByText("There is no RSA private key in this file.").waitFor();
  await file.setInputFiles(pem("other.pem", vectors.otherKey));
  await page.getByText("other.pem is a private key, but not that of root.").waitFor();
  await file.setInputFiles(pem("ours.pem", vectors.privateKey));
  await page.getByRole("cell", { name: "Hospital 11" }).waitFor();
  await page.getByRole("button", { name: "Sort by age" }).click();
  await page.getByRole("button", { name: "Sort by age" }).click();
  await page.waitForFunction(() => document.querySelector("tbody td")?.textContent === "Hospital 11");
  const [csv] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download as CSV" }).click()]);
  assert.match(readFileSync(await csv.path(), "utf8"), /^hospital,patients,age\r\nHospital 0,100,50.5\r\n/);
  check();
  await close();
});

test("what a hospital sent is shown as text and never run", async () => {
  const [json, pickle] = [await finished("markup", vectors.markup), await finished("pickle", vectors.pickle)];
  const { page, check, close } = await open(browser, `${server.origin}/tasks/${json}`);
  await signIn(page, "root", password);
  await page.locator('input[type="file"]').setInputFiles(pem("ours.pem", vectors.privateKey));
  await page.getByText("<b>bold</b>").first().waitFor();
  await page.locator("label", { hasText: /^Text$/ }).click();
  await page.locator("pre", { hasText: "<script>" }).waitFor();
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator("main b, main img[src=x]").count(), 0);
  await page.getByRole("link", { name: "Tasks", exact: true }).click();
  await page.getByRole("link", { name: "pickle" }).click();
  await page.getByText("A pickle of Python").waitFor(); // the key is still there
  await page.getByRole("tab", { name: "Input" }).click();
  check();
  await close();
  await root("DELETE", `/task/${pickle}`);
});

test("an input is encrypted in the browser for its organization", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/tasks/new?collaboration=${collaboration.id}`);
  await signIn(page, "root", password);
  await shown(page, "New task");
  await page.getByText("This collaboration is encrypted").waitFor();
  await page.getByRole("checkbox", { name: "root" }).check();
  await page.getByRole("combobox", { name: "Image of the algorithm" }).fill("example");
  await page.getByRole("textbox", { name: "Method" }).fill("average");
  await page.getByRole("button", { name: "Send task" }).click();
  await page.getByText("our node is offline. The task waits for it.").waitFor();
  const task = Number(page.url().split("/").pop());
  const [{ input }] = await root("GET", `/task/${task}/result`);
  const [key, iv, text] = input.split("$").map((part) => Buffer.from(part, "base64"));
  const aes = forge.pki.privateKeyFromPem(vectors.privateKey).decrypt(key.toString("binary"), "RSAES-PKCS1-V1_5");
  const clear = createDecipheriv("aes-256-ctr", Buffer.from(aes, "binary"), iv).update(text).toString();
  assert.deepEqual(JSON.parse(clear.replace(/^json\./, "")), { method: "average", kwargs: {}, output_format: "json" });
  check();
  await close();
});

test("a session that ends in the middle of a form asks over it, and nothing typed is lost", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/tasks/new`);
  await signIn(page, "root", password);
  await page.getByRole("textbox", { name: "Method" }).fill("typed before");
  // Both tokens are worth nothing from now on, as after a restart with another key.
  await page.route("**/api/**", (route) => (route.request().url().includes("/token/user") ? route.continue() : route.fulfill({ status: 401, json: { msg: "Token has expired" } })));
  await page.clock.install({ time: Date.now() + 8 * 3600_000 });
  await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  await page.getByText("Your session ended.").waitFor();
  await page.unroute("**/api/**");
  await page.getByRole("dialog").getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("Your session ended.").waitFor({ state: "hidden" });
  assert.equal(await page.getByRole("textbox", { name: "Method" }).inputValue(), "typed before");
  check("401");
  await close();
});
