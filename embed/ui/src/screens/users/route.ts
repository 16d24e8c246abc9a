import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../app/root";

export const usersRoute = createRoute({
  getParentRoute: () => root,
  path: "/users",
  component: lazyRouteComponent(() => import("./UserList")),
});

export const userRoute = createRoute({
  getParentRoute: () => root,
  path: "/users/$id",
  component: lazyRouteComponent(() => import("./UserPage")),
});
