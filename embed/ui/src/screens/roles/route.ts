import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../app/root";

export const rolesRoute = createRoute({
  getParentRoute: () => root,
  path: "/roles",
  component: lazyRouteComponent(() => import("./RoleList")),
});

export const roleRoute = createRoute({
  getParentRoute: () => root,
  path: "/roles/$id",
  component: lazyRouteComponent(() => import("./RolePage")),
});
