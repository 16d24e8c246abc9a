// How failures are told: one at a time, in words.
import { Alert, Button, Center, Code, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertCircle, IconMapQuestion } from "@tabler/icons-react";
import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { Problem } from "../api/client";
import { type Texts, useText } from "../text";

// wordsFor says what went wrong; the server's own words where it has some for people.
export function wordsFor(t: Texts, problem: unknown): string {
  if (!(problem instanceof Problem)) return problem instanceof Error ? problem.message : String(problem);
  if (problem.status === 0) return t.common.problem.away;
  if (problem.status === 429) return t.common.problem.wait;
  if (problem.status === 500) return t.common.problem.fault;
  return problem.message || (problem.status === 404 ? t.common.problem.missing : problem.status === 401 ? t.common.problem.right : t.common.problem.fault);
}

// ProblemNote shows a failure where it happened, with a way to try again.
export function ProblemNote({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const t = useText();
  if (!problem) return null;
  const incident = problem instanceof Problem ? problem.incident : undefined;
  return (
    <Alert color="red" variant="light" role="alert" icon={<IconAlertCircle />}>
      <Stack gap="xs" align="flex-start">
        <Text fz="sm">{wordsFor(t, problem)}</Text>
        {incident && <Code>{t.common.problem.incident(incident)}</Code>}
        {retry && (
          <Button size="compact-sm" variant="default" onClick={retry}>
            {t.common.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

// tellProblem shows a failure of what was just done, in place of the one before.
export function tellProblem(t: Texts, problem: unknown) {
  notifications.hide("problem");
  notifications.show({ id: "problem", color: "red", message: wordsFor(t, problem), autoClose: 10_000, withBorder: true });
}

export function Lost() {
  const t = useText();
  return (
    <Center mih="50vh">
      <Stack align="center" gap="sm" maw={420} ta="center">
        <IconMapQuestion size={44} stroke={1.2} color="var(--v-idle)" />
        <Title order={1}>{t.common.problem.lost}</Title>
        <Text c="dimmed">{t.common.problem.lostText}</Text>
        <Button component={Link} to="/" mt="sm">
          {t.common.problem.toOverview}
        </Button>
      </Stack>
    </Center>
  );
}

export function Broken({ error, reset }: ErrorComponentProps) {
  const t = useText();
  return (
    <Stack maw={560}>
      <Title order={1}>{t.common.problem.broken}</Title>
      <ProblemNote problem={error} retry={reset} />
    </Stack>
  );
}
