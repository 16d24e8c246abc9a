import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// The running server that `make ui` develops against.
const server = process.env.VSERVER ?? "http://127.0.0.1:5000";

// packageOf returns the folder of the package that a bundled file belongs to.
function packageOf(file: string): string | undefined {
  const parts = file.replace(/^\0/, "").split("?")[0]!.split(sep);
  const at = parts.lastIndexOf("node_modules");
  if (at < 0) return undefined;
  const length = parts[at + 1]!.startsWith("@") ? 3 : 2;
  return parts.slice(0, at + length).join(sep);
}

// licences writes licences.txt: name, version and licence text of every package that a part
// of the built interface comes from. The server shows it at /docs/licences.
function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle(_, bundle) {
      const folders = new Set<string>();
      for (const part of Object.values(bundle)) {
        if (part.type !== "chunk") continue;
        for (const file of part.moduleIds) {
          const folder = packageOf(file);
          if (folder) folders.add(folder);
        }
      }
      const texts = [...folders].map((folder) => {
        const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
        const text = file ? readFileSync(join(folder, file), "utf8").replaceAll("\r", "").trim() : "";
        return `${about.name} ${about.version}, ${about.license}\n\n${text || "(The package has no text of its licence.)"}`;
      });
      const rule = `\n\n${"-".repeat(80)}\n\n`;
      this.emitFile({ type: "asset", fileName: "licences.txt", source: `${texts.toSorted().join(rule)}\n` });
    },
  };
}

// placeholders puts in, while developing, what the server puts into index.html otherwise.
function placeholders(): Plugin {
  const values: Record<string, string> = { Root: "/", Server: "/", API: "/api", Version: "in development", Nonce: "" };
  return {
    name: "placeholders",
    apply: "serve",
    transformIndexHtml: {
      order: "pre",
      handler: (html) => html.replaceAll(/\{\{\.(\w+)\}\}/g, (_, name: string) => values[name] ?? ""),
    },
  };
}

// partOf puts the libraries into few files: a page that loads needs few requests, and what
// only some screens need comes with them.
function partOf(file: string): string | null {
  if (!file.includes("node_modules")) return null;
  if (/node-forge/.test(file)) return "keys";
  if (/recharts|@mantine\/charts|d3-|victory|decimal|es-toolkit|reselect|immer|redux/.test(file)) return "charts";
  return "base";
}

export default defineConfig({
  plugins: [react(), licences(), placeholders()],
  base: "./",
  root: dirname(new URL(import.meta.url).pathname),
  html: { cspNonce: "{{Nonce}}" },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: partOf }] } } },
  },
  experimental: {
    // A page below the interface's root finds the files by the way up that the server writes.
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `{{Root}}${file}` : { relative: true }),
  },
  server: {
    proxy: {
      "^/(api|docs|apidocs|static|openapi.yaml)(/|$)": { target: server },
      "/socket.io": { target: server, ws: true },
    },
  },
});
