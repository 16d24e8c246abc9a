import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../app/root";

export const collaborationsRoute = createRoute({
  getParentRoute: () => root,
  path: "/collaborations",
  component: lazyRouteComponent(() => import("./CollaborationList")),
});

export const collaborationRoute = createRoute({
  getParentRoute: () => root,
  path: "/collaborations/$id",
  component: lazyRouteComponent(() => import("./CollaborationPage")),
});

export const newCollaborationRoute = createRoute({
  getParentRoute: () => root,
  path: "/collaborations/new",
  component: lazyRouteComponent(() => import("./NewCollaboration")),
});
