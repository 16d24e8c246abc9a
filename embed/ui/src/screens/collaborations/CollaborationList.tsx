import { Anchor, Badge, Button } from "@mantine/core";
import { IconLock, IconPlus, IconUsersGroup } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type Collaboration, collaborations } from "../../api/collaborations";
import { useRights, useSeen } from "../../api/rights";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import type { Column } from "../../parts/Rows";
import { Waiting } from "../../parts/Waiting";
import { useText } from "../../text";

export default function CollaborationList() {
  const t = useText();
  const { may } = useRights();
  const name = useOrganizationNames();
  const asked = useSeen("collaboration", collaborations);
  const { data } = asked;
  const make = may("collaboration", "CREATE") && (
    <Button component={Link} to="/collaborations/new" leftSection={<IconPlus size={16} />}>
      {t.collaborations.new}
    </Button>
  );
  const columns: Column<Collaboration>[] = [
    {
      label: t.collaborations.name,
      show: (one) => (
        <Anchor component={Link} to="/collaborations/$id" params={{ id: String(one.id) } as never} fw={600} fz="sm">
          {one.name || t.collaborations.number(one.id)}
        </Anchor>
      ),
    },
    { label: t.collaborations.encryption, width: 150, show: (one) => (one.encrypted ? <Encrypted /> : t.collaborations.plain) },
    { label: t.collaborations.members, show: (one) => (one.organizations ?? []).map(({ id }) => name(id)).join(", ") || t.common.none },
    { label: t.collaborations.nodes, width: 90, show: (one) => one.nodes?.length ?? 0 },
  ];
  return (
    <Page title={t.collaborations.title} about={data && t.common.total(data.length)} actions={make}>
      <Waiting on={asked} />
      {data?.length === 0 && (
        <Empty title={t.collaborations.none} icon={IconUsersGroup} action={make}>
          {t.collaborations.noneText}
        </Empty>
      )}
      {data && data.length > 0 && (
        <Listing label={t.collaborations.title} rows={data} columns={columns} textOf={(one) => `${one.name} ${(one.organizations ?? []).map(({ id }) => name(id)).join(" ")}`} />
      )}
    </Page>
  );
}

export function Encrypted() {
  const t = useText();
  return (
    <Badge variant="light" tt="none" miw="max-content" leftSection={<IconLock size={11} style={{ display: "block" }} />}>
      {t.collaborations.encrypted}
    </Badge>
  );
}
