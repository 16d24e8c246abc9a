import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./client";

export type Node = Schemas["Node"];

export const nodes = queryOptions({
  queryKey: ["node", "all"],
  queryFn: async () => (await answer(api.GET("/node"))) as Node[],
});

export const node = (id: number) =>
  queryOptions({
    queryKey: ["node", id],
    queryFn: () => answer(api.GET("/node/{id}", { params: { path: { id } } })),
  });
