// Shows the description of the API, in the colours that the browser asks for.
"use strict";

const root = document.getElementById("api");
const dark = matchMedia("(prefers-color-scheme: dark)");

function followColours() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

// names are what the viewer leaves those to guess who do not see the page.
const names = {
  "select": (select) => (select.closest(".examples-select") ? "Example" : "Choice"),
  "textarea": () => "Body",
  ".close-modal": () => "Close",
};

function name() {
  for (const [what, nameOf] of Object.entries(names)) {
    for (const one of root.querySelectorAll(`${what}:not([aria-label])`)) {
      one.ariaLabel = one.closest("[data-param-name]")?.dataset.paramName ?? nameOf(one);
    }
  }
  for (const button of root.querySelectorAll(".auth-btn-wrapper [aria-label]")) button.ariaLabel = button.textContent;
  for (const block of root.querySelectorAll(".microlight:not([tabindex])")) block.tabIndex = 0; // to be scrolled
}

// plainLinks has the viewer write the name of an operation as a text: it stands within a
// button that opens the operation, and sets the address as a link would.
const plainLinks = ({ React }) => ({ components: { DeepLink: ({ text }) => React.createElement("span", null, text) } });

followColours();
dark.addEventListener("change", followColours);
new MutationObserver(name).observe(root, { childList: true, subtree: true });

SwaggerUIBundle({
  url: "../openapi.yaml",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  plugins: [plainLinks],
  syntaxHighlight: { activated: false },
  validatorUrl: null, // else the document is sent to a host outside
});
