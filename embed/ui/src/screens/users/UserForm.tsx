import { MultiSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useRights, useSeen } from "../../api/rights";
import { roles, rules } from "../../api/roles";
import { changeUser, type User } from "../../api/users";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useText } from "../../text";
import { RuleMatrix } from "../roles/RuleMatrix";

// UserForm changes a user. Only what differs is sent: roles and rules of oneself cannot be changed.
export function UserForm({ user: one, close }: { user: User; close: () => void }) {
  const t = useText();
  const { me } = useRights();
  const self = me?.id === one.id;
  const { data: allRoles } = useSeen("role", roles);
  const { data: allRules } = useQuery(rules);
  const had = { roles: (one.roles ?? []).map(({ id }) => String(id)), rules: (one.rules ?? []).map(({ id }) => id) };
  const form = useForm({
    initialValues: { username: one.username ?? "", firstname: one.firstname ?? "", lastname: one.lastname ?? "", email: one.email ?? "", ...had },
    validate: { email: (text) => (text.trim() ? null : t.users.needEmail), username: (text) => (text.trim() ? null : t.users.needUsername) },
  });
  const saving = useMutation({
    mutationFn: () => {
      const { roles: chosenRoles, rules: chosenRules, username, ...rest } = form.values;
      return changeUser(one.id, {
        ...rest,
        ...(self ? { username } : { roles: chosenRoles.map(Number), rules: chosenRules }),
      });
    },
    onSuccess: () => {
      done(t.users.changed, "user", "role", "rule");
      close();
    },
  });
  const offered = (allRoles ?? []).filter((role) => had.roles.includes(String(role.id)) || (!["container", "node"].includes(role.name ?? "") && (!role.organization || role.organization.id === one.organization?.id)));
  return (
    <EditForm opened title={t.users.edit} close={close} submit={form.onSubmit(() => saving.mutate())} act={saving} wide>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput label={t.users.username} disabled={!self} description={self ? undefined : t.users.ownName} {...form.getInputProps("username")} />
        <TextInput label={t.users.email} {...form.getInputProps("email")} />
        <TextInput label={t.users.firstname} {...form.getInputProps("firstname")} />
        <TextInput label={t.users.lastname} {...form.getInputProps("lastname")} />
      </SimpleGrid>
      {self ? (
        <Text fz="sm" c="dimmed">
          {t.users.notOwnRights}
        </Text>
      ) : (
        <Stack>
          <MultiSelect
            label={t.users.roles}
            description={t.users.roleHint}
            searchable
            data={offered.map((role) => ({ value: String(role.id), label: role.name ?? String(role.id) }))}
            {...form.getInputProps("roles")}
          />
          <Text fz="sm" fw={500}>
            {t.users.singleRules}
          </Text>
          {allRules && <RuleMatrix rules={allRules} chosen={form.values.rules} change={(ids) => form.setFieldValue("rules", ids)} />}
        </Stack>
      )}
    </EditForm>
  );
}
