import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./client";

export type Node = Schemas["Node"];

export const nodes = queryOptions({
  queryKey: ["node", "all"],
  queryFn: async () => (await answer(api.GET("/node", { params: { query: { include: ["client"] } } }))) as Node[],
});

export const node = (id: number) =>
  queryOptions({
    queryKey: ["node", id],
    queryFn: () => answer(api.GET("/node/{id}", { params: { path: { id }, query: { include: ["client"] } } })),
  });

// createNode answers with the key that the node logs in with; it is shown this once.
export const createNode = (body: Schemas["NewNode"]) => answer(api.POST("/node", { body }));
export const changeNode = (id: number, body: Schemas["NodeChanges"]) => answer(api.PATCH("/node/{id}", { params: { path: { id } }, body }));
export const deleteNode = (id: number) => answer(api.DELETE("/node/{id}", { params: { path: { id } } }));
export const resetKey = (id: number) => answer(api.POST("/recover/node", { body: { id } as never }));
// killTasksOf ends all that runs on a node, which has to be online.
export const killTasksOf = (id: number) => answer(api.POST("/kill/node/tasks", { body: { id } as never }));
