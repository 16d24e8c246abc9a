import { queryOptions } from "@tanstack/react-query";
import { api, page, type Schemas } from "./client";

export type OpenResult = Schemas["Result"];

const mostOpen = 100;

// openResults are the newest parts of tasks that are not finished, of all collaborations.
export const openResults = queryOptions({
  queryKey: ["result", "open"],
  queryFn: () => page<OpenResult>(api.GET("/result", { params: { query: { state: "open", page: 1, per_page: mostOpen } } })),
});

// waitingFor is how many parts of tasks a node has to do, without fetching them.
export const waitingFor = (node: number) =>
  queryOptions({
    queryKey: ["result", "waiting", node],
    queryFn: async () => (await page<OpenResult>(api.GET("/result", { params: { query: { state: "open", node_id: node, page: 1, per_page: 1 } } }))).total,
  });
