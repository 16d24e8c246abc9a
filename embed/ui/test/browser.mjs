// A browser for the tests, and pages that note what they complain of and ask for.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });

export const wide = { width: 1360, height: 860 };
export const telephone = { width: 360, height: 740 };

const underWay = new WeakMap(); // the requests of a page that are not answered yet

// open gives a page in a context of its own. check fails when it complained of anything, or
// asked another origin; expected are texts of complaints that belong to the test.
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Amsterdam", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000); // a busy machine is slow; what is there is not waited for
  const complaints = [];
  const asked = [];
  const waiting = new Set();
  underWay.set(page, waiting);
  page.on("console", (message) => {
    // What failed to load is told below, with its address.
    if (["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  page.on("response", (reply) => {
    if (reply.status() >= 400) complaints.push(`${reply.status()} ${reply.request().method()} ${reply.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    asked.push(request.url());
    if (!request.url().includes("/socket.io/")) waiting.add(request); // which waits for what happens
  });
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => waiting.delete(request));
  await page.goto(address);
  const { origin } = new URL(address);
  const own = (url) => url.startsWith(`${origin}/`) || url.startsWith("data:") || url.startsWith("blob:") || url.startsWith(origin.replace("http", "ws"));
  const check = (...expected) => {
    assert.deepEqual(asked.filter((url) => !own(url)), [], "asked another origin");
    const heard = complaints.splice(0); // one complaint fails one test
    assert.deepEqual(heard.filter((text) => !expected.some((known) => text.includes(known))), [], "complained");
  };
  return { context, page, check, asked, close: () => context.close() };
}

// settled waits until a page rests: what it asked for is answered and drawn, nothing stands for
// what is still to come, and nothing moves but what always does.
export async function settled(page) {
  const waiting = underWay.get(page);
  const end = Date.now() + 30_000;
  for (;;) {
    await page.evaluate(restsInPage);
    if (!waiting?.size) return;
    if (Date.now() > end) throw new Error(`the page still waits for ${[...waiting].map((request) => request.url())}`);
    await Promise.race([page.waitForEvent("requestfinished", { timeout: 1000 }), page.waitForEvent("requestfailed", { timeout: 1000 })]).catch(() => {});
  }
}

async function restsInPage() {
  const frame = () => new Promise((next) => requestAnimationFrame(next));
  const moves = (one) => one.playState === "running" && one.effect?.getComputedTiming().iterations !== Infinity && one.effect?.getComputedTiming().duration !== 0;
  const end = Date.now() + 20_000;
  await frame();
  for (let quiet = 0; quiet < 2 && Date.now() < end; ) {
    await frame();
    quiet = document.querySelector("[class*=Skeleton-root], [class*=Loader-root]") || document.getAnimations().some(moves) ? 0 : quiet + 1;
  }
}

// go shows another screen as a link to it does, without loading the page anew.
export async function go(page, path) {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate", { state: null }));
  }, path);
}

// signIn fills in the form of the page.
export async function signIn(page, username, password) {
  await page.getByLabel("User name").fill(username);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

// shown waits for the screen with a title.
export const shown = (page, title) => page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();

const rules = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// What depends on colours and on nothing else: the other scheme has the same elements.
const colourRules = ["color-contrast", "link-in-text-block"];

// The long run has every rule everywhere.
const long = process.env.VSERVER_LONG === "1";

// accessible finds what keeps somebody out, in a part of the page. With onlyColours, the rest was looked at
// in the other scheme.
export async function accessible(page, { part = "html", onlyColours = false, what = page.url() } = {}) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(rules);
  const found = await page.evaluate(
    async ([within, only]) => {
      const { violations } = await window.axe.run(within, { resultTypes: ["violations"], ...(only ? { runOnly: { type: "rule", values: only } } : {}) });
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
    },
    [part, onlyColours ? colourRules : undefined],
  );
  assert.deepEqual(found, [], what);
}

// fits fails where a page is wider than its window.
export async function fits(page, what = page.url()) {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, `${what} is wider than the window`);
}

const ways = [
  ["light", wide],
  ["dark", wide],
  ["phone", telephone],
];

// look sees a screen in both schemes and on a telephone: axe finds nothing serious, nothing is wider
// than the window, and with SCREENSHOTS=FOLDER pictures are written there. The long run has axe look at
// the telephone in both schemes as well, and in the dark at more than the colours.
export async function look(page, screen, { fullPage = false } = {}) {
  const folder = process.env.SCREENSHOTS;
  await page.mouse.move(0, 0); // nothing is hovered
  for (const [way, size] of ways) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: way === "dark" ? "dark" : "light" });
    await settled(page);
    await fits(page, `${screen} (${way})`);
    if (folder) await picture(page, `${folder}/${screen}-${way}.png`, size, fullPage || way === "phone");
    if (way !== "phone" || long) await accessible(page, { onlyColours: way === "dark" && !long, what: `${screen} (${way})` });
  }
  if (long) {
    await page.emulateMedia({ colorScheme: "dark" });
    await settled(page);
    await accessible(page, { what: `${screen} (dark phone)` });
  }
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: "light" });
}

// picture is one of the window, or of the whole page: then the window is as high, for the menu beside it is as
// high as the window.
async function picture(page, path, size, whole) {
  const height = whole ? await page.evaluate(() => document.documentElement.scrollHeight) : size.height;
  if (height > size.height) await page.setViewportSize({ ...size, height });
  await settled(page);
  await page.screenshot({ path, animations: "disabled" });
  await page.setViewportSize(size);
}

// codeOf is the code of an authenticator at a moment (RFC 6238).
export function codeOf(secret, at = Date.now()) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
