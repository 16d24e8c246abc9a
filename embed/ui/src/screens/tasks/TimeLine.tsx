import { Box, Group, Paper, Stack, Text, Tooltip } from "@mantine/core";
import type { Result, Task } from "../../api/tasks";
import { useOrganizationNames } from "../../parts/Named";
import { toneColour, toneOf } from "../../parts/State";
import { durationText, useNow } from "../../parts/When";
import { useLanguage, useText } from "../../text";
import css from "./TimeLine.module.css";

const fine = 10_000; // milliseconds of a time line that shows them

const at = (moment: string | null) => (moment ? Date.parse(moment) : undefined);

// TimeLine shows for each organization how long its part waited and how long it ran.
export function TimeLine({ task, results }: { task: Task; results: Result[] }) {
  const t = useText();
  const { locale } = useLanguage();
  const organization = useOrganizationNames();
  const now = useNow(1000, !task.complete);
  const begin = Math.min(...results.map((result) => at(result.assigned_at) ?? Infinity), at(task.created_at) ?? Infinity);
  const end = Math.max(...results.map((result) => at(result.finished_at) ?? (result.finished_at ? 0 : now)), begin + 1);
  const scale = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: end - begin < fine ? 3 : undefined } as const;
  if (results.length === 0 || !Number.isFinite(begin)) return <Text c="dimmed">{t.tasks.time.none}</Text>;
  const share = (moment: number) => `${(100 * (Math.min(Math.max(moment, begin), end) - begin)) / (end - begin)}%`;
  return (
    <Paper>
      <Stack gap="xs">
        {results.map((result) => {
          const assigned = at(result.assigned_at) ?? begin;
          const finished = at(result.finished_at) ?? now;
          const started = at(result.started_at) ?? finished;
          const waited = durationText(started - assigned, locale);
          const ran = durationText(finished - started, locale);
          const name = organization(result.organization);
          return (
            <div key={result.id} className={css.row}>
              <Text fz="sm" truncate title={name}>
                {name}
              </Text>
              <Tooltip label={`${t.tasks.time.waits} ${waited}, ${t.tasks.time.runs} ${ran}`}>
                <Box className={css.track} role="img" aria-label={`${t.tasks.time.label(name)}: ${t.tasks.time.waits} ${waited}, ${t.tasks.time.runs} ${ran}`}>
                  <span className={css.wait} style={{ left: share(assigned), right: `calc(100% - ${share(started)})` }} />
                  <span className={css.run} style={{ left: share(started), right: `calc(100% - ${share(finished)})`, background: toneColour(toneOf(result.status)) }} />
                </Box>
              </Tooltip>
              <Text fz="xs" c="dimmed" ta="right" style={{ whiteSpace: "nowrap" }}>
                {durationText(finished - assigned, locale)}
              </Text>
            </div>
          );
        })}
        <Group justify="space-between" fz="xs" c="dimmed" className={css.scale}>
          <span>{new Date(begin).toLocaleTimeString(locale, scale)}</span>
          <span>{new Date(end).toLocaleTimeString(locale, scale)}</span>
        </Group>
      </Stack>
    </Paper>
  );
}
