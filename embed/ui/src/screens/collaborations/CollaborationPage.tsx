import { Anchor, Button, Group, MultiSelect, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { changeCollaboration, type Collaboration, collaboration, deleteCollaboration } from "../../api/collaborations";
import { type Node, nodes } from "../../api/nodes";
import { organizations } from "../../api/organizations";
import { useSeen } from "../../api/rights";
import { DeleteButton, EditButton } from "../../parts/Actions";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { type Column, Rows } from "../../parts/Rows";
import { State, stateOfNode } from "../../parts/State";
import { Sure } from "../../parts/Sure";
import { WaitingPage } from "../../parts/Waiting";
import { useText } from "../../text";
import { Encrypted } from "./CollaborationList";
import { collaborationRoute } from "./route";

export default function CollaborationPage() {
  const t = useText();
  const id = Number(collaborationRoute.useParams().id);
  const asked = useQuery(collaboration(id));
  if (asked.error || !asked.data) return <WaitingPage title={t.collaborations.number(id)} on={asked} />;
  return <About key={id} collaboration={asked.data} />;
}

function About({ collaboration: one }: { collaboration: Collaboration }) {
  const t = useText();
  const name = useOrganizationNames();
  const { data: known } = useSeen("organization", organizations);
  const { data: all } = useSeen("node", { ...nodes, retry: false });
  const nodeOf = (id: number) => all?.find((each) => each.organization?.id === id && each.collaboration?.id === one.id);
  const members = one.organizations ?? [];
  const columns: Column<{ id: number }>[] = [
    {
      label: t.nodes.organization,
      show: ({ id }) => (
        <Anchor component={Link} to="/organizations/$id" params={{ id: String(id) } as never} fz="sm" fw={600}>
          {name(id)}
        </Anchor>
      ),
    },
    { label: t.collaborations.node, show: ({ id }) => <NodeLink node={nodeOf(id)} /> },
    { label: t.nodes.state, width: 170, show: ({ id }) => (nodeOf(id) ? <State status={stateOfNode(nodeOf(id)!)} /> : "–") },
    { label: t.organizations.key, width: 150, show: ({ id }) => <KeyState stored={known?.find((each) => each.id === id)?.public_key} needed={one.encrypted ?? false} /> },
  ];
  return (
    <Page
      title={one.name || t.collaborations.number(one.id)}
      about={
        <Group gap="xs">
          {one.encrypted && <Encrypted />}
          <span>{[!one.encrypted && t.collaborations.plain, t.collaborations.memberCount(members.length)].filter(Boolean).join(" · ")}</span>
        </Group>
      }
      actions={<Actions collaboration={one} />}
    >
      <Stack gap="sm">
        <Title order={2}>{t.collaborations.members}</Title>
        {members.length === 0 ? (
          <Text fz="sm" c="dimmed">
            {t.collaborations.noMembers}
          </Text>
        ) : (
          <Rows label={t.collaborations.members} rows={members} columns={columns} minWidth={560} />
        )}
      </Stack>
      <Group>
        <Button variant="default" component={Link} to="/" search={{ collaboration: one.id } as never}>
          {t.collaborations.picture}
        </Button>
        <Button variant="default" component={Link} to="/tasks" search={{ collaboration_id: one.id } as never}>
          {t.collaborations.tasks}
        </Button>
      </Group>
    </Page>
  );
}

function NodeLink({ node }: { node: Node | undefined }) {
  const t = useText();
  if (!node)
    return (
      <Text span fz="sm" c="dimmed">
        {t.collaborations.noNode}
      </Text>
    );
  return (
    <Anchor component={Link} to="/nodes/$id" params={{ id: String(node.id) } as never} fz="sm">
      {node.name || t.nodes.number(node.id)}
    </Anchor>
  );
}

function KeyState({ stored, needed }: { stored: string | null | undefined; needed: boolean }) {
  const t = useText();
  return (
    <Text span fz="sm" c={needed && stored === "" ? "var(--v-bad)" : undefined}>
      {stored === undefined ? "–" : stored ? t.organizations.hasKey : t.organizations.noKey}
    </Text>
  );
}

function Actions({ collaboration: one }: { collaboration: Collaboration }) {
  const t = useText();
  const navigate = useNavigate();
  const { data: known } = useSeen("organization", organizations);
  const [asked, ask] = useState<"edit" | "remove">();
  const form = useForm({
    initialValues: { name: one.name ?? "", encrypted: one.encrypted ?? false, organizations: (one.organizations ?? []).map(({ id }) => String(id)) },
    validate: { name: (text) => (text.trim() ? null : t.collaborations.needName) },
  });
  const close = () => {
    ask(undefined);
    changing.reset();
    removing.reset();
  };
  const changing = useMutation({
    mutationFn: () => changeCollaboration(one.id, { name: form.values.name, encrypted: form.values.encrypted, organization_ids: form.values.organizations.map(Number) }),
    onSuccess: () => {
      done(t.collaborations.changed, "collaboration", "organization", "node");
      close();
    },
  });
  const removing = useMutation({
    mutationFn: () => deleteCollaboration(one.id),
    onSuccess: async () => {
      await navigate({ to: "/collaborations" });
      done(t.collaborations.removed, "collaboration", "organization", "node", "task");
    },
  });
  return (
    <>
      <EditButton path={`/collaboration/${one.id}`} label={t.collaborations.edit} onClick={() => ask("edit")} />
      <DeleteButton path={`/collaboration/${one.id}`} onClick={() => ask("remove")} />
      <EditForm opened={asked === "edit"} title={t.collaborations.edit} close={close} submit={form.onSubmit(() => changing.mutate())} act={changing}>
        <TextInput label={t.collaborations.name} {...form.getInputProps("name")} />
        <MultiSelect
          label={t.collaborations.members}
          description={t.collaborations.leaveHint}
          searchable
          data={(known ?? []).map((each) => ({ value: String(each.id), label: each.name ?? String(each.id) }))}
          {...form.getInputProps("organizations")}
        />
        <Stack gap={4}>
          <Switch label={t.collaborations.encryptedSwitch} {...form.getInputProps("encrypted", { type: "checkbox" })} />
          <Text fz="xs" c="dimmed">
            {t.collaborations.encryptedHint}
          </Text>
        </Stack>
      </EditForm>
      <Sure opened={asked === "remove"} title={t.collaborations.removeTitle(one.name ?? "")} text={t.collaborations.removeText} button={t.common.delete} close={close} act={removing} />
    </>
  );
}
