// The cache of what the server answered. Each noun has its questions in a file of its own
// beside this one; their keys begin with the noun, so that an event can make them stale.
import { QueryClient } from "@tanstack/react-query";
import { atSignOut } from "../app/session";
import { Problem } from "./client";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: true,
      // What got no answer is asked again; a refusal stays one.
      retry: (failures, problem) => failures < 3 && (!(problem instanceof Problem) || problem.status === 0 || problem.status >= 500),
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 4000),
    },
  },
});

atSignOut(() => queries.clear());

export type Noun = "organization" | "collaboration" | "node" | "user" | "role" | "rule" | "task" | "result" | "access" | "event" | "server";
