import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../app/root";

export const organizationsRoute = createRoute({
  getParentRoute: () => root,
  path: "/organizations",
  component: lazyRouteComponent(() => import("./OrganizationList")),
});

export const organizationRoute = createRoute({
  getParentRoute: () => root,
  path: "/organizations/$id",
  component: lazyRouteComponent(() => import("./OrganizationPage")),
});
