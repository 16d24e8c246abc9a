// A lost password and a lost second factor, with mails that a real mail server brought.
import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, launch, open, shown, signIn } from "./browser.mjs";
import { postfix } from "./postfix.mjs";
import { asRoot, freePort, start, userPassword } from "./server.mjs";

// plain is the text of a mail that alone stands for it, without its transport's breaks.
const plain = (mail) => mail.split(/^Content-Type: text\/html/m)[0].replaceAll(/=\r?\n/g, "").replaceAll("=3D", "=");

// tokenOf stands alone on its line in a mail.
function tokenOf(mail) {
  const found = plain(mail).split(/\r?\n/).filter((line) => /^\w{24,}$/.test(line.trim()));
  assert.equal(found.length, 1, mail);
  return found[0].trim();
}

test("a lost password and a lost second factor come back by mail", async (t) => {
  const mail = await postfix();
  if (!mail) {
    t.skip("Postfix is not installed, or not for this account to start");
    return;
  }
  const port = await freePort();
  const settings = `    smtp:\n      server: 127.0.0.1\n      port: ${mail.port}\n      tls: none\n      from: vserver@example.org\n    public_url: http://127.0.0.1:${port}\n`;
  const [server, browser] = await Promise.all([start(settings, "", port), launch()]);
  t.after(async () => {
    await browser.close();
    await server.stop();
    await mail.stop();
  });
  const root = await asRoot(server.origin);
  await root("POST", "/user", { username: "anna", firstname: "Anna", lastname: "de Vries", email: "anna@example.org", password: userPassword, organization_id: 1, roles: [] });
  await server.end();
  await server.serve("    two_factor_auth: true\n");
  const { page, check, close } = await open(browser, server.origin);

  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await page.getByLabel("User name or e-mail address").fill("anna@example.org");
  await page.getByRole("button", { name: "Send the mail" }).click();
  await page.getByText("a mail is on its way").waitFor();
  const told = await mail.next();
  assert.match(told, /^To:.*anna@example\.org/m);
  const [link] = plain(told).match(/http:\/\/127\.0\.0\.1:\d+\/\S*/);
  assert.ok(!link.includes(tokenOf(told)), "the token stands in an address");
  await page.goto(link);
  await shown(page, "Sign in");
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await page.getByRole("button", { name: "I have a token" }).click();
  await page.getByLabel("Token from the mail").fill(tokenOf(told));
  const next = "Bl4ck-mountains";
  await page.getByRole("textbox", { name: "New password" }).fill(next);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("Your password is changed.").waitFor();
  assert.match(await mail.next(), /^Subject: .*password/im); // that it was changed
  await page.getByRole("button", { name: "Back to signing in" }).click();
  await signIn(page, "anna", next);
  await shown(page, "Set up your second factor");
  await page.getByRole("textbox", { name: "Code" }).fill(codeOf(await page.locator("code").textContent()));
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, "Overview");
  assert.match(await mail.next(), /second factor/i);

  await page.getByRole("button", { name: /^Menu of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Lost your authenticator?" }).click();
  await page.getByLabel("User name or e-mail address").fill("anna");
  await page.getByRole("textbox", { name: "Password" }).fill(next);
  await page.getByRole("button", { name: "Send the mail" }).click();
  await page.getByLabel("Token from the mail").fill(tokenOf(await mail.next()));
  await page.getByRole("button", { name: "Set up anew" }).click();
  await page.getByRole("img", { name: "QR code for your authenticator" }).waitFor();
  const secret = await page.locator("code").textContent();
  await page.getByRole("button", { name: "Back to signing in" }).click();
  await signIn(page, "anna", next);
  await page.getByRole("textbox", { name: "Code" }).fill(codeOf(secret));
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, "Overview");
  check();
  await close();
});
