import { Anchor, Button } from "@mantine/core";
import { IconBuildingHospital, IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type Organization, organizations } from "../../api/organizations";
import { useRights, useSeen } from "../../api/rights";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { Page } from "../../parts/Page";
import type { Column } from "../../parts/Rows";
import { Waiting } from "../../parts/Waiting";
import { useText } from "../../text";
import { OrganizationForm } from "./OrganizationForm";

export default function OrganizationList() {
  const t = useText();
  const { may } = useRights();
  const asked = useSeen("organization", organizations);
  const { data } = asked;
  const [making, make] = useState(false);
  const columns: Column<Organization>[] = [
    {
      label: t.organizations.name,
      show: (one) => (
        <Anchor component={Link} to="/organizations/$id" params={{ id: String(one.id) } as never} fw={600} fz="sm">
          {one.name || t.organizations.number(one.id)}
        </Anchor>
      ),
    },
    { label: t.organizations.domain, show: (one) => one.domain || "–" },
    { label: t.organizations.country, width: 160, show: (one) => one.country || "–" },
    { label: t.organizations.collaborations, width: 140, show: (one) => one.collaborations?.length ?? 0 },
    { label: t.organizations.nodes, width: 90, show: (one) => one.nodes?.length ?? 0 },
    { label: t.organizations.key, width: 150, show: (one) => (one.public_key ? t.organizations.hasKey : t.organizations.noKey) },
  ];
  return (
    <Page
      title={t.organizations.title}
      about={data && t.common.total(data.length)}
      actions={
        may("organization", "CREATE") && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => make(true)}>
            {t.organizations.new}
          </Button>
        )
      }
    >
      <Waiting on={asked} />
      {data?.length === 0 && <Empty title={t.organizations.none} icon={IconBuildingHospital} />}
      {data && data.length > 0 && <Listing label={t.organizations.title} rows={data} columns={columns} textOf={(one) => `${one.name} ${one.domain} ${one.country}`} />}
      {making && <OrganizationForm close={() => make(false)} />}
    </Page>
  );
}
