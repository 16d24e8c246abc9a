import { Alert, Autocomplete, Button, Group, Paper, Select, Stack, Textarea, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconLock, IconSend } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { collaborations } from "../../api/collaborations";
import { queries } from "../../api/queries";
import { recentImages } from "../../api/tasks";
import { useSeen } from "../../api/rights";
import { Empty } from "../../parts/Empty";
import { Page } from "../../parts/Page";
import { ProblemNote } from "../../parts/Problems";
import { useText } from "../../text";
import { InputFields } from "./InputFields";
import { newTaskRoute } from "./route";
import { Targets } from "./Targets";
import { type TaskForm, useRepeat, useSend, useTaskForm } from "./useTaskForm";

export default function NewTask() {
  const t = useText();
  const words = t.tasks.newTask;
  const { from, collaboration: first } = newTaskRoute.useSearch();
  const navigate = useNavigate();
  const form = useTaskForm(first);
  const repeated = useRepeat(from, (values) => form.setValues(values));
  const { data: known } = useSeen("collaboration", collaborations);
  const { data: images } = useSeen("task", recentImages);
  const chosen = known?.find((one) => String(one.id) === form.values.collaboration);
  const send = useSend();
  const sending = useMutation({
    mutationFn: (values: TaskForm) => send(values, chosen?.encrypted ?? false),
    onSuccess: async (made) => {
      notifications.show({ message: words.sent(made.id) });
      void queries.invalidateQueries({ queryKey: ["task"] });
      await navigate({ to: "/tasks/$id", params: { id: String(made.id) } });
    },
  });
  if (known?.length === 0)
    return (
      <Page title={words.title}>
        <Empty title={t.common.empty.title}>{words.noCollaboration}</Empty>
      </Page>
    );
  return (
    <Page title={words.title} about={from !== undefined && repeated && (repeated === "sealed" ? words.repeatedSealed(from) : words.repeated(from))}>
      <form onSubmit={form.onSubmit((values) => sending.mutate(values))} noValidate>
        <Stack gap="lg" maw={880}>
          <Paper>
            <Stack>
              <Select
                label={words.collaboration}
                description={words.collaborationHint}
                searchable
                data={(known ?? []).map(({ id, name }) => ({ value: String(id), label: name ?? String(id) }))}
                {...form.getInputProps("collaboration")}
                onChange={(id) => form.setValues({ collaboration: id ?? "", organizations: [] })}
              />
              {chosen && <Targets collaboration={chosen} chosen={form.values.organizations} choose={(ids) => form.setFieldValue("organizations", ids)} error={form.errors.organizations} />}
              {chosen?.encrypted && (
                <Alert variant="light" color="pine" icon={<IconLock />}>
                  {words.encryptedNote}
                </Alert>
              )}
            </Stack>
          </Paper>
          <Paper>
            <Stack>
              <Autocomplete label={words.image} description={words.imageHint} data={images ?? []} limit={12} {...form.getInputProps("image")} />
              <Group grow align="flex-start">
                <TextInput label={words.name} {...form.getInputProps("name")} />
                <TextInput label={words.database} {...form.getInputProps("database")} />
              </Group>
              <Textarea label={words.description} autosize minRows={1} maxRows={8} {...form.getInputProps("description")} />
            </Stack>
          </Paper>
          <Paper>
            <Title order={2} mb="sm">
              {t.tasks.tabs.input}
            </Title>
            <InputFields form={form} />
          </Paper>
          <ProblemNote problem={sending.error} />
          <Group justify="flex-end">
            <Button type="submit" size="md" leftSection={<IconSend size={18} />} loading={sending.isPending}>
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Page>
  );
}
