import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./client";

export type Collaboration = Schemas["Collaboration"];

export const collaborations = queryOptions({
  queryKey: ["collaboration", "all"],
  queryFn: async () => (await answer(api.GET("/collaboration"))) as Collaboration[],
});

export const collaboration = (id: number) =>
  queryOptions({
    queryKey: ["collaboration", id],
    queryFn: () => answer(api.GET("/collaboration/{id}", { params: { path: { id } } })),
  });

export const createCollaboration = (body: Schemas["NewCollaboration"]) => answer(api.POST("/collaboration", { body }));
export const changeCollaboration = (id: number, body: Schemas["CollaborationChanges"]) => answer(api.PATCH("/collaboration/{id}", { params: { path: { id } }, body }));
export const deleteCollaboration = (id: number) => answer(api.DELETE("/collaboration/{id}", { params: { path: { id } } }));
