import { queryOptions, useQuery } from "@tanstack/react-query";
import { useLiveState } from "../live/channel";
import { answer, api, page, type Schemas } from "./client";
import { useRights } from "./rights";

export type Task = Schemas["Task"];
export type TaskStatus = Task["status"];
export type Result = Schemas["ResultOfTask"];
export type NewTask = Schemas["NewTask"];

// Filter is what a list of tasks can be narrowed by.
export type Filter = {
  status?: string;
  collaboration_id?: number;
  initiator_id?: number;
  run_id?: number;
  parent_id?: number;
  name?: string; // a part of it
  image?: string; // a part of it
  from?: string; // the first day that it may have been created on, as 2026-01-31, in the zone of the browser
  till?: string; // the last one
};

// like has the server look for a part of a text: its wildcards stand for themselves (/docs/wire#filters).
const like = (part: string | undefined) => (part ? `%${part.replaceAll(/[\\%_]/g, String.raw`\$&`)}%` : undefined);

// asked is a filter as the server takes it.
function asked({ from, till, name, image, ...rest }: Filter) {
  return { ...rest, name: like(name), image: like(image), created_after: midnight(from, 0), created_before: midnight(till, 1) };
}

// midnight is when a day begins, or one of the days after it.
function midnight(day: string | undefined, after: number): string | undefined {
  if (!day) return undefined;
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + after);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

export const tasks = (filter: Filter, number: number, size: number) =>
  queryOptions({
    queryKey: ["task", "page", filter, number, size],
    placeholderData: (before) => before,
    queryFn: () =>
      page<Task>(
        api.GET("/task", { params: { query: { ...asked(filter), page: number, per_page: size } } }),
      ),
  });

// taskCount is how many there are, without fetching them.
export const taskCount = (filter: Filter) =>
  queryOptions({
    queryKey: ["task", "count", filter],
    queryFn: async () => (await page<Task>(api.GET("/task", { params: { query: { ...asked(filter), page: 1, per_page: 1 } } }))).total,
  });

export const task = (id: number) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: async () => await answer(api.GET("/task/{id}", { params: { path: { id } } })),
  });

// run are all tasks of a run, the oldest first.
export const run = (id: number) =>
  queryOptions({
    queryKey: ["task", "run", id],
    queryFn: async () => ((await answer(api.GET("/task", { params: { query: { run_id: id } } }))) as Task[]).toReversed(),
  });

export const resultsOf = (id: number) =>
  queryOptions({
    queryKey: ["result", "of", id],
    queryFn: async () => (await answer(api.GET("/task/{id}/result", { params: { path: { id } } }))) as Result[],
  });

// recentImages are the images of the newest tasks, each once.
export const recentImages = queryOptions({
  queryKey: ["task", "images"],
  staleTime: 60_000,
  queryFn: async () => {
    const { rows } = await page<Task>(api.GET("/task", { params: { query: { page: 1, per_page: 100 } } }));
    return [...new Set(rows.map((row) => row.image).filter((image): image is string => Boolean(image)))];
  },
});

export const createTask = (body: NewTask) => answer(api.POST("/task", { body }));
export const killTask = (id: number) => answer(api.POST("/kill/task", { body: { id } }));
export const deleteTask = (id: number) => answer(api.DELETE("/task/{id}", { params: { path: { id } } }));

const often = 2000; // milliseconds

// usePolling is how often to ask for what the live channel does not tell: users whose rules let
// them hear of their own node only hear nothing of tasks (/docs/live#rooms).
export function usePolling(wanted: boolean): number | false {
  const { may, known } = useRights();
  const live = useLiveState();
  const hears = live === "on" && may("event", "VIEW", "GLOBAL", "COLLABORATION");
  return wanted && known && !hears ? often : false;
}

export function useTask(id: number) {
  const found = useQuery(task(id));
  const every = usePolling(found.data !== undefined && !found.data.complete);
  useQuery({ ...task(id), refetchInterval: every, enabled: every !== false });
  return found;
}
