import { Anchor, Box, Group, Paper, Skeleton, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { run, type Task, usePolling } from "../../api/tasks";
import { useSeen } from "../../api/rights";
import { useOrganizationNames } from "../../parts/Named";
import { ProblemNote } from "../../parts/Problems";
import { State } from "../../parts/State";
import { Took } from "../../parts/When";
import { useText } from "../../text";

// RunTree shows all tasks of a run, each below the one that made it.
export function RunTree({ task }: { task: Task }) {
  const t = useText();
  const often = usePolling(true);
  const { data, error } = useSeen("task", {
    ...run(task.run_id ?? 0),
    enabled: task.run_id !== null,
    refetchInterval: ({ state }) => (!task.complete || state.data?.some((one) => !one.complete) ? often : false),
  });
  if (error) return <ProblemNote problem={error} />;
  if (!data) return <Skeleton h={120} />;
  const there = new Set(data.map((one) => one.id));
  return (
    <Paper>
      <Title order={2} mb="sm">
        {t.tasks.tree}
      </Title>
      <Branch tasks={data} of={data.filter((one) => !one.parent || !there.has(one.parent.id))} current={task.id} />
    </Paper>
  );
}

function Branch({ tasks, of, current }: { tasks: Task[]; of: Task[]; current: number }) {
  const t = useText();
  const organization = useOrganizationNames();
  if (of.length === 0) return null;
  return (
    <Box component="ul" m={0} pl="md" style={{ listStyle: "none", borderLeft: "2px solid var(--v-line)" }}>
      {of.map((one) => (
        <li key={one.id}>
          <Group gap="sm" py={6} style={{ rowGap: 2 }}>
            <Anchor component={Link} to="/tasks/$id" params={{ id: String(one.id) } as never} fz="sm" fw={one.id === current ? 700 : 500} aria-current={one.id === current ? "page" : undefined}>
              {one.id} {one.name || t.tasks.unnamed}
            </Anchor>
            <State status={one.status} />
            <Text fz="xs" c="dimmed">
              {organization(one.initiator)}
            </Text>
            <Text fz="xs" c="dimmed" component="span">
              <Took from={one.created_at} till={one.complete ? (one.finished_at ?? one.created_at) : null} />
            </Text>
          </Group>
          <Branch tasks={tasks} of={tasks.filter((other) => other.parent?.id === one.id)} current={current} />
        </li>
      ))}
    </Box>
  );
}
