import { Alert, Badge, Button, Code, Group, Paper, ScrollArea, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleMinus, IconCircleX, IconStethoscope } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type Finding, findings, logTail, serverState, warnings } from "../../api/operator";
import { useRights } from "../../api/rights";
import { Breakable } from "../../parts/Breakable";
import { Empty } from "../../parts/Empty";
import { Facts } from "../../parts/Facts";
import { Page } from "../../parts/Page";
import { ProblemNote } from "../../parts/Problems";
import { sizeText } from "../../parts/save";
import { Took, When } from "../../parts/When";
import { Waiting } from "../../parts/Waiting";
import { useLanguage, useText } from "../../text";
import { BackupButton } from "./BackupButton";
import css from "./ServerPage.module.css";

export default function ServerPage() {
  const t = useText();
  const { known, all } = useRights();
  if (!known)
    return (
      <Page title={t.server.title}>
        <Skeleton h={320} />
      </Page>
    );
  if (!all)
    return (
      <Page title={t.server.title}>
        <Empty title={t.server.notYours}>{t.server.notYoursText}</Empty>
      </Page>
    );
  return <Looked />;
}

function Looked() {
  const t = useText();
  const { locale } = useLanguage();
  const asked = useQuery(serverState);
  const { data: state } = asked;
  const yesNo = (yes: boolean) => (yes ? t.server.on : t.server.off);
  return (
    <Page
      title={t.server.title}
      about={state && `${state.name} · ${state.environment}`}
      actions={state && <BackupButton name={state.name} environment={state.environment} {...state.database} />}
    >
      <Waiting on={asked} height={200} />
      {state && (
        <Facts
          of={[
            [t.server.version, `${state.version}${state.commit ? ` (${state.commit})` : ""}, ${t.server.like(state.emulates)}`],
            [t.server.up, <Took key="up" from={state.started} till={null} />],
            [t.server.started, <When key="started" at={state.started} />],
            [t.server.database, `${state.database.engine === "sqlite" ? "SQLite" : "PostgreSQL"}, ${sizeText(state.database.size, locale)}`],
            [t.server.place, <Paths key="place" of={[state.database.place]} />, true],
            [t.server.schema, state.database.schema],
            [t.server.nodesOnline, state.nodes_online],
            [t.server.sockets, state.sockets],
            [t.server.mail, state.mail ? t.server.mailOn(state.mails_waiting) : t.server.off],
            [t.server.vpn, yesNo(state.vpn)],
            [t.server.factor, yesNo(state.second_factor)],
            [t.server.files, <Paths key="files" of={[state.config_file, state.log_file]} />, true],
          ]}
        />
      )}
      <Doctor />
      <Warnings />
      <Log />
      {state && (
        <Paper>
          <Title order={2} mb="sm">
            {t.server.limits}
          </Title>
          <Table.ScrollContainer type="native" minWidth={0} tabIndex={0} aria-label={t.server.limits}>
            <Table verticalSpacing={6} maw={640}>
              <Table.Tbody>
                {state.settings.map(({ key, value }) => (
                  <Table.Tr key={key}>
                    <Table.Td px={4} style={{ overflowWrap: "anywhere" }}>
                      <Code className={css.key}>
                        <Breakable text={key} behind={/(?<=[._])/} />
                      </Code>
                    </Table.Td>
                    <Table.Td px={4}>{value}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Paper>
      )}
    </Page>
  );
}

// Paths stand in a line each, and are broken behind their slashes.
function Paths({ of }: { of: (string | null | undefined)[] }) {
  return of.filter(Boolean).map((path) => (
    <div key={path}>
      <Breakable text={path ?? ""} behind={/(?<=\/)/} />
    </div>
  ));
}

const verdicts: Record<Finding["verdict"], [typeof IconCircleCheck, string]> = {
  failure: [IconCircleX, "var(--v-bad)"],
  warning: [IconAlertTriangle, "var(--v-wait)"],
  ok: [IconCircleCheck, "var(--v-good)"],
  skipped: [IconCircleMinus, "var(--v-idle)"],
};

function Doctor() {
  const t = useText();
  const { data, error, refetch, isFetching } = useQuery(findings);
  const order = Object.keys(verdicts);
  const sorted = data?.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return (
    <Paper>
      <Group justify="space-between" mb="sm">
        <Title order={2}>{t.server.doctor}</Title>
        <Button variant="default" leftSection={<IconStethoscope size={16} />} loading={isFetching} onClick={() => void refetch()}>
          {t.server.examine}
        </Button>
      </Group>
      <ProblemNote problem={error} />
      {!data && !error && (
        <Text fz="sm" c="dimmed">
          {t.server.doctorText}
        </Text>
      )}
      <Stack gap="sm" aria-live="polite">
        {sorted?.map((found, i) => {
          const [Picture, colour] = verdicts[found.verdict];
          return (
            <Group key={`${found.check}-${i}`} wrap="nowrap" align="flex-start" gap="sm">
              <Picture size={18} color={colour} style={{ flexShrink: 0, marginTop: 2 }} aria-label={t.server.verdicts[found.verdict]} />
              <div style={{ minWidth: 0 }}>
                <Text fz="sm" style={{ overflowWrap: "anywhere" }}>
                  <Text span fw={600} inherit>
                    {found.check}
                  </Text>
                  : {found.text}
                </Text>
                {found.advice && (
                  <Text fz="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                    → {found.advice}
                  </Text>
                )}
              </div>
            </Group>
          );
        })}
      </Stack>
    </Paper>
  );
}

const levelColour = (level: string) => (level === "WARNING" ? "var(--v-wait)" : "var(--v-bad)");

function Warnings() {
  const t = useText();
  const { data, error } = useQuery(warnings);
  return (
    <Paper>
      <Title order={2} mb="sm">
        {t.server.warnings}
      </Title>
      <ProblemNote problem={error} />
      {data?.length === 0 && <Alert variant="light" color="green">{t.server.noWarnings}</Alert>}
      {data && data.length > 0 && (
        <ScrollArea.Autosize mah={320} type="auto" offsetScrollbars="present" viewportProps={{ tabIndex: 0, "aria-label": t.server.warnings, role: "region" }}>
          <Stack gap="xs">
            {data.toReversed().map((one, i) => (
              <Group key={`${one.at}-${i}`} gap="xs" wrap="nowrap" align="flex-start">
                <Badge variant="outline" size="sm" miw="max-content" style={{ "--badge-color": levelColour(one.level), borderColor: levelColour(one.level) }}>
                  {one.level}
                </Badge>
                <Text fz="sm" style={{ overflowWrap: "anywhere" }}>
                  <Text span c="dimmed" inherit>
                    <When at={one.at} />
                  </Text>{" "}
                  {one.message}
                </Text>
              </Group>
            ))}
          </Stack>
        </ScrollArea.Autosize>
      )}
    </Paper>
  );
}

function Log() {
  const t = useText();
  const { data, error } = useQuery(logTail(200));
  return (
    <Paper>
      <Title order={2} mb="sm">
        {t.server.log}
      </Title>
      <ProblemNote problem={error} />
      {data && (
        <ScrollArea.Autosize mah={360} type="auto" offsetScrollbars="present" viewportProps={{ tabIndex: 0, "aria-label": t.server.log, role: "region" }}>
          <Code block fz={12} className={css.log}>
            {data.lines.toReversed().join("\n") || t.common.none}
          </Code>
        </ScrollArea.Autosize>
      )}
    </Paper>
  );
}
