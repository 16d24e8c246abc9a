// A browser for the tests, and pages that note what they complain of and ask for.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });

// open gives a page in a context of its own. check fails when it complained of anything, or
// asked another origin; expected are texts of complaints that belong to the test.
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Amsterdam", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000); // a busy machine is slow; what is there is not waited for
  const complaints = [];
  const asked = [];
  page.on("console", (message) => {
    // What failed to load is told below, with its address.
    if (["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  page.on("response", (reply) => {
    if (reply.status() >= 400) complaints.push(`${reply.status()} ${reply.request().method()} ${reply.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(address);
  const { origin } = new URL(address);
  const own = (url) => url.startsWith(`${origin}/`) || url.startsWith("data:") || url.startsWith("blob:") || url.startsWith(origin.replace("http", "ws"));
  const check = (...expected) => {
    assert.deepEqual(asked.filter((url) => !own(url)), [], "asked another origin");
    assert.deepEqual(complaints.filter((text) => !expected.some((known) => text.includes(known))), [], "complained");
    complaints.length = 0;
  };
  return { context, page, check, asked, close: () => context.close() };
}

// signIn fills in the form of the page.
export async function signIn(page, username, password) {
  await page.getByLabel("User name").fill(username);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

// shown waits for the screen with a title.
export const shown = (page, title) => page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
