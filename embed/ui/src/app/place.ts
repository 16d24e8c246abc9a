// Where this page's server is. The server writes the ways from the page to the interface, to
// the API and to its own root into <html>, all relative, so that a proxy may put them below
// any path.
const told = document.documentElement.dataset;

const pathOf = (way: string | undefined) => new URL(way || ".", document.location.href).pathname.replace(/\/$/, "");

// The icon's relative address would mean another one on every screen.
const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
icon?.setAttribute("href", icon.href);

export const place = {
  // Paths without a slash at the end: "" is the root of the host.
  root: pathOf(told.root),
  server: pathOf(told.server),
  api: pathOf(told.api),
  // Socket.IO is at the root of the host, whatever the API's path is (/docs/live#path).
  socket: "/socket.io/",
  version: told.version ?? "",
  // Of the answer that brought this page; style elements must carry it (/docs/security#t15).
  nonce: document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "",
};
