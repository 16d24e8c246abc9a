import { Anchor, Divider, Group, List, Paper, Spoiler, Stack, Text, Title } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { waitingFor } from "../../api/results";
import { useSeen } from "../../api/rights";
import { State, stateOfNode } from "../../parts/State";
import { When } from "../../parts/When";
import { useText } from "../../text";
import type { Member } from "./members";

const mostShown = 6;

type Props = { members: Member[]; chosen: number | undefined; known: boolean };

// Attention lists the nodes that are away, or the one that was chosen in the picture.
export function Attention({ members, chosen, known }: Props) {
  const t = useText();
  const picked = members.find((member) => member.organization === chosen);
  const hidden = members.some((member) => member.hidden);
  const away = members.filter((member) => member.node && member.node.status !== "online");
  return (
    <Stack>
      {picked && (
        <Paper p="md">
          <About member={picked} />
        </Paper>
      )}
      <Paper p="md">
        <Title order={2} mb="sm">
          {t.overview.attention}
        </Title>
        {known && away.length === 0 && (
          <Group gap="xs" wrap="nowrap">
            <IconCircleCheck size={20} color="var(--v-good)" />
            <Text fz="sm">{hidden ? t.overview.yoursWell : t.overview.allWell}</Text>
          </Group>
        )}
        <Stack gap="sm">
          {away.slice(0, mostShown).map((member, i) => (
            <div key={member.organization}>
              {i > 0 && <Divider mb="sm" />}
              <About member={member} />
            </div>
          ))}
          {away.length > mostShown && (
            <Spoiler maxHeight={0} showLabel={t.overview.moreOffline(away.length - mostShown)} hideLabel={t.common.close}>
              <Stack gap={4}>
                {away.slice(mostShown).map((member) => (
                  <Text key={member.organization} fz="sm">
                    {member.name} · <When at={member.node?.last_seen} ago />
                  </Text>
                ))}
              </Stack>
            </Spoiler>
          )}
        </Stack>
        {!picked && (
          <Text fz="xs" c="dimmed" mt="sm">
            {t.overview.choose}
          </Text>
        )}
      </Paper>
    </Stack>
  );
}

function About({ member }: { member: Member }) {
  const t = useText();
  const { node } = member;
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
        <Text fw={600} fz="sm" style={{ overflowWrap: "anywhere" }}>
          {member.name}
        </Text>
        {node ? <State status={stateOfNode(node)} /> : <Text fz="sm" c="dimmed" ta="right">{member.hidden ? t.overview.hidden : t.overview.noNode}</Text>}
      </Group>
      {node && <AboutNode node={node} />}
    </Stack>
  );
}

function AboutNode({ node }: { node: NonNullable<Member["node"]> }) {
  const t = useText();
  const [checks, setChecks] = useState(false);
  const { data: parts } = useSeen("result", { ...waitingFor(node.id), retry: false });
  const online = node.status === "online";
  return (
    <>
      <Text fz="sm" c="dimmed">
        {node.name}
        {node.last_seen && (
          <>
            {" · "}
            {`${t.common.lastSeen} `}
            <When at={node.last_seen} ago />
          </>
        )}
      </Text>
      {node.last_seen && node.status === null && <Text fz="sm">{t.overview.unconnected}</Text>}
      {parts !== undefined && <Text fz="sm">{online ? t.overview.working(parts) : t.overview.waits(parts)}</Text>}
      {!online && (
        <>
          <Anchor component="button" type="button" fz="sm" ta="left" aria-expanded={checks} onClick={() => setChecks(!checks)}>
            {t.overview.check}
          </Anchor>
          {checks && (
            <List fz="sm" spacing={4} c="dimmed">
              {t.overview.checks(location.origin).map((text) => (
                <List.Item key={text}>{text}</List.Item>
              ))}
            </List>
          )}
        </>
      )}
    </>
  );
}
