// How the screens of the web interface are laid out: what stands beside what, and that nothing is pushed
// out of sight. The pictures of embed/ui/screenshots show the same screens.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { go, launch, open, settled, shown, signIn, telephone, wide } from "./browser.mjs";
import { asRoot, caller, seed, start, userPassword } from "./server.mjs";

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url)));
const sizes = { 1: 2, 2: 2, 3: 3, 8: 8, 12: 12, 24: 24 }; // organizations of the collaborations, by their number

let browser, server, page, check;

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
  const root = await asRoot(server.origin);
  await seed(root);
  const members = [1, 2];
  for (let i = members.length; i < 24; i++) members.push((await root("POST", "/organization", { name: `Hospital of ${["Amersfoort", "Breda", "Goes"][i % 3]} ${i}` })).id);
  await root("PATCH", "/organization/1", { public_key: vectors.publicKey, name: "University" });
  for (const n of Object.keys(sizes)) await root("POST", "/collaboration", { name: `of ${n}`, encrypted: n === "2", organization_ids: members.slice(0, Number(n)) });
  const { id } = (await root("GET", "/collaboration")).find((one) => one.name === "of 2");
  const { api_key: key } = await root("POST", "/node", { collaboration_id: id, organization_id: 1 });
  await root("POST", "/node", { collaboration_id: id, organization_id: 2 });
  const task = await root("POST", "/task", { name: "age of patients with a rather long name", image: "vserver.example/a/rather/long/average:1", collaboration_id: id, organizations: [1, 2].map((one) => ({ id: one, input: vectors.empty })) });
  const node = await caller(server.origin, "/token/node", { api_key: key });
  await node("PATCH", `/result/${task.results[0].id}`, { result: vectors.rows, status: "completed", finished_at: new Date().toISOString() });
  await root("PATCH", "/user/4", { email: "administrator@north.example.org" });
  ({ page, check } = await open(browser, server.origin, { viewport: wide }));
  await signIn(page, "root", userPassword);
  await shown(page, "Overview");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const boxes = (locator) => locator.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));

const ways = [
  ["wide", wide],
  ["telephone", telephone],
];

test("figures of the overview leave no gap beside the last one", async () => {
  for (const [way, size] of ways) {
    await page.setViewportSize(size);
    await settled(page);
    const cards = await boxes(page.getByRole("main").locator("[class*=SimpleGrid-root] > *"));
    assert.equal(cards.length, 5);
    assert.ok(Math.abs(cards.at(-1).right - Math.max(...cards.map((one) => one.right))) < 1, `${way}: the last line is not full`);
  }
  check();
});

test("the picture is as high as what it shows, and names touch nothing", async () => {
  const collaborations = Object.keys(sizes);
  for (const [way, size] of ways) {
    await page.setViewportSize(size);
    for (const n of collaborations) {
      await go(page, `/?collaboration=${Object.keys(sizes).indexOf(n) + 2}`);
      const picture = page.getByRole("group", { name: new RegExp(`^of ${n}[^0-9]`) });
      await picture.waitFor();
      await settled(page);
      const { frame, parts, texts } = await picture.evaluate((svg) => {
        const box = (one) => one.getBoundingClientRect().toJSON();
        return { frame: box(svg), parts: [...svg.querySelectorAll("circle, text, rect")].map(box), texts: [...svg.querySelectorAll("text")].map((one) => ({ ...box(one), says: one.textContent })) };
      });
      const unused = Math.max(Math.min(...parts.map((one) => one.top)) - frame.top, frame.bottom - Math.max(...parts.map((one) => one.bottom)));
      assert.ok(unused <= 24, `${way}, ${n}: ${unused} pixels are empty`);
      assert.ok(parts.every((one) => one.left >= frame.left - 1 && one.right <= frame.right + 1), `${way}, ${n}: something is cut off`);
      for (const [i, a] of texts.entries())
        for (const b of texts.slice(i + 1)) assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 2 || b.bottom <= a.top + 2, `${way}, ${n}: "${a.says}" touches "${b.says}"`);
    }
  }
  check();
});

test("a dot that waits lies on the way between server and organization", async () => {
  await page.setViewportSize(telephone);
  await go(page, "/?collaboration=3");
  const dot = page.locator("circle[class*=waits]");
  await dot.first().waitFor();
  await settled(page);
  const mark = (await boxes(page.locator("svg[role=group] rect")))[0];
  for (const one of await boxes(dot)) assert.ok(one.right <= mark.left || one.left >= mark.right || one.bottom <= mark.top || one.top >= mark.bottom, "it is behind the server");
  check();
});

// asides are what can be scrolled sideways on a screen.
const asides = (page) =>
  page.getByRole("main").evaluate((main) =>
    [...main.querySelectorAll("*")].filter((one) => one.scrollWidth > one.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(one).overflowX)).map((one) => one.outerHTML.slice(0, 120)),
  );

test("nothing has to be pushed aside on a telephone", async (t) => {
  await page.setViewportSize(telephone);
  for (const path of ["/tasks", "/tasks/1", "/tasks/1?tab=time", "/nodes", "/nodes/2", "/collaborations/1", "/organizations/2", "/users", "/users/4", "/roles", "/roles/5", "/server"])
    await t.test(path, async () => {
      await go(page, path);
      await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await settled(page);
      assert.deepEqual(await asides(page), []);
      check();
    });
});

test("the tabs of a task are one line, and its facts fill theirs", async () => {
  await go(page, "/tasks/1");
  const tabs = page.getByRole("tab");
  await tabs.first().waitFor();
  for (const [way, size] of ways) {
    await page.setViewportSize(size);
    await settled(page);
    assert.equal(new Set((await boxes(tabs)).map(({ top }) => Math.round(top))).size, 1, way);
    const facts = await boxes(page.locator("dl").first().locator("> div"));
    assert.ok(facts.at(-1).left > facts[0].left + 1, `${way}: the last fact stands alone`);
  }
  check();
});

test("the ends of a time line stand below those of its bars", async () => {
  await go(page, "/tasks/1?tab=time");
  const [bars, ends] = ["track", "scale"].map((name) => page.getByRole("main").locator(`[class*=_${name}_]`));
  await ends.waitFor();
  for (const [way, size] of ways) {
    await page.setViewportSize(size);
    await settled(page);
    const [bar, end] = [(await boxes(bars))[0], (await boxes(ends))[0]];
    assert.ok(Math.abs(bar.left - end.left) < 2 && Math.abs(bar.right - end.right) < 2, `${way}: ${bar.left} to ${bar.right}, ${end.left} to ${end.right}`);
  }
  await go(page, "/tasks/1");
  check();
});

test("what a finger has to hit on a telephone is high enough", async (t) => {
  await page.setViewportSize(telephone);
  for (const path of ["/tasks/1", "/tasks/new", "/nodes", "/account", "/"])
    await t.test(path, async () => {
      await go(page, path);
      await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await settled(page);
      const found = await boxes(page.getByRole("main").locator("[class*=mantine-Button-root], [class*=mantine-ActionIcon-root], [class*=mantine-SegmentedControl-label]").filter({ visible: true }));
      assert.deepEqual(found.filter(({ height }) => height < 30), []);
    });
  await go(page, "/tasks/1");
  check();
});

test("an address of mail is one word on a telephone", async () => {
  await page.setViewportSize(telephone);
  await go(page, "/users/4");
  const mail = page.getByText("administrator@north.example.org");
  await mail.waitFor();
  await settled(page);
  for (const { height } of await boxes(mail)) assert.ok(height < 30, `${height} pixels high`);
  await go(page, "/tasks/1");
  check();
});

test("what is encrypted can be downloaded beside the button for the key, on a ground that is seen in the dark", async () => {
  await page.setViewportSize(wide);
  const part = page.getByRole("region", { name: "University" });
  await settled(page);
  const [key] = await boxes(part.getByRole("button", { name: "Read private key…" }).filter({ visible: true }));
  const [download] = await boxes(part.getByRole("button", { name: /^Download/ }));
  assert.equal(Math.round(download.top), Math.round(key.top));
  assert.ok(download.left - key.right < 24, `${download.left - key.right} pixels apart`);
  await page.emulateMedia({ colorScheme: "dark" });
  await settled(page);
  const light = (locator) => locator.evaluate((one) => {
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    paint.fillStyle = getComputedStyle(one).backgroundColor;
    paint.fillRect(0, 0, 1, 1);
    return paint.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((a, b) => a + b);
  });
  assert.ok((await light(part.locator("[class*=Alert-root]"))) > (await light(part)), "a hole in the card");
  await page.emulateMedia({ colorScheme: "light" });
  check();
});
