import { ActionIcon, Button, Group, JsonInput, SegmentedControl, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useOrganizationNames } from "../../parts/Named";
import { useText } from "../../text";
import { type ArgKind, callOf, isJson, newArg } from "./input";
import { commonOf, pretty, type TaskForm } from "./useTaskForm";

type Form = UseFormReturnType<TaskForm>;

// InputFields ask for what the algorithm is called with: as a form, or as JSON, for all
// organizations or for each.
export function InputFields({ form }: { form: Form }) {
  const t = useText();
  const words = t.tasks.newTask;
  const { mode, each } = form.values;
  const common = commonOf(form.values);
  const change = (next: "form" | "json") => {
    if (next === "json" && common !== undefined) form.setFieldValue("json", pretty(common));
    const call = next === "form" && isJson(form.values.json) ? callOf(JSON.parse(form.values.json)) : undefined;
    if (call) form.setFieldValue("call", call);
    form.setFieldValue("mode", next);
  };
  const setEach = (on: boolean) => {
    if (on) form.setFieldValue("inputs", Object.fromEntries(form.values.organizations.map((id) => [id, form.values.inputs[id] ?? pretty(common ?? {})])));
    form.setFieldValue("each", on);
  };
  return (
    <Stack>
      {!each && (
        <SegmentedControl
          w="fit-content"
          aria-label={t.tasks.tabs.input}
          value={mode}
          onChange={(next) => change(next as "form" | "json")}
          data={[
            { value: "form", label: words.asForm },
            { value: "json", label: words.asJson },
          ]}
        />
      )}
      {!each && mode === "form" && <CallFields form={form} />}
      {!each && mode === "json" && <JsonInput label={words.inputJson} autosize minRows={6} maxRows={24} formatOnBlur styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} {...form.getInputProps("json")} />}
      <Switch label={words.perOrganization} description={words.perOrganizationHint} checked={each} onChange={(event) => setEach(event.currentTarget.checked)} disabled={form.values.organizations.length === 0} />
      {each && <EachInput form={form} common={pretty(common ?? {})} />}
    </Stack>
  );
}

function EachInput({ form, common }: { form: Form; common: string }) {
  const t = useText();
  const organization = useOrganizationNames();
  return form.values.organizations.map((id) => {
    const text = form.values.inputs[id] ?? common;
    return (
      <JsonInput
        key={id}
        label={t.tasks.newTask.inputFor(organization(Number(id)))}
        autosize
        minRows={4}
        maxRows={20}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        value={text}
        error={form.errors.inputs && !isJson(text) ? form.errors.inputs : undefined}
        onChange={(next) => form.setFieldValue("inputs", { ...form.values.inputs, [id]: next })}
      />
    );
  });
}

function CallFields({ form }: { form: Form }) {
  const t = useText();
  const words = t.tasks.newTask;
  return (
    <>
      <TextInput label={words.method} description={words.methodHint} {...form.getInputProps("call.method")} />
      <Switch label={words.central} {...form.getInputProps("call.central", { type: "checkbox" })} />
      <Stack gap="xs">
        <Text fz="sm" fw={500}>
          {words.arguments}
        </Text>
        {form.values.call.args.length === 0 && (
          <Text fz="sm" c="dimmed">
            {words.noArgs}
          </Text>
        )}
        {form.values.call.args.map((arg, i) => (
          <Group key={arg.key} gap="xs" align="flex-start" wrap="wrap">
            <TextInput aria-label={words.argName} placeholder={words.argName} flex="1 1 130px" {...form.getInputProps(`call.args.${i}.name`)} />
            <Select
              aria-label={words.kind}
              w={140}
              allowDeselect={false}
              data={Object.entries(words.kinds).map(([value, label]) => ({ value, label }))}
              {...form.getInputProps(`call.args.${i}.kind`)}
              onChange={(kind) => form.setFieldValue(`call.args.${i}`, { ...arg, kind: kind as ArgKind, value: kind === "boolean" ? "false" : arg.value })}
            />
            {arg.kind === "boolean" ? (
              <Switch mt={8} flex="2 1 180px" aria-label={words.argValue} checked={arg.value === "true"} onChange={(event) => form.setFieldValue(`call.args.${i}.value`, String(event.currentTarget.checked))} />
            ) : (
              <TextInput aria-label={words.argValue} placeholder={words.argValue} flex="2 1 180px" {...form.getInputProps(`call.args.${i}.value`)} />
            )}
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={words.removeArg(arg.name)} onClick={() => form.removeListItem("call.args", i)}>
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Button variant="default" size="compact-sm" w="fit-content" leftSection={<IconPlus size={14} />} onClick={() => form.insertListItem("call.args", newArg())}>
          {words.addArg}
        </Button>
      </Stack>
    </>
  );
}
