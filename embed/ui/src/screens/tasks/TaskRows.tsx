import { ActionIcon, Anchor, Group, Paper, Stack, Table, Text, Tooltip } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconCornerDownRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import type { Task } from "../../api/tasks";
import { type Name, useCollaborationNames, useOrganizationNames } from "../../parts/Named";
import { Said } from "../../parts/Rows";
import { State } from "../../parts/State";
import { useNarrow } from "../../parts/useNarrow";
import { usePieces } from "../../parts/usePieces";
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

type Props = { tasks: Task[]; flat: boolean };

type Names = { organization: Name; collaboration: Name }; // looked up for all rows at once

// TaskRows are a table, or on a telephone a card for each task, with those of its run folded below it.
export function TaskRows({ tasks, flat }: Props) {
  const t = useText();
  const narrow = useNarrow();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const names: Names = { organization: useOrganizationNames(), collaboration: useCollaborationNames() };
  const rows = usePieces(useMemo(() => (flat ? tasks.map((task) => ({ task, below: [] })) : fold(tasks)), [tasks, flat]));
  const toggle = (id: number) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const Row = narrow ? Card : Line;
  const lines = rows.flatMap(({ task, below }) => [
    <Row
      key={task.id}
      task={task}
      names={names}
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
    ...(open.has(task.id) ? below.map((one) => <Row key={one.id} task={one} names={names} lead={<IconCornerDownRight size={16} color="var(--v-idle)" />} inner />) : []),
  ]);
  if (narrow)
    return (
      <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: "none" }} aria-label={t.tasks.title}>
        {lines}
      </Stack>
    );
  return <Lines>{lines}</Lines>;
}

function Lines({ children }: { children: ReactNode }) {
  const t = useText();
  const column = t.tasks.column;
  return (
    <Paper p={0} style={{ overflow: "hidden" }}>
      <Table.ScrollContainer type="native" minWidth={860} tabIndex={0} aria-label={t.tasks.title}>
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={100} pl={42}>
                {column.id}
              </Table.Th>
              <Table.Th>{column.name}</Table.Th>
              <Table.Th w={130}>{column.state}</Table.Th>
              <Table.Th>{column.collaboration}</Table.Th>
              <Table.Th>{column.initiator}</Table.Th>
              <Table.Th w={160}>{column.created}</Table.Th>
              <Table.Th w={90}>{column.took}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>{children}</Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}

type RowProps = { task: Task; names: Names; lead?: ReactNode; note?: string; inner?: boolean };

const tookTill = (task: Task) => (task.complete ? (task.finished_at ?? task.created_at) : null);

function Name({ task }: { task: Task }) {
  const t = useText();
  return (
    <Anchor component={Link} to="/tasks/$id" params={{ id: String(task.id) } as never} fw={500} fz="sm" style={{ overflowWrap: "anywhere" }}>
      {task.name || t.tasks.unnamed}
    </Anchor>
  );
}

function About({ task, note }: { task: Task; note: string | undefined }) {
  return (
    <Text fz="xs" c="dimmed" truncate title={task.image ?? undefined}>
      {[note, task.image].filter(Boolean).join(" · ")}
    </Text>
  );
}

function Line({ task, names, lead, note, inner }: RowProps) {
  return (
    <Table.Tr bg={inner ? "var(--v-inset)" : undefined}>
      <Table.Td>
        <Group gap={4} wrap="nowrap" pl={inner ? 14 : 0}>
          <span style={{ width: 22, flex: "none" }}>{lead}</span>
          <Text span fz="sm" c="dimmed" ff="monospace">
            {task.id}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td maw={320}>
        <Name task={task} />
        <About task={task} note={note} />
      </Table.Td>
      <Table.Td>
        <State status={task.status} />
      </Table.Td>
      <Table.Td fz="sm">{names.collaboration(task.collaboration?.id)}</Table.Td>
      <Table.Td fz="sm">{names.organization(task.initiator)}</Table.Td>
      <Table.Td fz="sm">
        <When at={task.created_at} />
      </Table.Td>
      <Table.Td fz="sm">
        <Took from={task.created_at} till={tookTill(task)} />
      </Table.Td>
    </Table.Tr>
  );
}

function Card({ task, names, lead, note, inner }: RowProps) {
  const t = useText();
  return (
    <Paper component="li" p="sm" ml={inner ? "md" : 0}>
      <Group wrap="nowrap" align="flex-start" gap="xs">
        {lead && <span style={{ flex: "none", margin: inner ? undefined : "-5px 0 -5px -8px" }}>{lead}</span>}
        <div style={{ flex: 1, minWidth: 0 }}>
          <Name task={task} />
        </div>
        <State status={task.status} />
      </Group>
      <About task={task} note={note} />
      <Said label={t.tasks.column.collaboration}>{names.collaboration(task.collaboration?.id)}</Said>
      <Said label={t.tasks.column.initiator}>{names.organization(task.initiator)}</Said>
      <Said label={t.tasks.column.created}>
        <When at={task.created_at} />
      </Said>
      <Said label={t.tasks.column.took}>
        <Took from={task.created_at} till={tookTill(task)} />
      </Said>
    </Paper>
  );
}
