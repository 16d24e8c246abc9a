// States of nodes, tasks and results: a colour, a shape and a word, so that no one depends on colours.
import { Badge } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClock, IconLoader2, IconPlayerPlay, IconPlugConnected, IconPlugConnectedX, IconQuestionMark } from "@tabler/icons-react";
import { useText } from "../text";

export type Tone = "good" | "busy" | "wait" | "bad" | "idle";

const tones: Record<string, Tone> = {
  online: "good",
  offline: "bad",
  unseen: "idle",
  unconnected: "wait",
  completed: "good",
  active: "busy",
  initializing: "busy",
  pending: "wait",
  unknown: "idle",
};

// toneOf is what a word of a node or result means; a word that is not known is a failure (/docs/tasks#status).
export const toneOf = (status: string | null | undefined): Tone => (status ? (tones[status] ?? "bad") : "idle");

const icons: Record<string, typeof IconClock> = {
  online: IconPlugConnected,
  offline: IconPlugConnectedX,
  completed: IconCircleCheck,
  active: IconPlayerPlay,
  initializing: IconLoader2,
  pending: IconClock,
  unknown: IconQuestionMark,
  unseen: IconQuestionMark,
  unconnected: IconPlugConnectedX,
};

export const toneColour = (tone: Tone) => `var(--v-${tone})`;

// stateOfNode is the word for a node: one that has no status yet has never opened its live channel,
// though it may have logged in.
export const stateOfNode = (node: { status?: string | null; last_seen?: string | null }): string => node.status ?? (node.last_seen ? "unconnected" : "unseen");

export function State({ status }: { status: string | null | undefined }) {
  const t = useText();
  const word = status || "unknown";
  const colour = toneColour(toneOf(status));
  const Picture = icons[word] ?? IconAlertTriangle;
  return (
    <Badge
      variant="outline"
      tt="none"
      fw={600}
      miw="max-content"
      style={{ "--badge-color": colour, borderColor: `color-mix(in srgb, ${colour} 35%, transparent)`, backgroundColor: `color-mix(in srgb, ${colour} 7%, transparent)` }}
      leftSection={<Picture size={13} stroke={2} style={{ display: "block" }} />}
    >
      {t.common.states[word] ?? word}
    </Badge>
  );
}
