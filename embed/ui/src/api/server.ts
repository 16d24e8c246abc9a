// What everybody may know of the server, without signing in.
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

export const health = queryOptions({
  queryKey: ["server", "health"],
  staleTime: 0,
  refetchInterval: 15_000,
  queryFn: () => answer(api.GET("/health")),
});
