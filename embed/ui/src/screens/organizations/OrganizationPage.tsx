import { Anchor, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { nodes } from "../../api/nodes";
import { type Organization, organization } from "../../api/organizations";
import { useRights, useSeen } from "../../api/rights";
import { users } from "../../api/users";
import { EditButton } from "../../parts/Actions";
import { Facts } from "../../parts/Facts";
import { useCollaborationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { State, stateOfNode } from "../../parts/State";
import { WaitingPage } from "../../parts/Waiting";
import { useText } from "../../text";
import { OrganizationForm } from "./OrganizationForm";
import { PublicKey } from "./PublicKey";
import { organizationRoute } from "./route";

export default function OrganizationPage() {
  const t = useText();
  const id = Number(organizationRoute.useParams().id);
  const asked = useQuery(organization(id));
  if (asked.error || !asked.data) return <WaitingPage title={t.organizations.number(id)} on={asked} />;
  return <About organization={asked.data} />;
}

function About({ organization: one }: { organization: Organization }) {
  const t = useText();
  const { may } = useRights();
  const [editing, edit] = useState(false);
  const collaborationName = useCollaborationNames();
  const { data: allNodes } = useSeen("node", nodes);
  const { data: allUsers } = useSeen("user", { ...users, enabled: may("user", "VIEW", "GLOBAL", "ORGANIZATION") });
  const address = [one.address1, one.address2, one.zipcode].filter(Boolean).join(", ");
  return (
    <Page
      title={one.name || t.organizations.number(one.id)}
      actions={
        <EditButton path={`/organization/${one.id}`} label={t.organizations.edit} onClick={() => edit(true)} />
      }
    >
      <Facts
        cols={{ base: 1, xs: 2, md: 3 }}
        of={[
          [t.organizations.domain, one.domain || "–"],
          [t.organizations.address, address || "–"],
          [t.organizations.country, one.country || "–"],
        ]}
      />
      <PublicKey organization={one} />
      <SimpleGrid cols={{ base: 1, md: 3 }} spacing="lg">
        <Related title={t.organizations.collaborations} none={t.organizations.inNone}>
          {(one.collaborations ?? []).map(({ id }) => (
            <Anchor key={id} component={Link} to="/collaborations/$id" params={{ id: String(id) } as never} fz="sm">
              {collaborationName(id)}
            </Anchor>
          ))}
        </Related>
        <Related title={t.organizations.nodes} none={t.organizations.noNodes}>
          {(allNodes ?? [])
            .filter((node) => node.organization?.id === one.id)
            .map((node) => (
              <Group key={node.id} justify="space-between" gap="xs" wrap="nowrap">
                <Anchor component={Link} to="/nodes/$id" params={{ id: String(node.id) } as never} fz="sm" style={{ overflowWrap: "anywhere" }}>
                  {node.name || t.nodes.number(node.id)}
                </Anchor>
                <State status={stateOfNode(node)} />
              </Group>
            ))}
        </Related>
        <Related title={t.organizations.users} none={t.organizations.noUsers}>
          {(allUsers ?? [])
            .filter((user) => user.organization?.id === one.id)
            .slice(0, 100)
            .map((user) => (
              <Anchor key={user.id} component={Link} to="/users/$id" params={{ id: String(user.id) } as never} fz="sm">
                {user.username}
              </Anchor>
            ))}
        </Related>
      </SimpleGrid>
      {editing && <OrganizationForm organization={one} close={() => edit(false)} />}
    </Page>
  );
}

function Related({ title, none, children }: { title: string; none: string; children: ReactNode[] }) {
  return (
    <Paper>
      <Title order={2} mb="sm">
        {title}
      </Title>
      {children.length > 0 ? (
        <Stack gap="xs">{children}</Stack>
      ) : (
        <Text fz="sm" c="dimmed">
          {none}
        </Text>
      )}
    </Paper>
  );
}
