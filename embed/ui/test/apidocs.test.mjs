// The page that shows the API, as a browser shows it.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessible, fits, launch, settled, telephone } from "./browser.mjs";
import { start } from "./server.mjs";

let browser, server;

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// opened is the page once it shows the API. Whatever it asks of another host, does not get or
// complains about is in `faults`.
async function opened(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${server.origin}/`) && !request.url().startsWith("data:")) faults.push(`asks ${request.url()}`);
  });
  page.on("requestfailed", (request) => faults.push(`does not get ${request.url()}`));
  page.on("response", (reply) => {
    if (!reply.ok()) faults.push(`${reply.status()} ${reply.url()}`);
  });
  await page.goto(`${server.origin}/apidocs/`);
  await page.locator(".opblock").first().waitFor();
  return { page, faults, close: () => context.close() };
}

const operation = (page, id) => page.locator(`.opblock[id$="-${id}"]`);

test("carries the viewer as its package has it", () => {
  const installed = new URL("./node_modules/swagger-ui-dist/", import.meta.url);
  const shipped = new URL("../../apidocs/", import.meta.url);
  const names = readdirSync(new URL("swagger-ui/", shipped));
  assert.ok(names.includes("LICENSE") && names.includes("NOTICE"), names.join(" "));
  for (const name of names) {
    assert.ok(readFileSync(new URL(`swagger-ui/${name}`, shipped)).equals(readFileSync(new URL(name, installed))), name);
  }
  const { version } = JSON.parse(readFileSync(new URL("package.json", installed)));
  const page = readFileSync(new URL("index.html", shipped), "utf8") + readFileSync(new URL("apidocs.css", shipped), "utf8");
  const asked = [...page.matchAll(/"swagger-ui\/[^"?]+\?([^"]+)"/g)].map((match) => match[1]);
  assert.deepEqual(asked, [version, version], fileURLToPath(shipped));
});

test("shows every operation and asks nobody else", async () => {
  const { page, faults, close } = await opened();
  const { paths } = await (await fetch(`${server.origin}/apispec_1.json`)).json();
  const described = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).filter((key) => key !== "parameters").map((method) => `${method.toUpperCase()} ${path}`));
  const shown = await page.locator(".opblock-summary").evaluateAll((all) => all.map((one) =>
    `${one.querySelector(".opblock-summary-method").textContent} ${one.querySelector("[data-path]").dataset.path}`));
  assert.ok(described.length > 50, `only ${described.length}`);
  assert.deepEqual(shown.sort(), described.sort());
  assert.deepEqual(faults, []);
  await close();
});

test("can be used by everybody, in light and in dark colours", async () => {
  const { page, faults, close } = await opened({ colorScheme: "light" });
  for (const id of ["listNodes", "createTask", "logIn", "getVersion"]) {
    await operation(page, id).locator(".opblock-summary-control").click();
    await operation(page, id).locator(".responses-table").first().waitFor();
  }
  await operation(page, "createTask").getByText("Schema", { exact: true }).first().click();
  await operation(page, "logIn").locator(".try-out__btn").click();
  await operation(page, "getVersion").locator(".try-out__btn").click();
  await operation(page, "getVersion").locator(".execute").click();
  await operation(page, "getVersion").getByText('"version": "3.7.3"').first().waitFor();
  assert.deepEqual(faults, []);
  // What is left are places of headings and landmarks within the viewer.
  const schemes = async (part) => {
    await page.emulateMedia({ colorScheme: "light" });
    await settled(page);
    await accessible(page, { part });
    await page.emulateMedia({ colorScheme: "dark" });
    await settled(page);
    await accessible(page, { part, onlyColours: true });
  };
  await schemes("body");
  await page.locator(".authorize").first().click();
  await page.locator(".auth-container").first().waitFor();
  await schemes(".dialog-ux");
  await close();
});

test("has the colours that are asked for", async () => {
  const { page, close } = await opened({ colorScheme: "light" });
  const background = (what) => page.locator(what).first().evaluate((one) => getComputedStyle(one).backgroundColor);
  assert.equal(await background(".opblock"), "rgb(255, 255, 255)");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await background(".opblock"), "rgb(24, 33, 31)");
  assert.equal(await background("body"), "rgb(16, 22, 21)");
  await close();
});

test("fits a telephone", async () => {
  const { page, close } = await opened({ viewport: telephone });
  await operation(page, "listNodes").locator(".opblock-summary-control").click();
  await operation(page, "listNodes").locator(".responses-table").first().waitFor();
  await fits(page);
  await close();
});

test("leads to an operation", async () => {
  const { page, close } = await opened();
  await operation(page, "getRule").locator(".opblock-summary-control").click();
  assert.equal(new URL(page.url()).hash, "#/Rules/getRule");
  await page.reload();
  await operation(page, "getRule").locator(".responses-table").first().waitFor();
  await close();
});

test("says without scripts where to read", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.origin}/apidocs/`);
  await page.locator("noscript a").getByText("openapi.yaml").waitFor();
  await context.close();
});
