import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./client";

export type User = Schemas["User"];

export const users = queryOptions({
  queryKey: ["user", "all"],
  queryFn: async () => (await answer(api.GET("/user"))) as User[],
});

export const user = (id: number) =>
  queryOptions({
    queryKey: ["user", id],
    queryFn: () => answer(api.GET("/user/{id}", { params: { path: { id } } })),
  });
