// Signing in to the web interface of the built binary.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, shown, signIn } from "./browser.mjs";
import { start } from "./server.mjs";

let browser, server;
const password = "Gr3en-valleys";

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("has root's first password changed before anything else, and a deep link come back", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/nowhere/at-all`);
  await signIn(page, "root", "root");
  await shown(page, "Choose a password");
  await page.getByRole("textbox", { name: "New password", exact: true }).fill("short");
  await page.getByRole("textbox", { name: "Repeat" }).fill("short");
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("The password does not have all that it needs.").waitFor();
  await page.reload();
  await shown(page, "Choose a password");
  await page.getByRole("textbox", { name: "New password", exact: true }).fill(password);
  await page.getByRole("textbox", { name: "Repeat" }).fill(password);
  await page.getByRole("button", { name: "Set the password" }).click();
  await shown(page, "This page does not exist");
  assert.equal(new URL(page.url()).pathname, "/nowhere/at-all");
  await page.getByText("Live", { exact: true }).waitFor();
  check();
  await close();
});

test("says in words that a log-in was refused, and stays signed in over a reload alone", async () => {
  const { context, page, check, close } = await open(browser, server.origin);
  await signIn(page, "root", "wrong");
  await page.getByText("The name or the password is wrong").waitFor();
  check("401");
  await signIn(page, "root", password);
  await shown(page, "Overview");
  await page.reload();
  await shown(page, "Overview");
  const second = await context.newPage();
  await second.goto(server.origin);
  await shown(second, "Sign in");
  await second.close();
  await page.getByRole("button", { name: "Menu of root" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await shown(page, "Sign in");
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith("vserver"))), []);
  assert.deepEqual(await context.cookies(), []);
  check();
  await close();
});

test("speaks Dutch", async () => {
  const { page, check, close } = await open(browser, server.origin, { locale: "nl-NL" });
  await shown(page, "Aanmelden");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "nl");
  check();
  await close();
});
