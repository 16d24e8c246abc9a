// The start page of the built binary, as a browser shows it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, telephone } from "./browser.mjs";
import { poll, start, version } from "./server.mjs";

let browser, server;

before(async () => {
  [server, browser] = await Promise.all([start("    ui: false\n"), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// open gives the page with all it complained of and asked for.
async function open(options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  const asked = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  const reply = await page.goto(`${server.origin}/`);
  return { context, page, reply, complaints, asked };
}

const healthy = (page) => page.waitForSelector('#state[data-state="healthy"]', { timeout: 10_000 });

test("says what it is, its version and its state", async () => {
  const { context, page, reply, complaints, asked } = await open();
  assert.equal(reply.status(), 200);
  assert.equal(await page.title(), "vserver");
  const shown = (await page.textContent("#version")).trim();
  assert.ok(shown !== "" && version().includes(shown), `${shown} is not in ${version()}`);
  await healthy(page);
  assert.equal(await page.textContent("#state-word"), "Healthy");
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "vserver");
  assert.deepEqual(complaints, []);
  assert.ok(asked.length >= 4, `asked only for ${asked}`);
  assert.deepEqual(asked.filter((url) => !url.startsWith(`${server.origin}/`)), []);
  await context.close();
});

test("carries a strict policy", async () => {
  const { context, reply } = await open();
  const headers = reply.headers();
  const policy = headers["content-security-policy"] ?? "";
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(part), `${part} is not in ${policy}`);
  }
  assert.ok(!policy.includes("unsafe"), policy);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.ok(headers["referrer-policy"], "no Referrer-Policy");
  assert.equal(headers.server, undefined);
  await context.close();
});

test("follows the light or dark of the reader's system", async () => {
  const colours = {};
  for (const colorScheme of ["light", "dark"]) {
    const { context, page, complaints } = await open({ colorScheme });
    await healthy(page);
    colours[colorScheme] = await page.evaluate(() => {
      const style = getComputedStyle(document.body);
      return [style.backgroundColor, style.color].map((text) => {
        const [red, green, blue] = text.match(/\d+/g).map(Number);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      });
    });
    assert.deepEqual(complaints, []);
    await context.close();
  }
  assert.ok(colours.light[0] > 200 && colours.light[1] < 80, `light: ${colours.light}`);
  assert.ok(colours.dark[0] < 60 && colours.dark[1] > 180, `dark: ${colours.dark}`);
});

const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test("fits a telephone", async () => {
  const { context, page } = await open({ viewport: telephone });
  await healthy(page);
  assert.equal(await wide(page), 0);
  await context.close();
});

test("fits a telephone with a long version and path, and with large letters", async () => {
  const { context, page } = await open({ viewport: telephone });
  await page.evaluate(() => {
    document.querySelector("#version").textContent = "10.20.30-0.20261129112631-6aa9ebf0123456789+locally.changed";
    for (const code of document.querySelectorAll("dd code")) code.textContent = "/federation".repeat(9);
    document.documentElement.style.fontSize = "150%";
  });
  assert.equal(await wide(page), 0);
  await context.close();
});

test("has the icon that browsers ask for", async () => {
  const { context, page } = await open();
  const size = await page.evaluate(async () => {
    const icon = new Image();
    icon.src = "favicon.ico";
    await icon.decode();
    return icon.naturalWidth;
  });
  assert.ok(size >= 16, `${size} pixels`);
  await context.close();
});

test("works without scripts", async () => {
  const { context, page } = await open({ javaScriptEnabled: false });
  await page.click("#state-word a");
  assert.equal(page.url(), `${server.origin}/api/health`);
  assert.match(await page.textContent("body"), /"database":\s*true/);
  await context.close();
});

test("leads to the documentation, its examples for proxies, and back", async () => {
  const { context, page, complaints } = await open();
  await page.getByRole("link", { name: "documentation" }).click();
  await page.waitForURL(`${server.origin}/docs/`);
  await page.getByRole("navigation", { name: "All pages" }).getByRole("link", { name: "Behind a proxy" }).click();
  await page.waitForURL(`${server.origin}/docs/proxy`);
  for (const name of ["nginx", "Caddy", "Apache"]) {
    assert.ok(await page.getByRole("heading", { name }).isVisible(), name);
  }
  await page.getByRole("link", { name: "nginx.conf" }).click();
  assert.match(await page.textContent("body"), /proxy_pass/);
  await page.goBack();
  await page.getByRole("link", { name: "Start page" }).click();
  await page.waitForURL(`${server.origin}/`);
  await healthy(page);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("keeps robots away", async () => {
  const reply = await fetch(`${server.origin}/robots.txt`);
  assert.equal(reply.status, 200);
  assert.match(reply.headers.get("content-type"), /^text\/plain/);
  assert.match(await reply.text(), /^Disallow: \/$/m);
});

test("tells when the server went away", async () => {
  const other = await start("    ui: false\n");
  const page = await browser.newPage();
  await page.goto(`${other.origin}/`);
  await healthy(page);
  assert.equal(await other.stop(), 0);
  await poll("the page to notice", async () => {
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    return (await page.getAttribute("#state", "data-state")) === "away";
  });
  assert.equal(await page.textContent("#state-word"), "Not answering");
  await page.close();
});
