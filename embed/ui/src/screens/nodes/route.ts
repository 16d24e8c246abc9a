import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../app/root";

export const nodesRoute = createRoute({
  getParentRoute: () => root,
  path: "/nodes",
  component: lazyRouteComponent(() => import("./NodeList")),
});

export const nodeRoute = createRoute({
  getParentRoute: () => root,
  path: "/nodes/$id",
  component: lazyRouteComponent(() => import("./NodePage")),
});
