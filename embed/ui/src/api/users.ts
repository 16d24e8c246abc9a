import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./client";

export type User = Schemas["User"];

export const users = queryOptions({
  queryKey: ["user", "all"],
  queryFn: async () => (await answer(api.GET("/user", { params: { query: { include: ["lock"] } } }))) as User[],
});

export const user = (id: number) =>
  queryOptions({
    queryKey: ["user", id],
    queryFn: () => answer(api.GET("/user/{id}", { params: { path: { id }, query: { include: ["lock"] } } })),
  });

export const createUser = (body: Schemas["NewUser"]) => answer(api.POST("/user", { body }));
export const changeUser = (id: number, body: Schemas["UserChanges"]) => answer(api.PATCH("/user/{id}", { params: { path: { id } }, body }));
export const deleteUser = (id: number) => answer(api.DELETE("/user/{id}", { params: { path: { id } } }));
export const unlockUser = (id: number) => answer(api.POST("/user/{id}/unlock", { params: { path: { id } } }));
export const inviteUser = (id: number, by: "mail" | "link") => answer(api.POST("/user/{id}/invite", { params: { path: { id } }, body: { by } }));

// randomPassword is one that nobody knows, for an account that waits for its user to choose one.
export function randomPassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `Aa1!${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
