import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "./client";

export type Organization = Schemas["Organization"];

export const organizations = queryOptions({
  queryKey: ["organization", "all"],
  queryFn: async () => (await answer(api.GET("/organization"))) as Organization[],
});

export const organization = (id: number) =>
  queryOptions({
    queryKey: ["organization", id],
    queryFn: () => answer(api.GET("/organization/{id}", { params: { path: { id } } })),
  });

export type OrganizationFields = Schemas["OrganizationFields"];

export const createOrganization = (body: OrganizationFields) => answer(api.POST("/organization", { body: body as never }));
export const changeOrganization = (id: number, body: OrganizationFields) => answer(api.PATCH("/organization/{id}", { params: { path: { id } }, body }));
