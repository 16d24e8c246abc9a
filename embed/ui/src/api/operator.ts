// Looking after the server itself, for who holds every rule (/docs/server).
import { queryOptions } from "@tanstack/react-query";
import { answer, api, Problem, type Schemas } from "./client";

export type Finding = Schemas["ServerFinding"];

export const serverState = queryOptions({
  queryKey: ["server", "state"],
  refetchInterval: 10_000,
  queryFn: () => answer(api.GET("/server")),
});

export const findings = queryOptions({
  queryKey: ["server", "doctor"],
  enabled: false, // it asks the mail server and the VPN portal, so only when somebody wants it
  retry: false,
  queryFn: () => answer(api.GET("/server/doctor")),
});

export const warnings = queryOptions({
  queryKey: ["server", "warning"],
  refetchInterval: 15_000,
  queryFn: () => answer(api.GET("/server/warning")),
});

export const logTail = (lines: number) =>
  queryOptions({
    queryKey: ["server", "log", lines],
    refetchInterval: 15_000,
    queryFn: () => answer(api.GET("/server/log", { params: { query: { lines } } })),
  });

// BrokenOff is a copy that ended before it was whole.
export class BrokenOff extends Error {}

// inFull passes on what comes, and fails where it ends before its length: browsers do not all see to that.
function inFull(size: number) {
  let come = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(part, out) {
      come += part.length;
      out.enqueue(part);
    },
    flush(out) {
      if (come < size) out.error(new BrokenOff());
    },
  });
}

// backup has the server make a copy, which comes as a stream, with the name that the server gave it.
export async function backup(): Promise<{ copy: Response; name: string }> {
  const { data, error, response } = await api.GET("/server/backup", { parseAs: "stream" });
  if (!response.ok) {
    const told = error as { msg?: unknown } | undefined;
    throw new Problem(response.status, typeof told?.msg === "string" ? told.msg : "", response.headers.get("X-Incident") ?? undefined);
  }
  const named = /filename="?([^";]+)"?/.exec(response.headers.get("Content-Disposition") ?? "");
  const size = Number(response.headers.get("Content-Length") ?? 0);
  return { copy: new Response((data as ReadableStream<Uint8Array>).pipeThrough(inFull(size) as ReadableWritablePair<Uint8Array, Uint8Array>)), name: named?.[1] ?? "vserver.backup" };
}
