import { Badge, Group, Paper, Select, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconLock, IconTopologyStar3 } from "@tabler/icons-react";
import { useState } from "react";
import { type Collaboration, collaborations } from "../../api/collaborations";
import { nodes } from "../../api/nodes";
import { openResults } from "../../api/results";
import { useRights, useSeen } from "../../api/rights";
import { usePolling } from "../../api/tasks";
import { Empty } from "../../parts/Empty";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { Waiting } from "../../parts/Waiting";
import { useText } from "../../text";
import { Attention } from "./Attention";
import { Counts } from "./Counts";
import { EventLine } from "./EventLine";
import layout from "./Overview.module.css";
import { membersOf } from "./members";
import { Picture } from "./Picture";
import css from "./Picture.module.css";
import { overviewRoute } from "./route";

export default function Overview() {
  const t = useText();
  const { may } = useRights();
  const { collaboration: asked } = overviewRoute.useSearch();
  const navigate = overviewRoute.useNavigate();
  const known = useSeen("collaboration", collaborations);
  const { data: all } = known;
  const chosen = all?.find((one) => one.id === asked) ?? all?.toSorted((a, b) => (b.nodes?.length ?? 0) - (a.nodes?.length ?? 0))[0];
  return (
    <Page
      title={t.overview.title}
      about={
        chosen && (
          <Group gap="xs">
            <span>{chosen.name}</span>
            {chosen.encrypted && (
              <Badge size="sm" variant="light" tt="none" leftSection={<IconLock size={11} style={{ display: "block" }} />}>
                {t.overview.encrypted}
              </Badge>
            )}
          </Group>
        )
      }
      actions={
        all &&
        all.length > 1 && (
          <Select
            aria-label={t.overview.collaboration}
            w={{ base: "calc(100vw - 32px)", xs: 260 }}
            searchable
            allowDeselect={false}
            value={chosen ? String(chosen.id) : null}
            data={all.map(({ id, name }) => ({ value: String(id), label: name ?? String(id) }))}
            onChange={(id) => void navigate({ search: { collaboration: id ? Number(id) : undefined }, replace: true })}
          />
        )
      }
    >
      <Waiting on={known} height={480} />
      {all?.length === 0 && (
        <Empty title={t.overview.none} icon={IconTopologyStar3}>
          {may("collaboration", "VIEW", "GLOBAL") ? t.overview.noneText : t.overview.noneYours}
        </Empty>
      )}
      {chosen && <Network key={chosen.id} collaboration={chosen} />}
    </Page>
  );
}

function Network({ collaboration }: { collaboration: Collaboration }) {
  const t = useText();
  const name = useOrganizationNames();
  const { may, organization: own } = useRights();
  const every = usePolling(true);
  const known = useSeen("node", { ...nodes, refetchInterval: every && every * 3 });
  const open = useSeen("result", { ...openResults, retry: false, refetchInterval: every });
  const [organization, choose] = useState<number>();
  const members = membersOf(collaboration, known.data ?? [], open.data?.rows ?? [], name, (id) => may("node", "VIEW", "GLOBAL") || id === own);
  return (
    <Stack gap="lg">
      <Counts collaboration={collaboration} members={members} every={every} />
      <div className={layout.columns}>
        <Paper p="md" className={layout.picture}>
          <Group justify="space-between" mb="xs">
            <Title order={2}>{t.overview.picture}</Title>
            <Legend />
          </Group>
          {known.data ? <Picture name={collaboration.name ?? ""} members={members} chosen={organization} choose={choose} /> : <Skeleton h={420} />}
        </Paper>
        <div className={layout.attention}>
          <Attention members={members} chosen={organization} known={known.data !== undefined} />
        </div>
        <div className={layout.events}>
          <EventLine collaboration={collaboration.id} every={every} />
        </div>
      </div>
    </Stack>
  );
}

function Legend() {
  const t = useText();
  const marks: [string, string][] = [
    [t.overview.legend.travels, "var(--v-busy)"],
    [t.overview.legend.waits, "var(--v-wait)"],
  ];
  return (
    <Group gap="md">
      {marks.map(([word, colour]) => (
        <Group key={word} gap={6} wrap="nowrap">
          <span className={css.legend} style={{ background: colour }} />
          <Text fz="xs" c="dimmed">
            {word}
          </Text>
        </Group>
      ))}
    </Group>
  );
}
