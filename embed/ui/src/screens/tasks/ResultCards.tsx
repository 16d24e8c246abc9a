import { Alert, Button, Code, Collapse, Group, Paper, ScrollArea, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import type { Result, Task } from "../../api/tasks";
import { useOrganizationNames } from "../../parts/Named";
import { ProblemNote } from "../../parts/Problems";
import { State } from "../../parts/State";
import { Took, When } from "../../parts/When";
import { useText } from "../../text";
import { PayloadView } from "../results/PayloadView";

type Props = { task: Task; results: Result[]; problem: unknown; refused: boolean };

// ResultCards show for each organization how far it is, what came out, and what it wrote.
export function ResultCards({ task, results, problem, refused }: Props) {
  const t = useText();
  if (problem) return <ProblemNote problem={problem} />;
  return (
    <Stack>
      {results.map((result) => (
        <ResultCard key={result.id} task={task} result={result} />
      ))}
      {results.length === 0 && <Text c="dimmed">{refused ? t.tasks.result.notVisible : t.tasks.result.none}</Text>}
    </Stack>
  );
}

function ResultCard({ task, result }: { task: Task; result: Result }) {
  const t = useText();
  const organization = useOrganizationNames();
  const name = organization(result.organization);
  return (
    <Paper component="section" aria-label={name}>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Group gap="sm">
            <Title order={2}>{name}</Title>
            <State status={result.status} />
          </Group>
          <Group gap="lg" fz="xs" c="dimmed">
            {result.started_at && (
              <span>
                {t.tasks.result.started} <When at={result.started_at} />
              </span>
            )}
            {result.started_at && (
              <span>
                {t.tasks.result.ran} <Took from={result.started_at} till={result.finished_at} />
              </span>
            )}
            {!result.started_at && !result.finished_at && (
              <span>
                {t.tasks.result.waited} <Took from={result.assigned_at} till={null} />
              </span>
            )}
          </Group>
        </Group>
        <Outcome task={task} result={result} />
        {result.ports.length > 0 && (
          <Text fz="sm" c="dimmed">
            {t.tasks.result.ports}: {result.ports.map((port) => `${port.port}${port.label ? ` (${port.label})` : ""}`).join(", ")}
          </Text>
        )}
        {(result.log || result.started_at) && <Log result={result} />}
      </Stack>
    </Paper>
  );
}

function Outcome({ task, result }: { task: Task; result: Result }) {
  const t = useText();
  if (result.result) return <PayloadView stored={result.result} name={`task-${task.id}-result-${result.id}`} owner={task.initiator} />;
  if (result.finished_at) return <Text c="dimmed" fz="sm">{t.tasks.result.nothing}</Text>;
  if (result.node.status !== undefined && result.node.status !== "online")
    return (
      <Alert color="yellow" variant="light">
        {t.tasks.result.offline(result.node.name ?? "")}
      </Alert>
    );
  return (
    <Text c="dimmed" fz="sm">
      {result.started_at ? t.tasks.result.none : t.tasks.result.noneNode}
    </Text>
  );
}

function Log({ result }: { result: Result }) {
  const t = useText();
  const [open, { toggle }] = useDisclosure(false);
  return (
    <div>
      <Button variant="subtle" color="gray" c="var(--mantine-color-text)" size="compact-sm" fw={400} ml={-8} aria-expanded={open} onClick={toggle} leftSection={open ? <IconChevronDown size={15} /> : <IconChevronRight size={15} />}>
        {t.tasks.result.log}
      </Button>
      <Collapse expanded={open} pt={open ? 8 : 0}>
        {result.log ? (
          <ScrollArea.Autosize mah={360} type="auto" offsetScrollbars="present">
            <Code block fz="xs">
              {result.log}
            </Code>
          </ScrollArea.Autosize>
        ) : (
          <Text fz="sm" c="dimmed">
            {result.finished_at ? t.tasks.result.noLog : t.tasks.result.logLate}
          </Text>
        )}
      </Collapse>
    </div>
  );
}
