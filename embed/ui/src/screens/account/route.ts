import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../app/root";

export const accountRoute = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyRouteComponent(() => import("./Account")),
});
