import { Anchor, Badge, Group, Paper, SimpleGrid, Skeleton, Stack, Tabs, Text } from "@mantine/core";
import { IconBinaryTree, IconChartBar, IconFileImport, IconLock, IconReportAnalytics, IconTimeline } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { collaborations } from "../../api/collaborations";
import { resultsOf, type Task, useTask } from "../../api/tasks";
import { useCollaborationNames, useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { ProblemNote } from "../../parts/Problems";
import { State } from "../../parts/State";
import { Took, When } from "../../parts/When";
import { useText } from "../../text";
import { Compare } from "../results/Compare";
import { ResultCards } from "./ResultCards";
import { InputCards } from "./InputCards";
import { RunTree } from "./RunTree";
import { type TaskTab, taskRoute } from "./route";
import { TaskActions } from "./TaskActions";
import { TimeLine } from "./TimeLine";

export default function TaskPage() {
  const t = useText();
  const id = Number(taskRoute.useParams().id);
  const { data: task, error, refetch, every } = useTask(id);
  const results = useQuery({ ...resultsOf(id), refetchInterval: every, retry: false, enabled: task !== undefined });
  if (!task)
    return (
      <Page title={t.tasks.number(id)}>
        <ProblemNote problem={error} retry={() => void refetch()} />
        {!error && <Skeleton h={320} />}
      </Page>
    );
  return (
    <Page
      title={task.name || t.tasks.number(id)}
      about={
        <Group gap="sm">
          <State status={task.status} />
          <span>{t.tasks.number(id)}</span>
        </Group>
      }
      actions={<TaskActions task={task} />}
    >
      <Facts task={task} />
      <Parts task={task} results={results} />
    </Page>
  );
}

function Parts({ task, results }: { task: Task; results: { data?: Awaited<ReturnType<NonNullable<ReturnType<typeof resultsOf>["queryFn"]>>>; error: unknown } }) {
  const t = useText();
  const { tab = "results" } = taskRoute.useSearch();
  const navigate = taskRoute.useNavigate();
  const of = results.data ?? [];
  const tabs: [TaskTab, ReactNode, typeof IconTimeline][] = [
    ["results", <ResultCards key="results" task={task} results={of} problem={results.error} />, IconReportAnalytics],
    ["compare", <Compare key="compare" task={task} results={of} />, IconChartBar],
    ["time", <TimeLine key="time" task={task} results={of} />, IconTimeline],
    ["tree", <RunTree key="tree" task={task} />, IconBinaryTree],
    ["input", <InputCards key="input" results={of} />, IconFileImport],
  ];
  return (
    <Tabs value={tab} onChange={(value) => void navigate({ search: { tab: value === "results" ? undefined : (value as TaskTab) }, replace: true })} keepMounted={false}>
      <Tabs.List mb="md">
        {tabs.map(([name, , Picture]) => (
          <Tabs.Tab key={name} value={name} leftSection={<Picture size={16} stroke={1.6} />}>
            {t.tasks.tabs[name]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(([name, content]) => (
        <Tabs.Panel key={name} value={name}>
          {content}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function Facts({ task }: { task: Task }) {
  const t = useText();
  const organization = useOrganizationNames();
  const collaboration = useCollaborationNames();
  const { data: known } = useQuery(collaborations);
  const encrypted = known?.find((one) => one.id === task.collaboration?.id)?.encrypted;
  return (
    <Paper>
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md" verticalSpacing="sm" component="dl" m={0}>
        <Fact name={t.tasks.facts.collaboration}>
          <Group gap={6}>
            {collaboration(task.collaboration?.id)}
            {encrypted && (
              <Badge size="sm" variant="light" tt="none" leftSection={<IconLock size={11} style={{ display: "block" }} />}>
                {t.tasks.facts.encrypted}
              </Badge>
            )}
          </Group>
        </Fact>
        <Fact name={t.tasks.facts.initiator}>{organization(task.initiator)}</Fact>
        <Fact name={t.tasks.facts.created}>
          <When at={task.created_at} />
        </Fact>
        <Fact name={t.tasks.facts.took}>
          <Took from={task.created_at} till={task.complete ? (task.finished_at ?? task.created_at) : null} />
        </Fact>
        <Fact name={t.tasks.facts.image}>
          <Text span inherit ff="monospace" fz="sm">
            {task.image || t.common.none}
          </Text>
        </Fact>
        <Fact name={t.tasks.facts.database}>{task.database || t.common.none}</Fact>
        <Fact name={t.tasks.facts.run}>
          {task.run_id === null ? (
            t.common.none
          ) : (
            <Anchor component={Link} to="/tasks" search={{ run_id: task.run_id } as never} inherit>
              {task.run_id}
            </Anchor>
          )}
        </Fact>
        {task.parent && (
          <Fact name={t.tasks.facts.parent}>
            <Anchor component={Link} to="/tasks/$id" params={{ id: String(task.parent.id) } as never} inherit>
              {t.tasks.number(task.parent.id)}
            </Anchor>
          </Fact>
        )}
      </SimpleGrid>
      {task.description && (
        <Text mt="md" fz="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {task.description}
        </Text>
      )}
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack gap={2} miw={0}>
      <Text component="dt" fz="xs" c="dimmed">
        {name}
      </Text>
      <Text component="dd" fz="sm" m={0} style={{ overflowWrap: "anywhere" }}>
        {children}
      </Text>
    </Stack>
  );
}
