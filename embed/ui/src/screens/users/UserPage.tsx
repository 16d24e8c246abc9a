import { Alert, Anchor, Button, Group, Modal, Paper, Radio, Stack, Text, Title } from "@mantine/core";
import { IconLock, IconLockOpen, IconMailForward } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useRights, useSeen } from "../../api/rights";
import { roles, rules } from "../../api/roles";
import { deleteUser, inviteUser, unlockUser, type User, user } from "../../api/users";
import { DeleteButton, EditButton } from "../../parts/Actions";
import { Allowed } from "../../parts/Allowed";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { Facts } from "../../parts/Facts";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { tellProblem } from "../../parts/Problems";
import { Sure } from "../../parts/Sure";
import { When } from "../../parts/When";
import { WaitingPage } from "../../parts/Waiting";
import { useText } from "../../text";
import { Invitation } from "./Invitation";
import { LockBadge } from "./UserList";
import { userRoute } from "./route";
import { UserForm } from "./UserForm";

export default function UserPage() {
  const t = useText();
  const id = Number(userRoute.useParams().id);
  const asked = useQuery(user(id));
  if (asked.error || !asked.data) return <WaitingPage title={t.users.number(id)} on={asked} />;
  return <About key={id} user={asked.data} />;
}

function About({ user: one }: { user: User }) {
  const t = useText();
  const organization = useOrganizationNames();
  const { data: known } = useSeen("role", roles);
  const { data: all } = useQuery({ ...rules, enabled: Boolean(one.rules?.length) });
  return (
    <Page
      title={[one.firstname, one.lastname].filter(Boolean).join(" ") || (one.username ?? t.users.number(one.id))}
      about={
        <Group gap="xs">
          <span>{one.username}</span>
          {one.lock && <LockBadge />}
        </Group>
      }
      actions={<Actions user={one} />}
    >
      {one.lock && <Lock user={one} />}
      <Facts
        cols={{ base: 1, xs: 2, md: 3 }}
        of={[
          [t.users.email, one.email],
          [
            t.users.organization,
            one.organization && (
              <Anchor component={Link} to="/organizations/$id" params={{ id: String(one.organization.id) } as never} inherit>
                {organization(one.organization.id)}
              </Anchor>
            ),
          ],
          [t.users.seen, <When key="seen" at={one.last_seen} ago />],
        ]}
      />
      <Paper>
        <Title order={2} mb="sm">
          {t.users.rights}
        </Title>
        <Stack gap="xs">
          {(one.roles ?? []).map(({ id }) => {
            const role = known?.find((each) => each.id === id);
            return (
              <div key={id}>
                <Anchor component={Link} to="/roles/$id" params={{ id: String(id) } as never} fz="sm" fw={600}>
                  {role?.name ?? t.roles.number(id)}
                </Anchor>
                {role?.description && (
                  <Text fz="sm" c="dimmed">
                    {role.description}
                  </Text>
                )}
              </div>
            );
          })}
          {(one.rules ?? []).map(({ id }) => {
            const rule = all?.find((each) => each.id === id);
            return (
              <Text key={id} fz="sm">
                {rule ? `${t.roles.resources[rule.name] ?? rule.name}: ${t.roles.operations[rule.operation]}, ${t.roles.scopes[rule.scope]}` : t.roles.rule(id)}
              </Text>
            );
          })}
          {!one.roles?.length && !one.rules?.length && (
            <Text fz="sm" c="dimmed">
              {t.users.noRights}
            </Text>
          )}
        </Stack>
      </Paper>
    </Page>
  );
}

function Lock({ user: one }: { user: User }) {
  const t = useText();
  const lock = one.lock!;
  const unlocking = useMutation({
    mutationFn: () => unlockUser(one.id),
    onSuccess: () => done(t.users.unlocked, "user", "event"),
    onError: (problem) => tellProblem(t, problem),
  });
  return (
    <Alert variant="light" color="red" icon={<IconLock />} title={t.users.lockedText(lock.failures)}>
      <Stack gap="xs" align="flex-start">
        {lock.until && (
          <Text fz="sm">
            {t.users.lockedAll} <When at={lock.until} />
          </Text>
        )}
        {lock.from.map((from) => (
          <Text key={from.network ?? ""} fz="sm">
            {from.network ?? t.users.nowhere}: {t.users.tries(from.failures)}
            {from.until && (
              <>
                , {t.users.lockedTill} <When at={from.until} />
              </>
            )}
          </Text>
        ))}
        <Allowed method="POST" path={`/user/${one.id}/unlock`}>
          <Button size="compact-sm" variant="default" leftSection={<IconLockOpen size={14} />} loading={unlocking.isPending} onClick={() => unlocking.mutate()}>
            {t.users.unlock}
          </Button>
        </Allowed>
      </Stack>
    </Alert>
  );
}

function Actions({ user: one }: { user: User }) {
  const t = useText();
  const navigate = useNavigate();
  const { me } = useRights();
  const [asked, ask] = useState<"edit" | "invite" | "remove">();
  const [by, choose] = useState<"mail" | "link">("link");
  const close = () => {
    ask(undefined);
    inviting.reset();
    removing.reset();
  };
  const inviting = useMutation({ mutationFn: () => inviteUser(one.id, by), onSuccess: () => done(t.users.invited, "event") });
  const removing = useMutation({
    mutationFn: () => deleteUser(one.id),
    onSuccess: async () => {
      await navigate({ to: "/users" });
      done(t.users.removed, "user", "organization", "role");
    },
  });
  const self = me?.id === one.id;
  return (
    <>
      <EditButton path={`/user/${one.id}`} label={t.users.edit} onClick={() => ask("edit")} />
      {!self && !one.last_seen && (
        <Allowed method="POST" path={`/user/${one.id}/invite`}>
          <Button variant="default" leftSection={<IconMailForward size={16} />} onClick={() => ask("invite")}>
            {t.users.invite}
          </Button>
        </Allowed>
      )}
      {!self && (
        <DeleteButton path={`/user/${one.id}`} onClick={() => ask("remove")} />
      )}
      {asked === "edit" && <UserForm user={one} close={close} />}
      {inviting.data ? (
        <Modal opened={asked === "invite"} onClose={close} closeOnClickOutside={false} title={t.users.invite} closeButtonProps={{ "aria-label": t.common.close }}>
          <Invitation {...inviting.data} />
        </Modal>
      ) : (
        <EditForm opened={asked === "invite"} title={t.users.invite} button={t.users.invite} close={close} submit={(event) => { event?.preventDefault(); inviting.mutate(); }} act={inviting}>
          <Text fz="sm">{t.users.inviteText}</Text>
          <Radio.Group label={t.users.way} value={by} onChange={(value) => choose(value as "mail" | "link")}>
            <Stack gap="xs" mt="xs">
              <Radio value="link" label={t.users.byLink} description={t.users.byLinkHint} />
              <Radio value="mail" label={t.users.byMail} description={t.users.byMailHint} />
            </Stack>
          </Radio.Group>
        </EditForm>
      )}
      <Sure opened={asked === "remove"} title={t.users.removeTitle(one.username ?? "")} text={t.users.removeText} button={t.common.delete} close={close} act={removing} />
    </>
  );
}
