import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, page, type Schemas } from "./client";

export type Event = Schemas["Event"];

const size = 30;

// events are what happened in a collaboration, the newest first, page by page.
export const events = (collaboration: number) =>
  infiniteQueryOptions({
    queryKey: ["event", collaboration],
    initialPageParam: 1,
    queryFn: ({ pageParam }) => page<Event>(api.GET("/event", { params: { query: { collaboration_id: collaboration, page: pageParam, per_page: size } } })),
    getNextPageParam: (last, _, before) => (last.rows.length === size ? before + 1 : undefined),
  });
