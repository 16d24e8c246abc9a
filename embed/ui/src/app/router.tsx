import { createRouter } from "@tanstack/react-router";
import { place } from "./place";
import { root } from "./root";
import { routes } from "./screens";

export const router = createRouter({
  routeTree: root.addChildren([...routes]),
  basepath: place.root || "/",
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
