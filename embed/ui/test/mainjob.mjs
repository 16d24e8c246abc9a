// The main job with the keyboard alone: sign in, make a task, see how a node does it, read the result.
// `node mainjob.mjs [URI]` does it on a database of its own, or on that of the address.
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { launch, open, settled, shown } from "./browser.mjs";
import { asRoot, caller, poll, start, userPassword } from "./server.mjs";

// to moves the focus with the Tab key until a control has it.
async function to(page, control) {
  const focused = () => control.evaluate((one) => one === document.activeElement || one.contains(document.activeElement)).catch(() => false);
  await control.waitFor();
  for (let i = 0; i < 120; i++) {
    if (await focused()) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not reach ${control}`);
}

const type = (page, text) => page.keyboard.insertText(text);

async function fill(page, label, text) {
  await to(page, page.getByRole("textbox", { name: label, exact: true }));
  await type(page, text);
}

// done is a node that does what waits for it, as 3.x nodes do.
async function done(origin, key, result) {
  const node = await caller(origin, "/token/node", { api_key: key });
  const [open] = await poll("the node's work", async () => {
    const all = await node("GET", "/result?state=open&include=task");
    return all.length > 0 && all;
  });
  const now = new Date().toISOString();
  const packed = Buffer.from(`json.${JSON.stringify(result)}`).toString("base64");
  await node("PATCH", `/result/${open.id}`, { started_at: now, status: "active" });
  await node("PATCH", `/result/${open.id}`, { finished_at: now, status: "completed", result: packed, log: "312 patients read" });
  return open;
}

export async function mainJob(uri = "") {
  const [server, browser] = await Promise.all([start("", uri), launch()]);
  try {
    const root = await asRoot(server.origin);
    const collaboration = await root("POST", "/collaboration", { name: "Heart failure", organization_ids: [1], encrypted: false });
    const { api_key: key } = await root("POST", "/node", { collaboration_id: collaboration.id, organization_id: 1, name: "our node" });
    assert.equal((await root("GET", "/server")).database.engine, uri ? "postgres" : "sqlite");
    const { context, page, check } = await open(browser, `${server.origin}/`);
    await context.addInitScript(() => addEventListener("pointerdown", () => (window.pointed = true), true));
    await shown(page, "Sign in");
    await type(page, "root"); // the field has the focus
    await page.keyboard.press("Tab");
    await type(page, userPassword);
    await page.keyboard.press("Enter");
    await shown(page, "Overview");
    await settled(page);
    await page.keyboard.press("Control+k");
    await page.getByRole("textbox", { name: "Search" }).waitFor();
    await type(page, "tasks");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await shown(page, "Tasks");
    await to(page, page.getByRole("link", { name: "New task" }));
    await page.keyboard.press("Enter");
    await shown(page, "New task");
    await to(page, page.getByRole("combobox", { name: "Collaboration" }));
    await type(page, "Heart");
    await page.getByRole("option", { name: "Heart failure" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await to(page, page.getByRole("checkbox", { name: "root" }));
    await page.keyboard.press("Space");
    await to(page, page.getByRole("combobox", { name: "Image of the algorithm" }));
    await type(page, "vserver.example/average:1");
    await fill(page, "Name", "age of patients");
    await fill(page, "Method", "average");
    await to(page, page.getByRole("button", { name: "Add an argument" }));
    await page.keyboard.press("Enter");
    await to(page, page.getByRole("textbox", { name: "Value" }));
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await type(page, "column");
    await to(page, page.getByRole("textbox", { name: "Value" }));
    await type(page, "age");
    await to(page, page.getByRole("button", { name: "Send task" }));
    await page.keyboard.press("Enter");
    await shown(page, "age of patients");
    const { input } = await done(server.origin, key, { average: 61.5, count: 312 });
    assert.deepEqual(JSON.parse(Buffer.from(input, "base64").toString().replace(/^json\./, "")), { method: "average", kwargs: { column: "age" }, output_format: "json" });
    await page.getByText("61.5").first().waitFor(); // told by the live channel
    await to(page, page.getByRole("button", { name: "Log" }));
    await page.keyboard.press("Enter");
    await page.getByText("312 patients read").waitFor();
    assert.equal(await page.evaluate(() => window.pointed), undefined, "the pointer was used");
    check();
  } finally {
    await browser.close();
    await server.stop();
  }
}

if (process.argv[1] === import.meta.filename) {
  if (process.env.WITHOUT_NETWORK) assert.deepEqual(Object.keys(networkInterfaces()), ["lo"]);
  await mainJob(process.argv[2]);
}
