// The documentation of the built binary, as a browser shows it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, telephone } from "./browser.mjs";
import { start } from "./server.mjs";

let browser, server;

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// everyPage opens all pages of the navigation, one after the other.
async function everyPage(options, look) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${server.origin}/docs/`);
  const links = await page.locator("#all-pages a").evaluateAll((all) => all.map((a) => a.href));
  assert.ok(links.length > 15, `only ${links}`);
  for (const link of links) {
    const reply = await page.goto(link);
    assert.equal(reply.status(), 200, link);
    assert.equal(await page.locator("h1").count(), 1, link);
    await look(page, link);
  }
  assert.deepEqual(complaints, []);
  await context.close();
}

test("fits a telephone on every page, with a panel and a button for each block of code", async () => {
  let blocks = 0;
  await everyPage({ viewport: telephone }, async (page, link) => {
    const seen = await page.evaluate(() => ({
      widths: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
      panels: [...document.querySelectorAll("main pre")].map((pre) => {
        const buttons = [...pre.parentElement.querySelectorAll("button")].filter((button) => button.textContent.trim() === "Copy");
        return { frame: pre.parentElement.className, buttons: buttons.length, end: buttons[0]?.getBoundingClientRect().bottom, code: pre.querySelector("code").getBoundingClientRect().top };
      }),
    }));
    assert.equal(seen.widths[0], seen.widths[1], link);
    for (const panel of seen.panels) {
      blocks++;
      assert.deepEqual([panel.frame, panel.buttons], ["panel", 1], link);
      assert.ok(panel.end <= panel.code, `${link}: the button covers the code`);
    }
  });
  assert.ok(blocks > 10, `only ${blocks}`);
});

test("can be read without scripts", async () => {
  await everyPage({ javaScriptEnabled: false }, async (page, link) => {
    assert.ok((await page.textContent("main")).length > 300, link);
    assert.equal(await page.locator(".copy").count(), 0, link);
  });
});

test("copies a block of code", async () => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(`${server.origin}/docs/proxy`);
  const block = page.locator("pre", { hasText: "proxy_pass" });
  await page.locator(".panel", { has: block }).getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await block.textContent());
  await context.close();
});

test("leads to a heading", async () => {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/docs/tasks`);
  await page.locator(".sections").getByRole("link", { name: "Kill", exact: true }).click();
  assert.equal(page.url(), `${server.origin}/docs/tasks#kill`);
  assert.equal(await page.locator(":target").textContent(), "Kill");
  await page.close();
});
