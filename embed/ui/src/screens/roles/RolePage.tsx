import { Anchor, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { deleteRole, role, type Role, rules, rulesOfRole } from "../../api/roles";
import { users } from "../../api/users";
import { useSeen } from "../../api/rights";
import { DeleteButton, EditButton } from "../../parts/Actions";
import { done } from "../../parts/done";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { Sure } from "../../parts/Sure";
import { WaitingPage } from "../../parts/Waiting";
import { useText } from "../../text";
import { RoleForm } from "./RoleForm";
import { roleRoute } from "./route";
import { RuleMatrix } from "./RuleMatrix";

export default function RolePage() {
  const t = useText();
  const id = Number(roleRoute.useParams().id);
  const asked = useQuery(role(id));
  if (asked.error || !asked.data) return <WaitingPage title={t.roles.number(id)} on={asked} />;
  return <About key={id} role={asked.data} />;
}

function About({ role: one }: { role: Role }) {
  const t = useText();
  const navigate = useNavigate();
  const organization = useOrganizationNames();
  const { data: all } = useQuery(rules);
  const { data: held } = useQuery(rulesOfRole(one.id));
  const { data: people } = useSeen("user", { ...users, retry: false });
  const [asked, ask] = useState<"edit" | "remove">();
  const removing = useMutation({
    mutationFn: () => deleteRole(one.id),
    onSuccess: async () => {
      await navigate({ to: "/roles" });
      done(t.roles.removed, "role", "user");
    },
  });
  const close = () => {
    ask(undefined);
    removing.reset();
  };
  const ids = held?.map((rule) => rule.id) ?? [];
  return (
    <Page
      title={one.name || t.roles.number(one.id)}
      about={`${one.organization ? organization(one.organization.id) : t.roles.everybody}${one.description ? ` · ${one.description}` : ""}`}
      actions={
        <>
          <EditButton path={`/role/${one.id}`} label={t.roles.edit} onClick={() => ask("edit")} disabled={!held} />
          <DeleteButton path={`/role/${one.id}`} onClick={() => ask("remove")} />
        </>
      }
    >
      <Paper>
        <Stack>
          <Title order={2}>{t.roles.rules}</Title>
          {all && held ? <RuleMatrix rules={all} chosen={ids} /> : <Skeleton h={240} />}
        </Stack>
      </Paper>
      <Paper>
        <Title order={2} mb="sm">
          {t.roles.users}
        </Title>
        <Stack gap="xs">
          {(one.users ?? []).map(({ id }) => (
            <Anchor key={id} component={Link} to="/users/$id" params={{ id: String(id) } as never} fz="sm">
              {people?.find((user) => user.id === id)?.username ?? t.users.number(id)}
            </Anchor>
          ))}
          {!one.users?.length && (
            <Text fz="sm" c="dimmed">
              {t.roles.noUsers}
            </Text>
          )}
        </Stack>
      </Paper>
      {asked === "edit" && <RoleForm role={one} has={ids} close={close} />}
      <Sure opened={asked === "remove"} title={t.roles.removeTitle(one.name ?? "")} text={t.roles.removeText} button={t.common.delete} close={close} act={removing} />
    </Page>
  );
}
