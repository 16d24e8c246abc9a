// Signing in to the web interface of the built binary.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { codeOf, launch, open, shown, signIn } from "./browser.mjs";
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

test("goes on over a restart of the server, with what is typed", async () => {
  const { page, check, close } = await open(browser, `${server.origin}/account`);
  await signIn(page, "root", password);
  await shown(page, "My account");
  await page.getByLabel("Current password").fill("typed before");
  await page.getByText("Live", { exact: true }).waitFor();
  await server.end();
  await page.getByText("Connecting…").waitFor();
  await server.serve();
  await page.getByText("Live", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("Current password").inputValue(), "typed before");
  await page.getByRole("link", { name: "Overview" }).click();
  await shown(page, "Overview");
  check("ERR_", "WebSocket", "/socket.io/"); // while the server was away, or went while a poll still rested
  await close();
});

test("sets up a second factor, asks for its code, and makes recovery codes", async () => {
  const strict = await start("    two_factor_auth: true\n");
  const { page, check, close } = await open(browser, strict.origin);
  await signIn(page, "root", "root");
  await shown(page, "Set up your second factor");
  await page.getByRole("img", { name: "QR code for your authenticator" }).waitFor();
  const secret = await page.locator("code").textContent();
  await page.getByRole("textbox", { name: "Code" }).fill("000000");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This code is not right").waitFor();
  check("401");
  await page.getByRole("textbox", { name: "Code" }).fill(codeOf(secret));
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, "Choose a password");
  await page.getByRole("textbox", { name: "New password", exact: true }).fill(password);
  await page.getByRole("textbox", { name: "Repeat" }).fill(password);
  await page.getByRole("button", { name: "Set the password" }).click();
  await shown(page, "Overview");
  await page.getByRole("link", { name: "My account" }).click();
  await page.getByRole("textbox", { name: "A fresh code" }).fill(codeOf(secret, Date.now() + 30_000)); // that of this moment is used
  await page.getByRole("button", { name: "Make new recovery codes" }).click();
  await page.getByText("These are your recovery codes.").waitFor();
  const recovery = await page.locator("code").first().textContent();
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await signIn(page, "root", password);
  await shown(page, "Second factor");
  await page.getByRole("textbox", { name: "Code" }).fill(recovery);
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, "My account");
  check();
  await close();
  await strict.stop();
});

test("asks for a mail when the password is lost, and tells of a wrong token", async () => {
  const { page, check, close } = await open(browser, server.origin);
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await page.getByLabel("User name or e-mail address").fill("root");
  await page.getByRole("button", { name: "Send the mail" }).click();
  await page.getByText("a mail is on its way").waitFor();
  await page.getByLabel("Token from the mail").fill("no such token");
  await page.getByRole("textbox", { name: "New password" }).fill(password);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("Invalid recovery token!").waitFor();
  check("400");
  await close();
});
