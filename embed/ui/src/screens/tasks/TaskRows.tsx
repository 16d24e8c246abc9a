import { ActionIcon, Anchor, Group, Table, Text, Tooltip } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconCornerDownRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Task } from "../../api/tasks";
import { useCollaborationNames, useOrganizationNames } from "../../parts/Named";
import { State } from "../../parts/State";
import { useNarrow } from "../../parts/useNarrow";
import { Took, When } from "../../parts/When";
import { useText } from "../../text";

type Folded = { task: Task; below: Task[] };

// fold puts the tasks of one run below the one that a user sent, as far as both are on the page.
export function fold(tasks: Task[]): Folded[] {
  const roots = new Map(tasks.filter((task) => !task.parent && task.run_id !== null).map((task) => [task.run_id, task]));
  const rows: Folded[] = [];
  for (const task of tasks) {
    const root = roots.get(task.run_id);
    if (!task.parent || !root) rows.push({ task, below: root === task ? tasks.filter((other) => other.parent && other.run_id === task.run_id).toReversed() : [] });
  }
  return rows;
}

export function TaskRows({ tasks, flat }: { tasks: Task[]; flat: boolean }) {
  const t = useText();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const rows = flat ? tasks.map((task) => ({ task, below: [] })) : fold(tasks);
  const toggle = (id: number) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return rows.flatMap(({ task, below }) => [
    <Row
      key={task.id}
      task={task}
      lead={
        below.length > 0 && (
          <Tooltip label={t.tasks.subtasks(below.length)}>
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t.tasks.showSubtasks(task.id)} aria-expanded={open.has(task.id)} onClick={() => toggle(task.id)}>
              {open.has(task.id) ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
            </ActionIcon>
          </Tooltip>
        )
      }
      note={below.length > 0 ? t.tasks.subtasks(below.length) : task.parent && task.run_id !== null ? t.tasks.partOf(task.run_id) : undefined}
    />,
    ...(open.has(task.id) ? below.map((one) => <Row key={one.id} task={one} lead={<IconCornerDownRight size={16} color="var(--v-idle)" />} inner />) : []),
  ]);
}

type RowProps = { task: Task; lead?: React.ReactNode; note?: string; inner?: boolean };

function Row({ task, lead, note, inner }: RowProps) {
  const t = useText();
  const narrow = useNarrow();
  const organization = useOrganizationNames();
  const collaboration = useCollaborationNames();
  return (
    <Table.Tr bg={inner ? "var(--v-page)" : undefined}>
      <Table.Td>
        <Group gap={4} wrap="nowrap" pl={inner ? 14 : 0}>
          <span style={{ width: 22, flex: "none" }}>{lead}</span>
          <Text span fz="sm" c="dimmed" ff="monospace">
            {task.id}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td maw={320}>
        <Anchor component={Link} to="/tasks/$id" params={{ id: String(task.id) } as never} fw={500} fz="sm" style={{ overflowWrap: "anywhere" }}>
          {task.name || t.tasks.unnamed}
        </Anchor>
        <Text fz="xs" c="dimmed" truncate title={task.image ?? undefined}>
          {[note, task.image].filter(Boolean).join(" · ")}
        </Text>
        {narrow && <State status={task.status} />}
      </Table.Td>
      {!narrow && (
        <Table.Td>
          <State status={task.status} />
        </Table.Td>
      )}
      <Table.Td fz="sm">{collaboration(task.collaboration?.id)}</Table.Td>
      <Table.Td fz="sm">{organization(task.initiator)}</Table.Td>
      <Table.Td fz="sm">
        <When at={task.created_at} />
      </Table.Td>
      <Table.Td fz="sm">
        <Took from={task.created_at} till={task.complete ? (task.finished_at ?? task.created_at) : null} />
      </Table.Td>
    </Table.Tr>
  );
}
