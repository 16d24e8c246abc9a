import { SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { changeOrganization, createOrganization, type Organization } from "../../api/organizations";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useText } from "../../text";

const fields = ["name", "domain", "address1", "address2", "zipcode", "country"] as const;

// OrganizationForm makes an organization, or changes the one that is given.
export function OrganizationForm({ organization: one, close }: { organization?: Organization; close: () => void }) {
  const t = useText();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: Object.fromEntries(fields.map((field) => [field, one?.[field] ?? ""])) as Record<(typeof fields)[number], string>,
    validate: { name: (text) => (text.trim() ? null : t.organizations.needName) },
  });
  const saving = useMutation({
    mutationFn: () => (one ? changeOrganization(one.id, form.values) : createOrganization(form.values)),
    onSuccess: async (made) => {
      done(one ? t.organizations.changed : t.organizations.made, "organization");
      close();
      if (!one) await navigate({ to: "/organizations/$id", params: { id: String(made.id) } as never });
    },
  });
  return (
    <EditForm opened title={one ? t.organizations.edit : t.organizations.new} close={close} submit={form.onSubmit(() => saving.mutate())} act={saving}>
      <TextInput label={t.organizations.name} required withAsterisk={false} data-autofocus {...form.getInputProps("name")} />
      <TextInput label={t.organizations.domain} {...form.getInputProps("domain")} />
      <TextInput label={t.organizations.address} {...form.getInputProps("address1")} />
      <TextInput label={t.organizations.address2} {...form.getInputProps("address2")} />
      <SimpleGrid cols={2}>
        <TextInput label={t.organizations.zipcode} {...form.getInputProps("zipcode")} />
        <TextInput label={t.organizations.country} {...form.getInputProps("country")} />
      </SimpleGrid>
    </EditForm>
  );
}
