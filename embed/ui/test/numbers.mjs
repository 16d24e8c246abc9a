// Measures what the web interface promises (/docs/ui#numbers), on 500 nodes and 10,000 tasks: `make ui-numbers`.
// It prints what it finds, and judges nothing: times are those of this machine as busy as it is.
import { statSync } from "node:fs";
import { loadavg } from "node:os";
import { go, launch, open, settled, shown, signIn } from "./browser.mjs";
import { asRoot, binary, caller, start, userPassword } from "./server.mjs";

const [organizations, tasks, rows, lists] = [500, 10_000, 10_000, 10_000];
const packed = (value) => Buffer.from(`json.${JSON.stringify(value)}`).toString("base64");
const best = (times) => `${Math.round(Math.min(...times))} ms (best of ${times.length}; median ${Math.round(times.toSorted((a, b) => a - b)[times.length >> 1])} ms)`;
const say = (what, promise, found) => console.log(`${what.padEnd(46)} ${promise.padEnd(10)} ${found}`);

// each does something for many, some at a time.
async function each(list, some, act) {
  const left = list.entries();
  await Promise.all(Array.from({ length: some }, async () => {
    for (const [i, one] of left) await act(one, i);
  }));
}

async function fill(root, origin) {
  const ids = [];
  await each(Array.from({ length: organizations }), 4, async (_, i) => ids.push((await root("POST", "/organization", { name: `Hospital ${i}` })).id));
  const collaboration = await root("POST", "/collaboration", { name: "Five hundred hospitals", organization_ids: [1, ...ids], encrypted: false });
  let key, member;
  await each(ids, 4, async (id) => {
    const made = await root("POST", "/node", { collaboration_id: collaboration.id, organization_id: id, name: `node ${id}` });
    if (id === ids[0]) [key, member] = [made.api_key, id];
  });
  const input = packed({ method: "average" });
  const node = await caller(origin, "/token/node", { api_key: key });
  await each(Array.from({ length: tasks }), 6, (_, i) =>
    root("POST", "/task", { name: `task ${i}`, image: "example", collaboration_id: collaboration.id, organizations: [{ id: ids[i % ids.length], input }] }));
  const table = Array.from({ length: rows }, (_, i) => ({ patient: i, age: 20 + (i % 70), weight: 50 + (i % 61) / 2, note: `row ${i}` }));
  const task = await root("POST", "/task", { name: "ten thousand rows", image: "example", collaboration_id: collaboration.id, organizations: [{ id: member, input }] });
  const now = new Date().toISOString();
  await node("PATCH", `/result/${task.results[0].id}`, { started_at: now, finished_at: now, status: "completed", result: packed(table) });
  const open = await root("POST", "/task", { name: "seen live", image: "example", collaboration_id: collaboration.id, organizations: [{ id: member, input }] });
  return { task, open, node };
}

// when gives the moment at which something is on the page, by the clock of the page.
const when = (page, selector) => page.waitForFunction((what) => (document.querySelector(what) ? performance.now() : 0), selector, { polling: "raf" }).then((handle) => handle.jsonValue());

// clicked clicks a link and gives the milliseconds until what it leads to is on the screen.
const clicked = (page, text, selector) =>
  page.evaluate(async ([name, what]) => {
    const link = [...document.querySelectorAll("nav a, td a")].find((one) => one.textContent === name);
    const from = performance.now();
    link.click();
    while (!document.querySelector(what)) await new Promise((next) => requestAnimationFrame(next));
    await new Promise((next) => requestAnimationFrame(next));
    return performance.now() - from;
  }, [text, selector]);

async function scroll(page, { x, y }, distance) {
  const client = await page.context().newCDPSession(page);
  await client.send("Input.synthesizeScrollGesture", { x, y, yDistance: -distance, speed: 20_000, gestureSourceType: "mouse" });
  await client.detach();
}

// longest tells the longest task of the page's thread while something is done.
async function longest(page, act) {
  await browser.startTracing(page, { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline"] });
  await act();
  const trace = JSON.parse((await browser.stopTracing()).toString()).traceEvents;
  const renderers = new Set(trace.filter((one) => one.name === "thread_name" && one.args.name === "CrRendererMain").map((one) => `${one.pid}:${one.tid}`));
  const spans = trace.filter((one) => one.ph === "X" && one.dur && renderers.has(`${one.pid}:${one.tid}`) && /RunTask$/.test(one.name));
  const most = (kind) => (Math.max(...spans.map((one) => one[kind] ?? 0)) / 1000).toFixed(0);
  return `${most("tdur")} ms of the processor (${most("dur")} ms by the clock)`;
}

// whole makes the lists that are fetched whole long: organizations, and a node for each.
async function whole(root) {
  const there = (await root("GET", "/organization")).length;
  await each(Array.from({ length: lists - there }), 6, (_, i) => root("POST", "/organization", { name: `Hospital ${organizations + i}`, domain: `h${i}.example`, country: "Netherlands" }));
  const ids = (await root("GET", "/organization")).map(({ id }) => id);
  const { id } = await root("POST", "/collaboration", { name: "All hospitals", organization_ids: ids, encrypted: false });
  await each(ids.slice(0, lists - organizations), 6, (organization) => root("POST", "/node", { collaboration_id: id, organization_id: organization, name: `node of hospital ${organization}` }));
}

const [server, browser] = await Promise.all([start(), launch()]);
try {
  const root = await asRoot(server.origin);
  const began = Date.now();
  const { task, open: live, node } = await fill(root, server.origin);
  console.log(`${organizations} nodes, ${tasks} tasks, made in ${Math.round((Date.now() - began) / 1000)} s; load ${loadavg()[0].toFixed(1)}\n`);
  const { page, close } = await open(browser, server.origin, { viewport: { width: 1360, height: 860 } });
  await signIn(page, "root", userPassword);
  await shown(page, "Overview");
  await settled(page);

  const [paints, pictures] = [[], []];
  let scripts = 0;
  for (let i = 0; i < 5; i++) {
    await page.goto(`${server.origin}/`);
    pictures.push(await when(page, "svg[role=group]"));
    paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    await settled(page);
  }
  const cold = await open(browser, server.origin);
  await signIn(cold.page, "root", userPassword);
  await when(cold.page, "svg[role=group]");
  scripts = await cold.page.evaluate(() => performance.getEntriesByType("resource").filter((one) => /\.js$/.test(new URL(one.name).pathname)).reduce((sum, one) => sum + one.encodedBodySize, 0));
  await cold.close();
  say("first paint of Overview", "≤ 1 s", best(paints));
  say("… with its picture", "", best(pictures));
  say("script before it, gzip", "≤ 400 kB", `${(scripts / 1000).toFixed(0)} kB`);

  const clicks = [];
  for (let i = 0; i < 7; i++) {
    await go(page, "/");
    await shown(page, "Overview");
    await settled(page);
    clicks.push(await clicked(page, "Tasks", "tbody tr a"));
  }
  say("list of tasks after the click", "≤ 150 ms", best(clicks));

  const opened = [];
  for (let i = 0; i < 7; i++) {
    await go(page, "/tasks");
    await shown(page, "Tasks");
    await settled(page);
    opened.push(await clicked(page, `task ${tasks - 5 - i}`, "[role=tabpanel] section"));
  }
  say("a task after the click, with its parts", "≤ 150 ms", best(opened));

  await go(page, `/tasks/${live.id}`);
  await shown(page, "seen live");
  await page.getByText("Live", { exact: true }).waitFor();
  await settled(page);
  const told = [];
  for (const [status, word] of [["initializing", "Starting"], ["active", "Running"], ["crashed", "Crashed"]]) {
    const seen = page.waitForFunction((text) => ([...document.querySelectorAll("main section *")].some((one) => one.textContent === text) ? Date.now() : 0), word, { polling: "raf" }).then((handle) => handle.jsonValue());
    const at = Date.now();
    await node("PATCH", `/result/${live.results[0].id}`, { status });
    told.push((await seen) - at);
    await new Promise((next) => setTimeout(next, 3000)); // events that follow each other are gathered
  }
  say("event on the screen, with the node's request", "≤ 200 ms", best(told));

  await go(page, `/tasks/${task.id}`);
  await page.getByRole("cell", { name: "row 3", exact: true }).waitFor();
  await settled(page);
  const box = await page.getByRole("cell", { name: "row 3", exact: true }).boundingBox();
  say(`scrolling ${rows} rows: longest frame's work`, "≤ 50 ms", await longest(page, () => scroll(page, { x: box.x + 10, y: Math.min(box.y, 800) }, 60_000)));

  const pages = [];
  for (const at of [1, 40, 80, 100]) {
    await go(page, "/");
    await shown(page, "Overview");
    await settled(page);
    pages.push(await longest(page, async () => {
      await go(page, `/tasks?size=100&page=${at}`);
      await page.locator("tbody tr:nth-child(100) a").waitFor();
      await settled(page);
      await scroll(page, { x: 700, y: 600 }, 6000);
    }));
  }
  for (const [i, found] of pages.entries()) say(`100 tasks, page ${[1, 40, 80, 100][i]}: longest frame's work`, "≤ 50 ms", found);

  await whole(root);
  for (const [title, path, first] of [["Organizations", "/organizations", "organizations"], ["Nodes", "/nodes", "nodes"]]) {
    await go(page, "/account");
    await shown(page, "My account");
    await settled(page);
    await page.reload(); // nothing is kept
    await shown(page, "My account");
    await settled(page);
    const all = await longest(page, async () => {
      say(`list of ${lists} ${first} after the click`, "", `${Math.round(await clicked(page, title, "tbody tr a"))} ms`);
      await settled(page);
    });
    say("… longest frame's work", "≤ 50 ms", all);
    say("… scrolled and searched", "≤ 50 ms", await longest(page, async () => {
      await scroll(page, { x: 700, y: 600 }, 3000);
      await page.getByRole("textbox", { name: `Search: ${title}` }).pressSequentially("hospital 777", { delay: 60 });
      await settled(page);
    }));
  }
  await close();
  say("binary", "≤ 45 MB", `${(statSync(binary).size / 1e6).toFixed(1)} MB`);
} finally {
  await browser.close();
  await server.stop();
}
