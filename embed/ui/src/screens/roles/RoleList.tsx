import { Anchor, Button } from "@mantine/core";
import { IconPlus, IconShieldCheck } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useRights, useSeen } from "../../api/rights";
import { type Role, roles } from "../../api/roles";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import type { Column } from "../../parts/Rows";
import { Waiting } from "../../parts/Waiting";
import { useText } from "../../text";
import { RoleForm } from "./RoleForm";

export default function RoleList() {
  const t = useText();
  const { may } = useRights();
  const organization = useOrganizationNames();
  const asked = useSeen("role", roles);
  const { data } = asked;
  const [making, make] = useState(false);
  const columns: Column<Role>[] = [
    {
      label: t.roles.name,
      width: 200,
      show: (role) => (
        <Anchor component={Link} to="/roles/$id" params={{ id: String(role.id) } as never} fw={600} fz="sm">
          {role.name || t.roles.number(role.id)}
        </Anchor>
      ),
    },
    { label: t.roles.description, prose: true, show: (role) => role.description || null },
    { label: t.roles.owner, width: 190, show: (role) => (role.organization ? organization(role.organization.id) : t.roles.everybody) },
    { label: t.roles.users, width: 110, show: (role) => role.users?.length ?? 0 },
  ];
  return (
    <Page
      title={t.roles.title}
      about={data && t.common.total(data.length)}
      actions={
        may("role", "CREATE") && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => make(true)}>
            {t.roles.new}
          </Button>
        )
      }
    >
      <Waiting on={asked} />
      {data?.length === 0 && <Empty title={t.roles.none} icon={IconShieldCheck} />}
      {data && data.length > 0 && (
        <Listing label={t.roles.title} rows={data} columns={columns} textOf={(role) => `${role.name} ${role.description} ${role.organization ? organization(role.organization.id) : t.roles.everybody}`} />
      )}
      {making && <RoleForm close={() => make(false)} />}
    </Page>
  );
}
