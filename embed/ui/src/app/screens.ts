// All screens, and what of them the menu and the spotlight offer. A new one is a folder below
// screens/ with a route.ts, a line in routes, and one in menu when it is to be found there.
import { type Icon, IconStack2, IconTopologyStar3, IconUserCircle } from "@tabler/icons-react";
import type { Rights } from "../api/rights";
import { accountRoute } from "../screens/account/route";
import { overviewRoute } from "../screens/overview/route";
import { newTaskRoute, taskRoute, tasksRoute } from "../screens/tasks/route";
import type { Texts } from "../text";

export const routes = [overviewRoute, tasksRoute, newTaskRoute, taskRoute, accountRoute] as const;

export type MenuEntry = {
  to: (typeof routes)[number]["to"];
  label: (t: Texts) => string;
  icon: Icon;
  offered: (rights: Rights) => boolean; // who sees it; the screen itself may still explain a refusal
};

export const menu: MenuEntry[] = [
  { to: "/", label: (t) => t.common.menu.overview, icon: IconTopologyStar3, offered: () => true },
  { to: "/tasks", label: (t) => t.common.menu.tasks, icon: IconStack2, offered: (rights) => rights.may("task", "VIEW") },
  { to: "/account", label: (t) => t.account.title, icon: IconUserCircle, offered: () => true },
];
