// Who is signed in: the tokens, their renewal and their end. The access token is in memory
// alone; the refresh token is in sessionStorage, so that a reload stays signed in and a new
// tab asks. No token is in an address or a cookie.
import { useSyncExternalStore } from "react";
import { place } from "./place";

export type Session =
  | { stage: "starting" } // a kept refresh token is being tried
  | { stage: "away" } // …and the server does not answer
  | { stage: "out" }
  | { stage: "in"; user: number; username: string; first: boolean }
  // The tokens ended while somebody works: the page stays, with what is typed, below the question for the password.
  | { stage: "lapsed"; user: number; username: string };

type Tokens = { access_token: string; refresh_token: string; user_url?: string };

const keys = { refresh: "vserver.refresh", user: "vserver.user", name: "vserver.username", first: "vserver.first" };

let state: Session = { stage: "out" };
let access = "";
let ends = 0; // of the access token, by this machine's clock
let taken = 0; // when it came
const watchers = new Set<() => void>();
const onEnd = new Set<() => void>();

function become(next: Session) {
  state = next;
  for (const tell of watchers) tell();
}

export const session = () => state;

export function useSession(): Session {
  return useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    () => state,
  );
}

// atSignOut has something forgotten when the user leaves: caches, sockets, private keys.
export function atSignOut(forget: () => void) {
  onEnd.add(forget);
}

// claims reads a token's own words. The server alone judges them.
function claims(token: string): { sub: number; iat: number; exp: number } {
  const part = token.split(".")[1] ?? "";
  return JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
}

function keep(tokens: Tokens): number {
  const { sub, iat, exp } = claims(tokens.access_token);
  access = tokens.access_token;
  taken = Date.now();
  ends = taken + (exp - iat) * 1000;
  sessionStorage.setItem(keys.refresh, tokens.refresh_token);
  return sub;
}

// signedIn begins the session after a log-in. With first, the password is the well-known one
// of a new server and has to be changed before anything else.
export function signedIn(tokens: Tokens, username: string, first = false) {
  const before = state.stage === "lapsed" ? state.user : undefined;
  const user = keep(tokens);
  if (before !== undefined && before !== user) for (const forget of onEnd) forget();
  sessionStorage.setItem(keys.user, String(user));
  sessionStorage.setItem(keys.name, username);
  if (first) sessionStorage.setItem(keys.first, "1");
  become({ stage: "in", user, username, first });
}

export function firstPasswordChanged() {
  sessionStorage.removeItem(keys.first);
  if (state.stage === "in") become({ ...state, first: false });
}

export function signOut() {
  access = "";
  for (const key of Object.values(keys)) sessionStorage.removeItem(key);
  for (const forget of onEnd) forget();
  become({ stage: "out" });
}

// resume tries the refresh token that a reload left.
export async function resume() {
  if (!sessionStorage.getItem(keys.refresh)) return;
  become({ stage: "starting" });
  try {
    if (!(await renew())) {
      signOut();
      return;
    }
    const user = Number(sessionStorage.getItem(keys.user));
    const username = sessionStorage.getItem(keys.name) ?? "";
    become({ stage: "in", user, username, first: sessionStorage.getItem(keys.first) === "1" });
  } catch {
    become({ stage: "away" });
  }
}

let renewing: Promise<boolean> | undefined;

// renew gets new tokens. False: the server takes the refresh token no more. It throws when the
// server does not answer: then the session is as good as before.
export function renew(): Promise<boolean> {
  renewing ??= askForTokens().finally(() => (renewing = undefined));
  return renewing;
}

async function askForTokens(): Promise<boolean> {
  const kept = sessionStorage.getItem(keys.refresh);
  if (!kept) return false;
  const reply = await fetch(`${place.api}/token/refresh`, { method: "POST", headers: { Authorization: `Bearer ${kept}` } });
  if (reply.ok) {
    keep((await reply.json()) as Tokens);
    return true;
  }
  if (reply.status === 429 || reply.status >= 500) throw new Error(`the server answers ${reply.status}`);
  return false;
}

function lapse() {
  if (state.stage !== "in") return;
  access = "";
  sessionStorage.removeItem(keys.refresh);
  become({ stage: "lapsed", user: state.user, username: state.username });
}

const early = 60_000; // how long before its end a token is renewed, in milliseconds

// token gives an access token that is good for a while, "" when there is none.
export async function token(): Promise<string> {
  if (access && Date.now() > ends - early) await renewOrLapse().catch(() => false);
  return access;
}

export async function renewOrLapse(): Promise<boolean> {
  const good = await renew();
  if (!good) lapse();
  return good;
}

// sessionFetch is fetch with the access token. 401 may mean an ended token or a missing right
// (/docs/wire#errors), so a token that is not fresh is renewed and the request sent once more.
export async function sessionFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const reply = await send(request, await token());
  const fresh = Date.now() - taken < 5_000;
  if ((reply.status !== 401 && reply.status !== 422) || !access || fresh) return reply;
  if (!(await renewOrLapse().catch(() => false))) return reply;
  return send(again, access);
}

function send(request: Request, bearer: string): Promise<Response> {
  if (bearer) request.headers.set("Authorization", `Bearer ${bearer}`);
  return fetch(request);
}
