// Shows the server's state on the start page and keeps it up to date while the
// page is looked at. Without this script the page links to the same answer.
"use strict";

const every = 15_000; // milliseconds between two questions
const patience = 5_000; // milliseconds to wait for an answer

const states = {
  healthy: ["Healthy", "The server and its database answer."],
  trouble: ["In trouble", "The server answers, its database does not."],
  away: ["Not answering", "The server could not be reached from this browser."],
};

async function ask() {
  try {
    const reply = await fetch(document.body.dataset.api + "/health", {
      cache: "no-store",
      signal: AbortSignal.timeout(patience),
    });
    if (!reply.ok) return "away";
    return (await reply.json()).database === true ? "healthy" : "trouble";
  } catch {
    return "away";
  }
}

function show(state) {
  const section = document.getElementById("state");
  if (section.dataset.state === state) return; // nothing new to read out
  section.dataset.state = state;
  const [word, text] = states[state];
  document.getElementById("state-word").textContent = word;
  document.getElementById("state-text").textContent = text;
}

async function refresh() {
  if (document.visibilityState === "visible") show(await ask());
}

document.addEventListener("visibilitychange", refresh);
setInterval(refresh, every);
refresh();
