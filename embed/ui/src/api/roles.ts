import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./client";

export type Role = Schemas["Role"];
export type Rule = Schemas["Rule"];

export const roles = queryOptions({
  queryKey: ["role", "all"],
  queryFn: async () => (await answer(api.GET("/role", { params: { query: { include_root: true } } }))) as Role[],
});

export const role = (id: number) =>
  queryOptions({
    queryKey: ["role", id],
    queryFn: () => answer(api.GET("/role/{id}", { params: { path: { id } } })),
  });

export const rules = queryOptions({
  queryKey: ["rule", "all"],
  staleTime: Infinity,
  queryFn: async () => (await answer(api.GET("/rule"))) as Rule[],
});

export const createRole = (body: Schemas["NewRole"]) => answer(api.POST("/role", { body }));
export const changeRole = (id: number, body: Schemas["RoleChanges"]) => answer(api.PATCH("/role/{id}", { params: { path: { id } }, body }));
export const deleteRole = (id: number) => answer(api.DELETE("/role/{id}", { params: { path: { id } } }));

export const rulesOfRole = (id: number) =>
  queryOptions({
    queryKey: ["rule", "role", id],
    queryFn: async () => (await answer(api.GET("/rule", { params: { query: { role_id: id } } }))) as Rule[],
  });
