// The way to the REST API, typed by embed/openapi.yaml.
import createClient from "openapi-fetch";
import { place } from "../app/place";
import { sessionFetch } from "../app/session";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

export const api = createClient<paths>({
  baseUrl: `${location.origin}${place.api}`,
  fetch: sessionFetch,
  // Lists as the server takes them: a repeated parameter.
  querySerializer: { array: { style: "form", explode: true } },
});

// Problem is a refusal or failure, with a text that can be shown to a person.
export class Problem extends Error {
  constructor(
    readonly status: number, // 0: no answer
    text: string,
    readonly incident?: string, // under which the server's log has the cause
  ) {
    super(text);
  }
}

type Reply<T> = { data?: T; error?: unknown; response: Response };

// answer gives what the server answered, or throws a Problem.
export async function answer<T>(asked: Promise<Reply<T>>): Promise<T> {
  return (await whole(asked)).data;
}

// page is answer for a list: its rows, and how many there are on all pages.
export async function page<T>(asked: Promise<Reply<unknown>>): Promise<{ rows: T[]; total: number }> {
  const { data, response } = await whole(asked);
  return { rows: data as T[], total: Number(response.headers.get("total-count") ?? 0) };
}

async function whole<T>(asked: Promise<Reply<T>>): Promise<{ data: T; response: Response }> {
  let reply: Reply<T>;
  try {
    reply = await asked;
  } catch {
    throw new Problem(0, "");
  }
  const { data, error, response } = reply;
  if (!response.ok) {
    const told = error as { msg?: unknown } | undefined;
    throw new Problem(response.status, typeof told?.msg === "string" ? told.msg : "", response.headers.get("X-Incident") ?? undefined);
  }
  return { data: data as T, response };
}
