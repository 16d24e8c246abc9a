import { Badge, Popover, ScrollArea, Stack, Text, UnstyledButton } from "@mantine/core";
import { useCallback, useState } from "react";
import { useLive, useLiveState } from "../../live/channel";
import { When } from "../../parts/When";
import { useText } from "../../text";

const colours = { on: "var(--v-good)", connecting: "var(--v-wait)", off: "var(--v-idle)" };

// LiveMark says whether changes appear by themselves, and when asked what the server said of who comes and goes.
export function LiveMark() {
  const t = useText();
  const state = useLiveState();
  const said = useSaid();
  return (
    <Popover width={320} position="bottom-end" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton aria-label={`${t.common.live[state]}. ${t.common.live.said}`} style={{ borderRadius: 99 }}>
          <Badge
            variant="outline"
            tt="none"
            fw={500}
            style={{ "--badge-color": "var(--mantine-color-text)", borderColor: "var(--v-line)", cursor: "inherit" }}
            leftSection={<span style={{ display: "block", width: 8, height: 8, borderRadius: 8, background: colours[state] }} />}
          >
            <span role="status">{t.common.live[state]}</span>
          </Badge>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={t.common.live.said}>
        <Stack gap="xs">
          <Text fz="xs" c="dimmed">
            {t.common.live.hint}
          </Text>
          <Text fz="sm" fw={600}>
            {t.common.live.said}
          </Text>
          <ScrollArea.Autosize mah={280} type="auto" viewportProps={{ tabIndex: 0, role: "log", "aria-label": t.common.live.said }}>
            <Stack gap={6}>
              {said.length === 0 && <Text fz="sm">{t.common.live.silent}</Text>}
              {said.map((one) => (
                <div key={one.key}>
                  <Text fz="xs" c="dimmed">
                    <When at={one.at} />
                  </Text>
                  <Text fz="sm" style={{ overflowWrap: "anywhere" }}>
                    {one.text}
                  </Text>
                </div>
              ))}
            </Stack>
          </ScrollArea.Autosize>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

type Said = { key: number; at: string; text: string };

const mostSaid = 50;

// useSaid keeps the last messages, the newest first.
function useSaid(): Said[] {
  const [said, setSaid] = useState<Said[]>([]);
  const hear = useCallback((text: string) => setSaid((before) => [{ key: (before[0]?.key ?? 0) + 1, at: new Date().toISOString(), text }, ...before].slice(0, mostSaid)), []);
  useLive("message", hear);
  return said;
}
