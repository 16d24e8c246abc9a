import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { collaborations } from "../../api/collaborations";
import { changeNode, type Node } from "../../api/nodes";
import { organizations } from "../../api/organizations";
import { useRights, useSeen } from "../../api/rights";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useText } from "../../text";

const choices = (all: { id: number; name?: string | null }[] | undefined) => (all ?? []).map((one) => ({ value: String(one.id), label: one.name ?? String(one.id) }));

// NodeForm changes a node, and moves it. Only what differs is sent: each has rules of its own.
export function NodeForm({ node: one, close }: { node: Node; close: () => void }) {
  const t = useText();
  const { may } = useRights();
  const { data: known } = useSeen("collaboration", collaborations);
  const { data: all } = useSeen("organization", organizations);
  const had = { name: one.name ?? "", organization: one.organization ? String(one.organization.id) : null, collaboration: one.collaboration ? String(one.collaboration.id) : null, ip: one.ip ?? "" };
  const form = useForm({ initialValues: had });
  const changing = useMutation({
    mutationFn: () => {
      const { name, organization, collaboration, ip } = form.values;
      return changeNode(one.id, {
        ...(name === had.name ? {} : { name }),
        ...(organization && organization !== had.organization ? { organization_id: Number(organization) } : {}),
        ...(collaboration && collaboration !== had.collaboration ? { collaboration_id: Number(collaboration) } : {}),
        ...(ip === had.ip ? {} : ip ? { ip } : { clear_ip: true }),
      });
    },
    onSuccess: () => {
      done(t.nodes.changed, "node", "collaboration", "organization");
      close();
    },
  });
  const global = may("node", "EDIT", "GLOBAL");
  return (
    <EditForm opened title={t.nodes.edit} close={close} submit={form.onSubmit(() => changing.mutate())} act={changing}>
      <TextInput label={t.nodes.name} {...form.getInputProps("name")} />
      <Select
        label={t.nodes.organization}
        description={global ? undefined : t.nodes.ownerHint}
        searchable
        allowDeselect={false}
        disabled={!global}
        data={choices(all)}
        {...form.getInputProps("organization")}
      />
      <Select label={t.nodes.collaboration} description={t.nodes.moveHint} searchable allowDeselect={false} data={choices(known)} {...form.getInputProps("collaboration")} />
      <TextInput label={t.nodes.address} description={t.nodes.addressHint} {...form.getInputProps("ip")} />
    </EditForm>
  );
}
