import { Box } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { memo, useCallback, useEffect, useRef, useState } from "react";
import { type Events, useLive } from "../../live/channel";
import { stateOfNode, toneColour, toneOf } from "../../parts/State";
import { agoText } from "../../parts/When";
import { useLanguage, useText } from "../../text";
import { between, isAbove, type Layout, layOut, type Place, server } from "./layout";
import type { Member } from "./members";
import css from "./Picture.module.css";

type Props = { name: string; members: Member[]; chosen: number | undefined; choose: (organization: number) => void };

// Picture draws a collaboration: the server in the middle, its organizations around it with the
// state of their nodes, and the parts of tasks as dots: on their way, being worked on, waiting.
export function Picture({ name, members, chosen, choose }: Props) {
  const t = useText();
  const { ref, width } = useElementSize();
  const flights = useFlights();
  const online = members.filter((member) => member.node?.status === "online").length;
  const parts = members.reduce((n, member) => n + member.open.length, 0);
  const layout = layOut(members.length, Math.max(width, 280));
  return (
    <Box ref={ref} className={css.frame}>
      {width > 0 && (
        <svg className={css.picture} width={layout.width} height={layout.height} viewBox={`0 0 ${layout.width} ${layout.height}`} role="group" aria-label={t.overview.pictureSays(name, online, members.length, parts)}>
          {members.map((member, i) => (
            <Ray key={member.organization} member={member} to={layout.places[i]!} layout={layout} />
          ))}
          {flights.map((flight) => {
            const at = members.findIndex((member) => member.organization === flight.organization);
            return at >= 0 && <Flight key={flight.key} home={flight.home} to={layout.places[at]!} layout={layout} />;
          })}
          {members.map((member, i) => (
            <Organization key={member.organization} member={member} at={layout.places[i]!} room={layout.rooms[i] ?? 0} layout={layout} chosen={chosen === member.organization} choose={choose} />
          ))}
          <g aria-hidden="true">
            <rect x={layout.centre.x - server} y={layout.centre.y - server} width={2 * server} height={2 * server} rx={16} className={css.server} />
            <g className={css.mark} transform={`translate(${layout.centre.x - 28} ${layout.centre.y - 28})`}>
              <path d="M28 28 L28 13 M28 28 L15 37 M28 28 L41 37" />
              <circle cx="28" cy="12.5" r="3.5" />
              <circle cx="14" cy="37.5" r="3.5" />
              <circle cx="42" cy="37.5" r="3.5" />
              <circle cx="28" cy="28" r="5.5" />
            </g>
          </g>
        </svg>
      )}
    </Box>
  );
}

const short = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text);

const mostDots = 4; // for each organization

const apart = 12; // pixels between dots that wait

type RayProps = { member: Member; to: Place; layout: Layout };

// Ray is the way between server and organization, with what is on it.
const Ray = memo(function Ray({ member, to, layout: { centre, radius } }: RayProps) {
  const there = member.node?.status === "online";
  const waiting = member.open.filter((result) => !result.started_at).slice(0, mostDots);
  const [from, till] = between(centre, to, radius);
  const step = apart / Math.hypot(to.x - centre.x, to.y - centre.y);
  return (
    <g aria-hidden="true">
      <line x1={centre.x} y1={centre.y} x2={to.x} y2={to.y} className={there ? css.ray : css.broken} />
      {waiting.map((result, i) =>
        there ? (
          <circle key={result.id} r={4.5} className={css.travels} style={along(centre, to, from, till, i * -0.5)} />
        ) : (
          <circle key={result.id} r={4.5} className={css.waits} cx={part(centre.x, to.x, Math.min(from + i * step, till))} cy={part(centre.y, to.y, Math.min(from + i * step, till))} />
        ),
      )}
    </g>
  );
});

const part = (from: number, to: number, share: number) => from + (to - from) * share;

const along = (centre: Place, to: Place, from: number, till: number, delay: number) =>
  ({
    "--from": `translate(${part(centre.x, to.x, from)}px, ${part(centre.y, to.y, from)}px)`,
    "--till": `translate(${part(centre.x, to.x, till)}px, ${part(centre.y, to.y, till)}px)`,
    animationDelay: `${delay}s`,
  }) as React.CSSProperties;

function Flight({ home, to, layout: { centre, radius } }: { home: boolean; to: Place; layout: Layout }) {
  const [from, till] = between(centre, to, radius);
  return <circle aria-hidden="true" r={5.5} className={home ? css.comes : css.goes} style={home ? along(centre, to, till, from, 0) : along(centre, to, from, till, 0)} />;
}

const letter = 6.6; // pixels of a line below a name, for each letter
const bold = 7.2; // and of a name

// fitting is the first of the lines that has room.
function fitting(lines: (string | undefined)[][], room: number): string {
  const texts = lines.map((line) => line.filter(Boolean).join(" · "));
  return texts.find((text) => text.length * letter <= room) ?? texts.at(-1)!;
}

type OrganizationProps = { member: Member; at: Place; room: number; layout: Layout; chosen: boolean; choose: (organization: number) => void };

const small = { fontSize: 11 };
const focusable = 60; // organizations that can be reached one by one with the keyboard

const Organization = memo(function Organization({ member, at, room, layout, chosen, choose }: OrganizationProps) {
  const t = useText();
  const { locale } = useLanguage();
  const status = member.node ? stateOfNode(member.node) : undefined;
  const word = status ? (t.common.states[status] ?? status) : member.hidden ? t.overview.hidden : t.overview.noNode;
  const colour = status ? toneColour(toneOf(status)) : "var(--v-idle)";
  const working = member.open.filter((result) => result.started_at).length;
  const seen = status !== "online" && member.node?.last_seen ? agoText(member.node.last_seen, locale) : undefined;
  const narrow = layout.width < 560;
  const parts = member.open.length > 0 ? String(member.open.length) : undefined;
  const name = short(member.name, Math.min(narrow ? 17 : 24, Math.floor(room / bold)));
  const line = fitting([[word, narrow ? undefined : seen, parts], [word, parts], [word]], room);
  const [nameAt, wordAt] = isAbove(at, layout.centre) ? [-layout.radius - 23, -layout.radius - 8] : [layout.radius + 18, layout.radius + 33];
  return (
    <g
      className={css.organization}
      transform={`translate(${at.x} ${at.y})`}
      role="button"
      tabIndex={layout.places.length <= focusable ? 0 : -1}
      aria-pressed={chosen}
      aria-label={layout.labels ? undefined : t.overview.organizationSays(member.name, word, member.open.length)}
      onClick={() => choose(member.organization)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(member.organization);
      }}
    >
      {(!layout.labels || name !== member.name) && <title>{`${member.name}: ${word}`}</title>}
      {working > 0 && <circle r={layout.radius + 5} className={css.works} />}
      <circle r={layout.radius} className={css.node} data-chosen={chosen || undefined} style={{ stroke: colour }} strokeDasharray={status === "online" ? undefined : "4 3"} />
      {status === "online" ? <circle r={layout.radius * 0.42} style={{ fill: colour }} /> : layout.radius > 7 && !member.hidden && <path d="M-4 -4 L4 4 M4 -4 L-4 4" className={css.cross} style={{ stroke: colour }} />}
      {layout.labels && (
        <>
          <text y={nameAt} className={css.name} style={narrow ? small : undefined}>
            {name}
          </text>
          <text y={wordAt} className={css.word} style={{ ...(narrow ? small : {}), fill: status === "online" ? undefined : colour }}>
            {line}
          </text>
        </>
      )}
    </g>
  );
});

type InFlight = { key: number; organization: number; home: boolean };

const flightTime = 1100; // milliseconds

// useFlights are the parts of tasks that set out or came home in this moment.
function useFlights(): InFlight[] {
  const [flights, setFlights] = useState<InFlight[]>([]);
  const made = useRef(0);
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEffect(() => {
    const all = timers.current;
    return () => all.forEach(clearTimeout);
  }, []);
  const hear = useCallback((event: Events["algorithm_status_change"]) => {
    if (event.organization_id === null) return;
    const flight = { key: ++made.current, organization: event.organization_id, home: !["pending", "initializing", "active"].includes(event.status ?? "") };
    setFlights((before) => [...before.slice(-40), flight]);
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      setFlights((before) => before.filter((one) => one !== flight));
    }, flightTime);
    timers.current.add(timer);
  }, []);
  useLive("algorithm_status_change", hear);
  return flights;
}
