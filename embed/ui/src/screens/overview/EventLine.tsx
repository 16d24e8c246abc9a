import { Anchor, Box, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Event, events } from "../../api/events";
import { type Name, useOrganizationNames } from "../../parts/Named";
import { State, type Tone, toneColour, toneOf } from "../../parts/State";
import { Hinted, utc } from "../../parts/When";
import { Waiting } from "../../parts/Waiting";
import { useLanguage, useText } from "../../text";
import css from "./EventLine.module.css";

type Props = { collaboration: number; every: number | false };

// EventLine tells what happened in a collaboration, day by day, the newest first.
export function EventLine({ collaboration, every }: Props) {
  const t = useText();
  const { locale } = useLanguage();
  const organization = useOrganizationNames();
  const asked = useInfiniteQuery({ ...events(collaboration), refetchInterval: every && every * 3 });
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = asked;
  const rows = data?.pages.flatMap((one) => one.rows) ?? [];
  const days = Map.groupBy(rows, (event) => dayOf(event.at ?? "", locale, t.overview.today, t.overview.yesterday));
  return (
    <Paper p="md">
      <Title order={2} mb="sm">
        {t.overview.events}
      </Title>
      <Waiting on={asked} height={160} />
      {data && rows.length === 0 && (
        <Text fz="sm" c="dimmed">
          {t.overview.eventsNone}
        </Text>
      )}
      <Stack gap="md">
        {[...days].map(([day, of]) => (
          <div key={day}>
            <Text fz="xs" fw={600} c="dimmed" mb={6}>
              {day}
            </Text>
            <Box component="ol" className={css.line}>
              {of.map((event) => (
                <Row key={event.id} event={event} organization={organization} />
              ))}
            </Box>
          </div>
        ))}
      </Stack>
      {hasNextPage && (
        <Button variant="default" size="xs" mt="md" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t.overview.eventsMore}
        </Button>
      )}
    </Paper>
  );
}

function Row({ event, organization }: { event: Event; organization: Name }) {
  const t = useText();
  const { locale } = useLanguage();
  const at = new Date(event.at ?? 0);
  const name = event.name || (event.task ? String(event.task.id) : "–");
  const words = t.overview.event[event.type]?.(name) ?? `${event.type} ${name}`;
  const whose = event.result || event.type === "task-created" ? event.organization : null;
  return (
    <li className={css.row} style={{ "--dot": toneColour(toneOfEvent(event)) } as React.CSSProperties}>
      <Hinted hint={() => utc(at)}>
        <time dateTime={event.at ?? undefined} className={css.time}>
          {at.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" })}
        </time>
      </Hinted>
      <Group gap={8} className={css.text} style={{ rowGap: 0 }}>
        {event.task ? (
          <Anchor component={Link} to="/tasks/$id" params={{ id: String(event.task.id) } as never} fz="sm" c="var(--mantine-color-text)" underline="hover">
            {words}
          </Anchor>
        ) : (
          <Text fz="sm">{words}</Text>
        )}
        {whose && (
          <Text fz="sm" c="dimmed">
            {organization(whose.id)}
          </Text>
        )}
        {event.status && toneOf(event.status) === "bad" && <State status={event.status} />}
      </Group>
    </li>
  );
}

const tones: Record<string, Tone> = { "node-online": "good", "node-offline": "bad", "task-created": "busy", "task-started": "busy", "task-killed": "bad", "task-finished": "good", "task-ended": "good", "task-deleted": "bad", "node-deleted": "bad" };

function toneOfEvent(event: Event): Tone {
  if (event.status && event.type !== "task-started") return toneOf(event.status);
  return tones[event.type] ?? "idle";
}

const day = 86_400_000; // milliseconds

function dayOf(moment: string, locale: string, today: string, yesterday: string): string {
  const date = new Date(moment);
  const of = (ms: number) => new Date(ms).toDateString();
  if (date.toDateString() === of(Date.now())) return today;
  if (date.toDateString() === of(Date.now() - day)) return yesterday;
  return date.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long" });
}
