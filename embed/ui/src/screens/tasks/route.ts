import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import type { Filter } from "../../api/tasks";
import { root } from "../../app/root";

// TaskSearch is what the address of the list says: the filters, and the page.
export type TaskSearch = Filter & { page?: number; size?: number };

const number = (value: unknown) => (Number.isInteger(Number(value)) && Number(value) > 0 ? Number(value) : undefined);
const day = (value: unknown) => (/^\d{4}-\d{2}-\d{2}$/.test(String(value)) ? String(value) : undefined);
const text = (value: unknown) => (value === undefined || value === "" ? undefined : String(value));

export const tasksRoute = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  validateSearch: (given: Record<string, unknown>): TaskSearch => ({
    status: text(given.status),
    collaboration_id: number(given.collaboration_id),
    initiator_id: number(given.initiator_id),
    run_id: number(given.run_id),
    name: text(given.name),
    image: text(given.image),
    from: day(given.from),
    till: day(given.till),
    page: number(given.page),
    size: number(given.size),
  }),
  component: lazyRouteComponent(() => import("./TaskList")),
});

export const newTaskRoute = createRoute({
  getParentRoute: () => root,
  path: "/tasks/new",
  // from is a task to repeat.
  validateSearch: (given: Record<string, unknown>): { from?: number; collaboration?: number } => ({
    from: number(given.from),
    collaboration: number(given.collaboration),
  }),
  component: lazyRouteComponent(() => import("./NewTask")),
});

export type TaskTab = "results" | "compare" | "time" | "tree" | "input";

export const taskRoute = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id",
  validateSearch: (given: Record<string, unknown>): { tab?: TaskTab } => ({ tab: text(given.tab) as TaskTab | undefined }),
  component: lazyRouteComponent(() => import("./TaskPage")),
});
