import { Anchor, Button, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { deleteRole, role, type Role, rules, rulesOfRole } from "../../api/roles";
import { users } from "../../api/users";
import { Allowed } from "../../parts/Allowed";
import { done } from "../../parts/done";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { ProblemNote } from "../../parts/Problems";
import { Sure } from "../../parts/Sure";
import { useText } from "../../text";
import { RoleForm } from "./RoleForm";
import { roleRoute } from "./route";
import { RuleMatrix } from "./RuleMatrix";

export default function RolePage() {
  const t = useText();
  const id = Number(roleRoute.useParams().id);
  const { data, error, refetch } = useQuery(role(id));
  if (error || !data)
    return (
      <Page title={t.roles.number(id)}>
        {error ? <ProblemNote problem={error} retry={() => void refetch()} /> : <Skeleton h={240} />}
      </Page>
    );
  return <About key={id} role={data} />;
}

function About({ role: one }: { role: Role }) {
  const t = useText();
  const navigate = useNavigate();
  const organization = useOrganizationNames();
  const { data: all } = useQuery(rules);
  const { data: held } = useQuery(rulesOfRole(one.id));
  const { data: people } = useQuery({ ...users, retry: false });
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
          <Allowed method="PATCH" path={`/role/${one.id}`}>
            <Button variant="default" leftSection={<IconPencil size={16} />} onClick={() => ask("edit")} disabled={!held}>
              {t.roles.edit}
            </Button>
          </Allowed>
          <Allowed method="DELETE" path={`/role/${one.id}`}>
            <Button variant="default" c="var(--v-bad)" leftSection={<IconTrash size={16} />} onClick={() => ask("remove")}>
              {t.common.delete}
            </Button>
          </Allowed>
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
