// Tasks in the web interface, on the hospitals of the demo.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, shown, signIn } from "./browser.mjs";
import { startDemo } from "./server.mjs";

let browser, demo;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(3), launch()]);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

// answersLate has the first answer about results tell of the moment before they came, and come when the page knows
// already that their task is complete.
async function answersLate(page) {
  let tell;
  let first = true;
  const complete = new Promise((resolve) => (tell = resolve));
  page.on("response", async (reply) => {
    if (/\/api\/task\/\d+$/.test(reply.url()) && (await reply.json().catch(() => ({}))).complete) tell();
  });
  await page.route(/\/api\/task\/\d+\/result/, async (route) => {
    const reply = await route.fetch();
    if (!first) return route.fulfill({ response: reply });
    first = false;
    const before = (await reply.json()).map((part) => ({ ...part, status: "active", finished_at: null, result: null }));
    await complete;
    await route.fulfill({ response: reply, json: before });
  });
}

test("a researcher sees the network, sends a task and compares what came out", async () => {
  const { page, check, close } = await open(browser, demo.origin);
  await signIn(page, ...demo.researcher);
  await shown(page, "Overview");
  await page.getByText("1 of 1").waitFor(); // a researcher may view the node of the own organization
  await page.getByRole("button", { name: /North Hospital ?Online/ }).waitFor();
  await page.getByRole("link", { name: "Tasks", exact: true }).click();
  await page.getByRole("link", { name: "New task" }).click();
  await shown(page, "New task");
  await page.getByRole("button", { name: "Send task" }).click();
  await page.getByText("Choose a collaboration.").waitFor();
  await page.getByRole("combobox", { name: "Collaboration" }).click();
  await page.getByRole("option", { name: /Demonstration/ }).click();
  await page.getByRole("button", { name: "Select all" }).click();
  await page.getByRole("combobox", { name: "Image of the algorithm" }).fill("vserver.example");
  await page.getByRole("option", { name: "vserver.example/demo/average:1" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("ages by hospital");
  await page.getByRole("textbox", { name: "Method" }).fill("partial");
  await page.getByRole("button", { name: "Add an argument" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).last().fill("column");
  await page.getByRole("textbox", { name: "Value" }).fill("age");
  await answersLate(page);
  await page.getByRole("button", { name: "Send task" }).click();
  await shown(page, "ages by hospital");
  await page.getByRole("region", { name: "East Hospital" }).getByText("count", { exact: true }).waitFor();
  await page.getByRole("tab", { name: "Compare" }).click();
  await page.getByText("All together").waitFor();
  await page.getByRole("img", { name: /North Hospital/ }).waitFor();
  await page.getByRole("tab", { name: "Input" }).click();
  await page.getByText('"age"').first().waitFor();
  await page.reload();
  await page.getByText('"age"').first().waitFor();
  check();
  await close();
});

test("filters stand in the address, and a run is folded", async () => {
  const { page, check, close } = await open(browser, `${demo.origin}/tasks?name=average&status=completed`);
  await signIn(page, ...demo.researcher);
  await shown(page, "Tasks");
  assert.equal(await page.getByRole("textbox", { name: "Name" }).inputValue(), "average");
  const fold = page.getByRole("button", { name: "Show the subtasks of task 1" });
  await fold.click();
  await page.getByRole("link", { name: "partial average" }).waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("no such task");
  await page.getByText("No task fits these filters").waitFor();
  assert.match(page.url(), /name=no/);
  await page.goBack();
  await page.getByRole("link", { name: "average age" }).waitFor();
  await page.getByRole("button", { name: "More filters" }).click();
  await page.getByLabel("Created from").fill("2999-01-01");
  await page.getByText("No task fits these filters").waitFor();
  assert.match(page.url(), /from=2999-01-01/);
  await page.getByLabel("Created from").fill(new Date().toISOString().slice(0, 8) + "01");
  await page.getByRole("link", { name: "average age" }).waitFor();
  await page.getByLabel("Created until").fill("2020-01-01");
  await page.getByText("No task fits these filters").waitFor();
  await page.reload();
  await page.getByText("No task fits these filters").waitFor();
  check();
  await close();
});

test("a moment has its UTC while somebody points at it", async () => {
  const { page, check, close } = await open(browser, `${demo.origin}/tasks`);
  await signIn(page, ...demo.researcher);
  await shown(page, "Tasks");
  const moment = page.getByRole("row").filter({ has: page.getByRole("link", { name: "average age" }) }).locator("time");
  await moment.hover();
  await page.getByRole("tooltip").getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/).waitFor();
  await page.getByRole("heading", { level: 1 }).hover();
  await page.getByRole("tooltip").waitFor({ state: "detached" });
  await moment.hover();
  await page.getByRole("tooltip").waitFor();
  check();
  await close();
});

test("what goes wrong at a hospital is told where it happened, and a task can be deleted", async () => {
  const { page, check, close } = await open(browser, `${demo.origin}/tasks/new?from=1`);
  await signIn(page, ...demo.researcher);
  await page.getByText("Filled in from task 1.").waitFor();
  await page.locator("label", { hasText: /^JSON$/ }).click();
  await page.getByLabel("The whole input, as JSON").fill('{"method": "nonsense"}');
  await page.getByRole("button", { name: "Send task" }).click();
  await page.getByRole("main").getByText("This part ended without a result.").waitFor();
  await page.getByRole("button", { name: "Log" }).click();
  await page.getByText('there is no method "nonsense"').waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await shown(page, "Tasks");
  check();
  await close();
});

test("all that runs on a node is ended by who may", async () => {
  const { page, check, close } = await open(browser, `${demo.origin}/nodes`);
  await signIn(page, ...demo.root);
  await shown(page, "Nodes");
  await page.getByRole("main").getByRole("link", { name: /North Hospital/ }).click();
  await page.getByRole("button", { name: "End its tasks" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End its tasks" }).click();
  await page.getByText("The node is told to end them.").waitFor();
  check();
  await close();
});
