// The live channel: one Socket.IO connection while somebody is signed in. Its events make
// stale what the cache knows of the nouns they are about, and are handed to who listens.
import { useEffect, useSyncExternalStore } from "react";
import { io, type Socket } from "socket.io-client";
import type { Node } from "../api/nodes";
import { queries, type Noun } from "../api/queries";
import { place } from "../app/place";
import { atSignOut, renewOrLapse, session, token, useSession } from "../app/session";

export type LiveState = "on" | "connecting" | "off";

// Events are those of /docs/live#server-events that users hear.
export type Events = {
  "node-online": { id: number; name: string; org_id: number };
  "node-offline": { id: number; name: string; org_id: number };
  task_created: { task_id: number; run_id: number; collaboration_id: number; init_org_id: number };
  status_update: { result_id: number };
  algorithm_status_change: {
    status: string | null;
    result_id: number;
    task_id: number | null;
    run_id: number | null;
    collaboration_id: number | null;
    node_id: number | null;
    organization_id: number | null;
    parent_id: number | null;
  };
  kill_containers: { collaboration_id: number; kill_list?: { task_id: number; result_id: number; organization_id: number }[]; node_id?: number };
  container_failed: number;
  message: string;
};

type Name = keyof Events;

const stale: Record<Name, Noun[]> = {
  "node-online": ["node", "event"],
  "node-offline": ["node", "event"],
  task_created: ["task", "result", "event"],
  status_update: ["task", "result", "event"],
  algorithm_status_change: ["task", "result", "event"],
  kill_containers: ["task", "result", "event"],
  container_failed: ["task", "result", "event"],
  message: [],
};

const listeners: { [N in Name]?: Set<(event: Events[N]) => void> } = {};
const watchers = new Set<() => void>();
let socket: Socket | undefined;
let state: LiveState = "off";

function become(next: LiveState) {
  state = next;
  for (const tell of watchers) tell();
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    () => state,
  );
}

// useLive has a function called for each event of a name while the component is shown.
export function useLive<N extends Name>(name: N, hear: (event: Events[N]) => void) {
  useEffect(() => {
    const all = (listeners[name] ??= new Set() as never) as Set<(event: Events[N]) => void>;
    all.add(hear);
    return () => {
      all.delete(hear);
    };
  }, [name, hear]);
}

// useLiveChannel keeps the channel open while it is used and somebody is signed in.
export function useLiveChannel() {
  const { stage } = useSession();
  useEffect(() => {
    if (stage !== "in") return;
    openChannel();
    return closeChannel;
  }, [stage]);
}

const reconnectPause = 1000; // milliseconds

export function openChannel() {
  const made = io(`${location.origin}/tasks`, {
    path: place.socket,
    autoConnect: false,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
  });
  socket = made;
  // The server looks at the header of a session's first request only, and a browser can send
  // one only while polling (/docs/live#log-in). A new token is put in before each connection.
  const arm = async () => {
    made.io.opts.extraHeaders = { Authorization: `Bearer ${await token()}` };
  };
  made.on("connect", () => become("on"));
  made.on("disconnect", (reason) => {
    become(session().stage === "in" ? "connecting" : "off");
    if (reason === "io client disconnect") return;
    void queries.invalidateQueries(); // what happened meanwhile was not heard
    if (reason === "io server disconnect") void arm().then(() => made === socket && made.connect());
  });
  made.io.on("reconnect_attempt", () => void arm());
  made.on("expired_token", () => {
    made.disconnect();
    void renewOrLapse()
      .catch(() => true) // no answer: later, with what there is then
      .then(async (good) => {
        await new Promise((next) => setTimeout(next, reconnectPause));
        await arm();
        if (good && made === socket) made.connect();
      });
  });
  for (const name of Object.keys(stale) as Name[]) made.on(name, (event) => hear(name, event));
  become("connecting");
  void arm().then(() => made === socket && made.connect());
}

export function closeChannel() {
  socket?.disconnect();
  socket = undefined;
  become("off");
}

atSignOut(closeChannel);

function hear<N extends Name>(name: N, event: Events[N]) {
  if (name === "node-online" || name === "node-offline") presence(event as Events["node-online"], name === "node-online");
  for (const noun of stale[name]) mark(noun);
  for (const tell of listeners[name] ?? []) tell(event);
}

// presence has a node that came or went appear so at once.
function presence({ id }: { id: number }, online: boolean) {
  queries.setQueryData<Node[]>(["node", "all"], (before) => before?.map((node) => (node.id === id ? { ...node, status: online ? "online" : "offline", last_seen: new Date().toISOString() } : node)));
}

// mark gathers what became stale: the first event asks the server at once, the next ones
// together after a pause that grows while there are events all the time.
const shortest = 150;
const longest = 2400;
let pause = shortest;
const marked = new Set<Noun>();
let resting: ReturnType<typeof setTimeout> | undefined;

function mark(noun: Noun) {
  marked.add(noun);
  if (resting) return;
  ask();
}

function ask() {
  resting = undefined;
  if (marked.size === 0) {
    pause = shortest;
    return;
  }
  for (const noun of marked) void queries.invalidateQueries({ queryKey: [noun] });
  marked.clear();
  resting = setTimeout(ask, pause);
  pause = Math.min(pause * 2, longest);
}
