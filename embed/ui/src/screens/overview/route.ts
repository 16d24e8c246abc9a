import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../app/root";

export const overviewRoute = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (given: Record<string, unknown>): { collaboration?: number } => ({
    collaboration: Number(given.collaboration) > 0 ? Number(given.collaboration) : undefined,
  }),
  component: lazyRouteComponent(() => import("./Overview")),
});
