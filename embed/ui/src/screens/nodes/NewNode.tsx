import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { collaborations } from "../../api/collaborations";
import { createNode, nodes } from "../../api/nodes";
import { useRights, useSeen } from "../../api/rights";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useOrganizationNames } from "../../parts/Named";
import { useText } from "../../text";
import { NodeKeyDialog } from "./NodeKey";

type Props = { opened: boolean; close: () => void };

// NewNode makes a node for a member of a collaboration that has none there yet.
export function NewNode({ opened, close }: Props) {
  const t = useText();
  const { may, organization: own } = useRights();
  const name = useOrganizationNames();
  const { data: known } = useSeen("collaboration", { ...collaborations, enabled: opened });
  const { data: there } = useSeen("node", { ...nodes, enabled: opened });
  const form = useForm({
    initialValues: { collaboration: "", organization: "", name: "" },
    validate: { collaboration: (id) => (id ? null : t.nodes.needCollaboration), organization: (id) => (id ? null : t.nodes.needOrganization) },
  });
  const chosen = known?.find((one) => String(one.id) === form.values.collaboration);
  const taken = new Set(there?.filter((node) => node.collaboration?.id === chosen?.id).map((node) => node.organization?.id));
  const free = (chosen?.organizations ?? []).map(({ id }) => id).filter((id) => !taken.has(id) && (may("node", "CREATE", "GLOBAL") || id === own));
  const making = useMutation({
    mutationFn: () =>
      createNode({
        collaboration_id: Number(form.values.collaboration),
        organization_id: Number(form.values.organization),
        ...(form.values.name ? { name: form.values.name } : {}),
      }),
    onSuccess: () => done(t.nodes.made, "node", "collaboration", "organization"),
  });
  const leave = () => {
    close();
    form.reset();
    making.reset();
  };
  const { data: made } = making;
  if (made) return <NodeKeyDialog opened={opened} title={t.nodes.made} close={leave} id={made.id} name={made.name} apiKey={made.api_key} encrypted={chosen?.encrypted ?? false} />;
  return (
    <EditForm opened={opened} title={t.nodes.new} button={t.nodes.create} close={leave} submit={form.onSubmit(() => making.mutate())} act={making}>
      <Select
        label={t.nodes.collaboration}
        searchable
        data={(known ?? []).map((one) => ({ value: String(one.id), label: one.name ?? String(one.id) }))}
        {...form.getInputProps("collaboration")}
        onChange={(id) => form.setValues({ collaboration: id ?? "", organization: "" })}
      />
      <Select
        label={t.nodes.organization}
        description={chosen && free.length === 0 ? t.nodes.noneFree : undefined}
        searchable
        disabled={!chosen || free.length === 0}
        data={free.map((id) => ({ value: String(id), label: name(id) }))}
        {...form.getInputProps("organization")}
      />
      <TextInput label={t.nodes.name} description={t.nodes.nameHint} {...form.getInputProps("name")} />
    </EditForm>
  );
}
