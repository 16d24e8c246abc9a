// Gives each block of code a button that copies it. Everything can be read without.
"use strict";

// select marks the text, which also serves where nothing may be written to the clipboard.
function select(block) {
  const range = document.createRange();
  range.selectNodeContents(block);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy(block) {
  try {
    await navigator.clipboard.writeText(block.textContent);
    return true;
  } catch {
    select(block); // without TLS there is no clipboard; the older way may still work
    return document.execCommand("copy");
  }
}

for (const block of document.querySelectorAll("main pre > code")) {
  const pre = block.parentNode;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    button.textContent = (await copy(block)) ? "Copied" : "Selected";
    setTimeout(() => (button.textContent = "Copy"), 2_000);
  });
  const panel = document.createElement("div");
  panel.className = "panel";
  pre.replaceWith(panel);
  panel.append(pre, button);
}
