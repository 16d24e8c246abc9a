import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { organizations } from "../../api/organizations";
import { useRights, useSeen } from "../../api/rights";
import { changeRole, createRole, type Role, rules } from "../../api/roles";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useText } from "../../text";
import { RuleMatrix } from "./RuleMatrix";

// RoleForm makes a role, or changes the one that is given with the rules that it has.
export function RoleForm({ role: one, has = [], close }: { role?: Role; has?: number[]; close: () => void }) {
  const t = useText();
  const navigate = useNavigate();
  const { may, organization: own } = useRights();
  const { data: known } = useSeen("organization", { ...organizations, enabled: !one });
  const { data: all } = useQuery(rules);
  const form = useForm({
    initialValues: { name: one?.name ?? "", description: one?.description ?? "", organization: own ? String(own) : "", rules: has },
    validate: { name: (text) => (text.trim() ? null : t.roles.needName) },
  });
  const saving = useMutation({
    mutationFn: () => {
      const { organization, ...rest } = form.values;
      return one ? changeRole(one.id, rest) : createRole({ ...rest, organization_id: Number(organization) });
    },
    onSuccess: async (made) => {
      done(one ? t.roles.changed : t.roles.made, "role", "rule", "user");
      close();
      if (!one) await navigate({ to: "/roles/$id", params: { id: String(made.id) } as never });
    },
  });
  return (
    <EditForm opened title={one ? t.roles.edit : t.roles.new} close={close} submit={form.onSubmit(() => saving.mutate())} act={saving} wide>
      <TextInput label={t.roles.name} data-autofocus {...form.getInputProps("name")} />
      <TextInput label={t.roles.description} {...form.getInputProps("description")} />
      {!one && (
        <Select
          label={t.roles.owner}
          searchable
          allowDeselect={false}
          disabled={!may("role", "CREATE", "GLOBAL")}
          data={(known ?? []).map((each) => ({ value: String(each.id), label: each.name ?? String(each.id) }))}
          {...form.getInputProps("organization")}
        />
      )}
      {all && <RuleMatrix rules={all} chosen={form.values.rules} change={(ids) => form.setFieldValue("rules", ids)} />}
    </EditForm>
  );
}
