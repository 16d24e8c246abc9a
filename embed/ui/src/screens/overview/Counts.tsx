import { Anchor, Paper, SimpleGrid, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Collaboration } from "../../api/collaborations";
import { useRights } from "../../api/rights";
import { type Filter, taskCount } from "../../api/tasks";
import { useText } from "../../text";
import css from "./Counts.module.css";
import type { Member } from "./members";

type Props = { collaboration: Collaboration; members: Member[]; every: number | false };

// Counts say in figures what the picture shows; those of tasks lead to them.
export function Counts({ collaboration, members, every }: Props) {
  const t = useText();
  const { may } = useRights();
  const asked: [string, string, Filter][] = [
    ["running", t.overview.counts.running, { status: "active" }],
    ["waiting", t.overview.counts.waiting, { status: "pending" }],
    ["failed", t.overview.counts.failed, { status: "failed" }],
    ["all", t.overview.counts.all, {}],
  ];
  const counts = useQueries({ queries: asked.map(([, , filter]) => ({ ...taskCount({ ...filter, collaboration_id: collaboration.id }), refetchInterval: every && every * 3, retry: false, enabled: may("task", "VIEW") })) });
  const there = members.filter((member) => member.node);
  const online = there.filter((member) => member.node?.status === "online").length;
  return (
    <SimpleGrid cols={{ base: 2, md: 5 }} spacing="sm">
      <Count first label={t.overview.counts.nodes} value={t.overview.of(online, there.length)} colour={there.length === 0 ? undefined : online === there.length ? "var(--v-good)" : "var(--v-bad)"} />
      {asked.map(([key, label, filter], i) => (
        <Count
          key={key}
          label={label}
          value={counts[i]?.data === undefined ? "–" : String(counts[i].data)}
          colour={key === "failed" && counts[i]?.data ? "var(--v-bad)" : undefined}
          to={{ ...filter, collaboration_id: collaboration.id }}
        />
      ))}
    </SimpleGrid>
  );
}

function Count({ label, value, colour, to, first }: { label: string; value: string; colour?: string; to?: Filter; first?: boolean }) {
  return (
    <Paper p="md" py="sm" className={first ? css.first : undefined}>
      <Text fz="xs" c="dimmed">
        {to ? (
          <Anchor component={Link} to="/tasks" search={to as never} inherit c="dimmed" underline="hover">
            {label}
          </Anchor>
        ) : (
          label
        )}
      </Text>
      <Text fz="xl" fw={650} c={colour} lh={1.3} style={{ fontVariantNumeric: "tabular-nums" }}>
        {value}
      </Text>
    </Paper>
  );
}
