import { Button, Group, Modal, MultiSelect, Radio, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { meetsPolicy } from "../../api/login";
import { organizations } from "../../api/organizations";
import { useRights, useSeen } from "../../api/rights";
import { roles, rules } from "../../api/roles";
import { createUser, inviteUser, randomPassword } from "../../api/users";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useText } from "../../text";
import { RuleMatrix } from "../roles/RuleMatrix";
import { NewPassword } from "../sign-in/NewPassword";
import { Invitation } from "./Invitation";

type Way = "link" | "mail" | "password";

// NewUser makes an account, whose user chooses a password by an invitation or gets one.
export function NewUser({ close }: { close: () => void }) {
  const t = useText();
  const navigate = useNavigate();
  const { may, organization: own } = useRights();
  const { data: known } = useSeen("organization", organizations);
  const { data: allRoles } = useSeen("role", roles);
  const { data: allRules } = useQuery(rules);
  const [single, { toggle }] = useDisclosure(false);
  const form = useForm({
    initialValues: { username: "", firstname: "", lastname: "", email: "", organization: own ? String(own) : "", roles: [] as string[], rules: [] as number[], way: "link" as Way, password: "" },
    validate: {
      username: (text) => (text.trim() ? null : t.users.needUsername),
      email: (text) => (text.trim() ? null : t.users.needEmail),
      organization: (id) => (id ? null : t.nodes.needOrganization),
      password: (text, { way }) => (way !== "password" || meetsPolicy(text) ? null : t.signIn.policy.unmet),
    },
  });
  const making = useMutation({
    mutationFn: async () => {
      const { way, password, organization, roles: chosen, ...rest } = form.values;
      const user = await createUser({ ...rest, organization_id: Number(organization), roles: chosen.map(Number), password: way === "password" ? password : randomPassword() } as never);
      const invited = way === "password" ? undefined : await inviteUser(user.id, way).catch((problem: unknown) => ({ problem }));
      return { user, invited };
    },
    onSuccess: ({ user, invited }) => {
      done(t.users.made, "user", "organization", "role");
      if (!invited) leave(user.id);
    },
  });
  const leave = (id: number) => {
    close();
    void navigate({ to: "/users/$id", params: { id: String(id) } as never });
  };
  const offered = (allRoles ?? []).filter((role) => !["container", "node"].includes(role.name ?? "") && (!role.organization || String(role.organization.id) === form.values.organization));
  const { data: made } = making;
  if (made?.invited)
    return (
      <Modal opened onClose={() => leave(made.user.id)} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} title={t.users.made}>
        <Stack>
          <Invitation {...made.invited} />
          <Group justify="flex-end">
            <Button onClick={() => leave(made.user.id)}>{t.users.toUser}</Button>
          </Group>
        </Stack>
      </Modal>
    );
  return (
    <EditForm opened title={t.users.new} button={t.users.create} close={close} submit={form.onSubmit(() => making.mutate())} act={making} wide>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput label={t.users.username} autoComplete="off" data-autofocus {...form.getInputProps("username")} />
        <TextInput label={t.users.email} autoComplete="off" {...form.getInputProps("email")} />
        <TextInput label={t.users.firstname} autoComplete="off" {...form.getInputProps("firstname")} />
        <TextInput label={t.users.lastname} autoComplete="off" {...form.getInputProps("lastname")} />
        <Select
          label={t.users.organization}
          searchable
          allowDeselect={false}
          disabled={!may("user", "CREATE", "GLOBAL")}
          data={(known ?? []).map((one) => ({ value: String(one.id), label: one.name ?? String(one.id) }))}
          {...form.getInputProps("organization")}
        />
        <MultiSelect label={t.users.roles} searchable data={offered.map((role) => ({ value: String(role.id), label: role.name ?? String(role.id) }))} {...form.getInputProps("roles")} />
      </SimpleGrid>
      <Text fz="xs" c="dimmed">
        {t.users.roleHint}
      </Text>
      <Button variant="default" size="compact-sm" w="fit-content" leftSection={<IconAdjustmentsHorizontal size={14} />} onClick={toggle} aria-expanded={single}>
        {t.users.singleRules}
        {form.values.rules.length > 0 && ` (${form.values.rules.length})`}
      </Button>
      {single && allRules && <RuleMatrix rules={allRules} chosen={form.values.rules} change={(ids) => form.setFieldValue("rules", ids)} />}
      <Radio.Group label={t.users.way} {...form.getInputProps("way")}>
        <Stack gap="xs" mt="xs">
          <Radio value="link" label={t.users.byLink} description={t.users.byLinkHint} />
          <Radio value="mail" label={t.users.byMail} description={t.users.byMailHint} />
          <Radio value="password" label={t.users.byPassword} />
        </Stack>
      </Radio.Group>
      {form.values.way === "password" && <NewPassword label={t.signIn.password} {...form.getInputProps("password")} />}
    </EditForm>
  );
}
