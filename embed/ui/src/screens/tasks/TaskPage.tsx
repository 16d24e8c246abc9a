import { Anchor, Badge, Group, Tabs, Text } from "@mantine/core";
import { IconBinaryTree, IconChartBar, IconFileImport, IconLock, IconReportAnalytics, IconTimeline } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { collaborations } from "../../api/collaborations";
import { resultsOf, type Task, usePolling, useTask } from "../../api/tasks";
import { useSeen } from "../../api/rights";
import { Breakable } from "../../parts/Breakable";
import { type Fact, Facts } from "../../parts/Facts";
import { useCollaborationNames, useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { State } from "../../parts/State";
import { useNarrow } from "../../parts/useNarrow";
import { Took, When } from "../../parts/When";
import { WaitingPage } from "../../parts/Waiting";
import { useText } from "../../text";
import { Compare } from "../results/Compare";
import { ResultCards } from "./ResultCards";
import { InputCards } from "./InputCards";
import { RunTree } from "./RunTree";
import { type TaskTab, taskRoute } from "./route";
import { TaskActions } from "./TaskActions";
import css from "./TaskPage.module.css";
import { TimeLine } from "./TimeLine";

export default function TaskPage() {
  const t = useText();
  const id = Number(taskRoute.useParams().id);
  const asked = useTask(id);
  const { data: task } = asked;
  const often = usePolling(true);
  // The task may be complete before its results were asked for the last time.
  const results = useSeen("result", {
    ...resultsOf(id),
    refetchInterval: ({ state }) => (!task?.complete || state.data?.some((part) => !part.finished_at) ? often : false),
    retry: false,
    enabled: task !== undefined,
  });
  if (!task) return <WaitingPage title={t.tasks.number(id)} on={asked} height={320} />;
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
      <About task={task} />
      <Parts task={task} results={results} />
    </Page>
  );
}

function Parts({ task, results }: { task: Task; results: { data?: Awaited<ReturnType<NonNullable<ReturnType<typeof resultsOf>["queryFn"]>>>; error: unknown; refused: boolean } }) {
  const t = useText();
  const { tab = "results" } = taskRoute.useSearch();
  const navigate = taskRoute.useNavigate();
  const narrow = useNarrow();
  const of = results.data ?? [];
  const tabs: [TaskTab, ReactNode, typeof IconTimeline][] = [
    ["results", <ResultCards key="results" task={task} results={of} problem={results.error} refused={results.refused} />, IconReportAnalytics],
    ["compare", <Compare key="compare" task={task} results={of} />, IconChartBar],
    ["time", <TimeLine key="time" task={task} results={of} />, IconTimeline],
    ["tree", <RunTree key="tree" task={task} />, IconBinaryTree],
    ["input", <InputCards key="input" results={of} />, IconFileImport],
  ];
  return (
    <Tabs value={tab} onChange={(value) => void navigate({ search: { tab: value === "results" ? undefined : (value as TaskTab) }, replace: true })} keepMounted={false}>
      <Tabs.List mb="md" className={css.tabs}>
        {tabs.map(([name, , Picture]) => (
          <Tabs.Tab key={name} value={name} leftSection={narrow ? undefined : <Picture size={16} stroke={1.6} />}>
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

function About({ task }: { task: Task }) {
  const t = useText();
  const organization = useOrganizationNames();
  const collaboration = useCollaborationNames();
  const { data: known } = useSeen("collaboration", collaborations);
  const encrypted = known?.find((one) => one.id === task.collaboration?.id)?.encrypted;
  const facts: Fact[] = [
    [
      t.tasks.facts.collaboration,
      <Group key="collaboration" gap={6}>
        {collaboration(task.collaboration?.id)}
        {encrypted && (
          <Badge size="sm" variant="light" tt="none" leftSection={<IconLock size={11} style={{ display: "block" }} />}>
            {t.tasks.facts.encrypted}
          </Badge>
        )}
      </Group>,
    ],
    [t.tasks.facts.initiator, organization(task.initiator)],
    [t.tasks.facts.created, <When key="created" at={task.created_at} />],
    [t.tasks.facts.took, <Took key="took" from={task.created_at} till={task.complete ? (task.finished_at ?? task.created_at) : null} />],
    [t.tasks.facts.image, task.image ? <ImageName key="image" image={task.image} /> : t.common.none, true],
    [t.tasks.facts.database, task.database || t.common.none],
    [
      t.tasks.facts.run,
      task.run_id === null ? (
        t.common.none
      ) : (
        <Anchor key="run" component={Link} to="/tasks" search={{ run_id: task.run_id } as never} inherit>
          {task.run_id}
        </Anchor>
      ),
    ],
  ];
  if (task.parent)
    facts.push([
      t.tasks.facts.parent,
      <Anchor key="parent" component={Link} to="/tasks/$id" params={{ id: String(task.parent.id) } as never} inherit>
        {t.tasks.number(task.parent.id)}
      </Anchor>,
    ]);
  return (
    <Facts of={facts} cols={{ base: 2, md: 4 }}>
      {task.description && (
        <Text mt="md" fz="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {task.description}
        </Text>
      )}
    </Facts>
  );
}

// ImageName may be broken behind its slashes, and only there where that is enough.
function ImageName({ image }: { image: string }) {
  return (
    <Text span inherit ff="monospace">
      <Breakable text={image} behind={/(?<=\/)/} />
    </Text>
  );
}
