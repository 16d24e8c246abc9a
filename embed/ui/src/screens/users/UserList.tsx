import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { IconLock, IconUserPlus, IconUsers } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useRights, useSeen } from "../../api/rights";
import { type User, users } from "../../api/users";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { useOrganizationNames, useRoleNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import type { Column } from "../../parts/Rows";
import { When } from "../../parts/When";
import { Waiting } from "../../parts/Waiting";
import { useText } from "../../text";
import { NewUser } from "./NewUser";

export default function UserList() {
  const t = useText();
  const { may } = useRights();
  const organization = useOrganizationNames();
  const asked = useSeen("user", users);
  const { data } = asked;
  const role = useRoleNames();
  const [making, make] = useState(false);
  const roleNames = (user: User) => (user.roles ?? []).map(({ id }) => role(id)).join(", ");
  const columns: Column<User>[] = [
    {
      label: t.users.username,
      show: (user) => (
        <Group gap="xs">
          <Anchor component={Link} to="/users/$id" params={{ id: String(user.id) } as never} fw={600} fz="sm">
            {user.username}
          </Anchor>
          {user.lock && <LockBadge />}
        </Group>
      ),
    },
    { label: t.users.name, show: (user) => [user.firstname, user.lastname].filter(Boolean).join(" ") || "–" },
    { label: t.users.organization, show: (user) => organization(user.organization?.id) },
    { label: t.users.roles, show: (user) => roleNames(user) || t.common.none },
    { label: t.users.seen, width: 150, show: (user) => <Text fz="sm"><When at={user.last_seen} ago /></Text> },
  ];
  return (
    <Page
      title={t.users.title}
      about={data && t.common.total(data.length)}
      actions={
        may("user", "CREATE") && (
          <Button leftSection={<IconUserPlus size={16} />} onClick={() => make(true)}>
            {t.users.new}
          </Button>
        )
      }
    >
      <Waiting on={asked} />
      {data?.length === 0 && <Empty title={t.users.none} icon={IconUsers} />}
      {data && data.length > 0 && (
        <Listing
          label={t.users.title}
          rows={data}
          columns={columns}
          minWidth={820}
          textOf={(user) => `${user.username} ${user.firstname} ${user.lastname} ${user.email} ${organization(user.organization?.id)} ${roleNames(user)}`}
        />
      )}
      {making && <NewUser close={() => make(false)} />}
    </Page>
  );
}

export function LockBadge() {
  const t = useText();
  return (
    <Badge variant="outline" tt="none" miw="max-content" style={{ "--badge-color": "var(--v-bad)", borderColor: "var(--v-bad)" }} leftSection={<IconLock size={11} style={{ display: "block" }} />}>
      {t.users.locked}
    </Badge>
  );
}
