import { Anchor, Button, Code, Group, Paper, Table, Text, Title } from "@mantine/core";
import { IconKey, IconPlayerStop } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { collaborations } from "../../api/collaborations";
import { deleteNode, killTasksOf, type Node, node, resetKey } from "../../api/nodes";
import { waitingFor } from "../../api/results";
import { useRights, useSeen } from "../../api/rights";
import { DeleteButton, EditButton } from "../../parts/Actions";
import { Allowed } from "../../parts/Allowed";
import { done } from "../../parts/done";
import { Facts } from "../../parts/Facts";
import { useCollaborationNames, useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { State, stateOfNode } from "../../parts/State";
import { Sure } from "../../parts/Sure";
import { When } from "../../parts/When";
import { WaitingPage } from "../../parts/Waiting";
import { useText } from "../../text";
import { NodeKeyDialog } from "./NodeKey";
import { NodeForm } from "./NodeForm";
import { nodeRoute } from "./route";

export default function NodePage() {
  const t = useText();
  const id = Number(nodeRoute.useParams().id);
  const asked = useQuery(node(id));
  if (asked.error || !asked.data) return <WaitingPage title={t.nodes.number(id)} on={asked} />;
  return <About node={asked.data} />;
}

function About({ node: one }: { node: Node }) {
  const t = useText();
  const organization = useOrganizationNames();
  const collaboration = useCollaborationNames();
  const { data: waiting } = useSeen("result", { ...waitingFor(one.id), retry: false });
  return (
    <Page
      title={one.name || t.nodes.number(one.id)}
      about={
        <Group gap="xs">
          <State status={stateOfNode(one)} />
          <span>
            {t.nodes.seen}: <When at={one.last_seen} ago />
          </span>
        </Group>
      }
      actions={<Actions node={one} />}
    >
      <Facts
        of={[
          [
            t.nodes.organization,
            one.organization && (
              <Anchor component={Link} to="/organizations/$id" params={{ id: String(one.organization.id) } as never} inherit>
                {organization(one.organization.id)}
              </Anchor>
            ),
          ],
          [
            t.nodes.collaboration,
            one.collaboration ? (
              <Anchor component={Link} to="/collaborations/$id" params={{ id: String(one.collaboration.id) } as never} inherit>
                {collaboration(one.collaboration.id)}
              </Anchor>
            ) : (
              t.common.none
            ),
          ],
          [t.nodes.client, one.client ?? t.common.unknown],
          [t.nodes.waiting, waiting],
          [t.nodes.address, one.ip ?? "–"],
          [t.nodes.id, one.id],
        ]}
      />
      <Paper>
        <Title order={2} mb="sm">
          {t.nodes.shared}
        </Title>
        {one.config.length === 0 ? (
          <Text fz="sm" c="dimmed">
            {one.status === "online" ? t.nodes.sharesNothing : t.nodes.sharesWhenOnline}
          </Text>
        ) : (
          <Table.ScrollContainer type="native" minWidth={320} tabIndex={0} aria-label={t.nodes.shared}>
            <Table>
              <Table.Tbody>
                {one.config.map(({ key, value }, i) => (
                  <Table.Tr key={`${key}-${i}`}>
                    <Table.Td w="40%">{key}</Table.Td>
                    <Table.Td style={{ overflowWrap: "anywhere" }}>
                      <Code>{value}</Code>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Paper>
    </Page>
  );
}

function Actions({ node: one }: { node: Node }) {
  const t = useText();
  const { may } = useRights();
  const navigate = useNavigate();
  const { data: known } = useSeen("collaboration", collaborations);
  const [asked, ask] = useState<"edit" | "key" | "kill" | "remove">();
  const close = () => {
    ask(undefined);
    for (const act of [removing, resetting, killing]) act.reset();
  };
  const removing = useMutation({
    mutationFn: () => deleteNode(one.id),
    onSuccess: async () => {
      await navigate({ to: "/nodes" });
      done(t.nodes.removed, "node", "collaboration", "organization");
    },
  });
  const killing = useMutation({
    mutationFn: () => killTasksOf(one.id),
    onSuccess: () => {
      done(t.nodes.killed, "task", "result", "event");
      close();
    },
  });
  const resetting = useMutation({ mutationFn: () => resetKey(one.id) });
  const encrypted = known?.find((each) => each.id === one.collaboration?.id)?.encrypted ?? false;
  return (
    <>
      <EditButton path={`/node/${one.id}`} label={t.nodes.edit} onClick={() => ask("edit")} />
      <Allowed method="PATCH" path={`/node/${one.id}`}>
        <Button variant="default" leftSection={<IconKey size={16} />} onClick={() => ask("key")}>
          {t.nodes.reset}
        </Button>
      </Allowed>
      {one.status === "online" && may("event", "CREATE") && (
        <Allowed method="POST" path="/kill/node/tasks">
          <Button variant="default" leftSection={<IconPlayerStop size={16} />} onClick={() => ask("kill")}>
            {t.nodes.kill}
          </Button>
        </Allowed>
      )}
      <DeleteButton path={`/node/${one.id}`} onClick={() => ask("remove")} />
      {asked === "edit" && <NodeForm node={one} close={close} />}
      {resetting.data ? (
        <NodeKeyDialog opened={asked === "key"} title={t.nodes.reset} close={close} id={one.id} name={one.name} apiKey={resetting.data.api_key} encrypted={encrypted} />
      ) : (
        <Sure opened={asked === "key"} title={t.nodes.resetTitle} text={t.nodes.resetText} button={t.nodes.reset} close={close} act={resetting} />
      )}
      <Sure opened={asked === "kill"} title={t.nodes.killTitle(one.name ?? String(one.id))} text={t.nodes.killText} button={t.nodes.kill} close={close} act={killing} />
      <Sure opened={asked === "remove"} title={t.nodes.removeTitle(one.name ?? String(one.id))} text={t.nodes.removeText} button={t.common.delete} close={close} act={removing} />
    </>
  );
}
