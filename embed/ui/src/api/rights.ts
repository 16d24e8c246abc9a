// What the signed-in user may do. The server decides; the interface only does not offer what
// would be refused, and says why.
import { type QueryKey, queryOptions, useQuery, type UseQueryOptions } from "@tanstack/react-query";
import { useSession } from "../app/session";
import { answer, api, type Schemas } from "./client";

export type Scope = Schemas["Rule"]["scope"];
export type Operation = Schemas["Rule"]["operation"];
export type Resource = "node" | "collaboration" | "organization" | "task" | "result" | "user" | "role" | "port" | "event";

// rulesOf are the rules of a user, those of all roles and the single ones.
export const rulesOf = (user: number) =>
  queryOptions({
    queryKey: ["rule", "of", user],
    staleTime: 5 * 60_000,
    queryFn: async () => {
      const me = await answer(api.GET("/user/{id}", { params: { path: { id: user } } }));
      const [all, ...ofRoles] = await Promise.all([
        me.rules?.length ? answer(api.GET("/rule")) : [],
        ...(me.roles ?? []).map((role) => answer(api.GET("/rule", { params: { query: { role_id: role.id } } }))),
      ]);
      const single = new Set((me.rules ?? []).map((rule) => rule.id));
      const held = new Map<number, Schemas["Rule"]>();
      for (const rule of all as Schemas["Rule"][]) if (single.has(rule.id)) held.set(rule.id, rule);
      for (const rules of ofRoles) for (const rule of rules as Schemas["Rule"][]) held.set(rule.id, rule);
      return { me, rules: [...held.values()] };
    },
  });

export type Rights = {
  known: boolean;
  me: Schemas["User"] | undefined;
  organization: number | undefined; // the user's own
  all: boolean; // every one of the 53 rules is held
  // may reports whether one of the scopes is held; without scopes, any.
  may: (resource: Resource, operation: Operation, ...scopes: Scope[]) => boolean;
};

const rulesThereAre = 53;

export function useRights(): Rights {
  const current = useSession();
  const user = current.stage === "in" || current.stage === "lapsed" ? current.user : 0;
  const { data } = useQuery({ ...rulesOf(user), enabled: user > 0 });
  const rules = data?.rules ?? [];
  return {
    known: data !== undefined,
    me: data?.me,
    organization: data?.me.organization?.id,
    all: rules.length >= rulesThereAre,
    may: (resource, operation, ...scopes) =>
      rules.some((r) => r.name === resource && r.operation === operation && (scopes.length === 0 || scopes.includes(r.scope))),
  };
}

// useSeen asks for what one may not see without a rule, once it is known that the user holds one. Who holds
// none has refused: nothing is asked for that would be refused.
export function useSeen<T, K extends QueryKey>(resource: Resource, query: UseQueryOptions<T, Error, T, K>) {
  const { known, may } = useRights();
  const seen = useQuery({ ...query, enabled: query.enabled !== false && may(resource, "VIEW") });
  return { ...seen, refused: known && !may(resource, "VIEW") };
}

// explanation asks the server why a request is allowed or refused (/docs/permissions#explain).
export const explanation = (method: string, path: string) =>
  queryOptions({
    queryKey: ["access", method, path],
    staleTime: 60_000,
    queryFn: () => answer(api.GET("/access/explain", { params: { query: { method, path } } })),
  });
