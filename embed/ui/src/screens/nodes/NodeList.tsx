import { Anchor, Button, SegmentedControl, Text } from "@mantine/core";
import { IconPlus, IconServer2 } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type Node, nodes } from "../../api/nodes";
import { useRights, useSeen } from "../../api/rights";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { useCollaborationNames, useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import type { Column } from "../../parts/Rows";
import { State, stateOfNode } from "../../parts/State";
import { When } from "../../parts/When";
import { Waiting } from "../../parts/Waiting";
import { useText } from "../../text";
import { NewNode } from "./NewNode";

export default function NodeList() {
  const t = useText();
  const { may } = useRights();
  const organization = useOrganizationNames();
  const collaboration = useCollaborationNames();
  const asked = useSeen("node", nodes);
  const { data } = asked;
  const [which, choose] = useState("all");
  const [making, make] = useState(false);
  const shown = data?.filter((node) => which === "all" || (which === "online") === (node.status === "online"));
  const columns: Column<Node>[] = [
    {
      label: t.nodes.name,
      show: (node) => (
        <Anchor component={Link} to="/nodes/$id" params={{ id: String(node.id) } as never} fw={600} fz="sm">
          {node.name || t.nodes.number(node.id)}
        </Anchor>
      ),
    },
    { label: t.nodes.state, width: 150, show: (node) => <State status={stateOfNode(node)} /> },
    { label: t.nodes.seen, width: 150, show: (node) => <Text fz="sm"><When at={node.last_seen} ago /></Text> },
    { label: t.nodes.organization, show: (node) => organization(node.organization?.id) },
    { label: t.nodes.collaboration, show: (node) => (node.collaboration ? collaboration(node.collaboration.id) : t.common.none) },
    { label: t.nodes.client, show: (node) => <Text fz="sm" c="dimmed">{node.client ?? "–"}</Text> },
  ];
  return (
    <Page
      title={t.nodes.title}
      about={data && t.nodes.about(data.filter((node) => node.status === "online").length, data.length)}
      actions={
        may("node", "CREATE") && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => make(true)}>
            {t.nodes.new}
          </Button>
        )
      }
    >
      <Waiting on={asked} />
      {data?.length === 0 && (
        <Empty title={t.nodes.none} icon={IconServer2}>
          {t.nodes.noneText}
        </Empty>
      )}
      {shown && data && data.length > 0 && (
        <Listing
          label={t.nodes.title}
          rows={shown}
          columns={columns}
          minWidth={900}
          textOf={(node) => `${node.name} ${organization(node.organization?.id)} ${collaboration(node.collaboration?.id)} ${node.client ?? ""}`}
          beside={
            <SegmentedControl
              aria-label={t.nodes.state}
              maw={420}
              value={which}
              onChange={choose}
              data={[
                { value: "all", label: t.nodes.all },
                { value: "online", label: t.common.states.online ?? "" },
                { value: "offline", label: t.common.states.offline ?? "" },
              ]}
            />
          }
        />
      )}
      <NewNode opened={making} close={() => make(false)} />
    </Page>
  );
}
