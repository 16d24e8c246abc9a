// All screens, and what of them the menu and the spotlight offer. A new one is a folder below
// screens/ with a route.ts, a line in routes, and one in menu when it is to be found there.
import { type Icon, IconBuildingHospital, IconHeartbeat, IconServer2, IconShieldCheck, IconStack2, IconTopologyStar3, IconUserCircle, IconUsers, IconUsersGroup } from "@tabler/icons-react";
import type { Rights } from "../api/rights";
import { accountRoute } from "../screens/account/route";
import { collaborationRoute, collaborationsRoute, newCollaborationRoute } from "../screens/collaborations/route";
import { nodeRoute, nodesRoute } from "../screens/nodes/route";
import { organizationRoute, organizationsRoute } from "../screens/organizations/route";
import { overviewRoute } from "../screens/overview/route";
import { roleRoute, rolesRoute } from "../screens/roles/route";
import { serverRoute } from "../screens/server/route";
import { newTaskRoute, taskRoute, tasksRoute } from "../screens/tasks/route";
import { userRoute, usersRoute } from "../screens/users/route";
import type { Texts } from "../text";

export const routes = [overviewRoute, tasksRoute, newTaskRoute, taskRoute, nodesRoute, nodeRoute, organizationsRoute, organizationRoute, collaborationsRoute, newCollaborationRoute, collaborationRoute, usersRoute, userRoute, rolesRoute, roleRoute, serverRoute, accountRoute] as const;

export type MenuEntry = {
  to: (typeof routes)[number]["to"];
  label: (t: Texts) => string;
  icon: Icon;
  offered: (rights: Rights) => boolean; // who sees it; the screen itself may still explain a refusal
};

export const menu: MenuEntry[] = [
  { to: "/", label: (t) => t.common.menu.overview, icon: IconTopologyStar3, offered: () => true },
  { to: "/tasks", label: (t) => t.common.menu.tasks, icon: IconStack2, offered: (rights) => rights.may("task", "VIEW") },
  { to: "/nodes", label: (t) => t.common.menu.nodes, icon: IconServer2, offered: (rights) => rights.may("node", "VIEW") },
  { to: "/collaborations", label: (t) => t.common.menu.collaborations, icon: IconUsersGroup, offered: (rights) => rights.may("collaboration", "VIEW") },
  { to: "/organizations", label: (t) => t.common.menu.organizations, icon: IconBuildingHospital, offered: (rights) => rights.may("organization", "VIEW") },
  { to: "/users", label: (t) => t.common.menu.users, icon: IconUsers, offered: (rights) => rights.may("user", "VIEW", "GLOBAL", "ORGANIZATION") },
  { to: "/roles", label: (t) => t.common.menu.roles, icon: IconShieldCheck, offered: (rights) => rights.may("role", "VIEW") },
  { to: "/server", label: (t) => t.common.menu.server, icon: IconHeartbeat, offered: (rights) => rights.all },
  { to: "/account", label: (t) => t.account.title, icon: IconUserCircle, offered: () => true },
];
