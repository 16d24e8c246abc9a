import { Alert, Button, Group, List, MultiSelect, Paper, Stack, Stepper, Switch, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import { createCollaboration } from "../../api/collaborations";
import { createNode } from "../../api/nodes";
import { organizations } from "../../api/organizations";
import { queries } from "../../api/queries";
import { useRights, useSeen } from "../../api/rights";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { ProblemNote, wordsFor } from "../../parts/Problems";
import { useNarrow } from "../../parts/useNarrow";
import { useText } from "../../text";
import { NodeKey } from "../nodes/NodeKey";

type Made = { collaboration: Schemas["Collaboration"]; nodes: Schemas["NodeWithKey"][]; failed: { organization: number; why: unknown }[] };

// NewCollaboration goes from a name to nodes that can be started.
export default function NewCollaboration() {
  const t = useText();
  const words = t.collaborations.wizard;
  const { may } = useRights();
  const name = useOrganizationNames();
  const { data: known } = useSeen("organization", organizations);
  const narrow = useNarrow();
  const [step, go] = useState(0);
  const form = useForm({
    initialValues: { name: "", encrypted: true, organizations: [] as string[] },
    validate: {
      name: (text) => (text.trim() ? null : t.collaborations.needName),
      organizations: (ids) => (step === 0 || ids.length > 0 ? null : t.collaborations.needMembers),
    },
  });
  const making = useMutation({
    mutationFn: async (): Promise<Made> => {
      const collaboration = await createCollaboration({ name: form.values.name.trim(), encrypted: form.values.encrypted, organization_ids: form.values.organizations.map(Number) });
      const made: Made = { collaboration, nodes: [], failed: [] };
      for (const organization of form.values.organizations.map(Number)) {
        try {
          made.nodes.push(await createNode({ collaboration_id: collaboration.id, organization_id: organization }));
        } catch (why) {
          made.failed.push({ organization, why });
        }
      }
      return made;
    },
    onSuccess: () => {
      go(2);
      for (const noun of ["collaboration", "organization", "node"]) void queries.invalidateQueries({ queryKey: [noun] });
    },
  });
  const keyless = form.values.organizations.filter((id) => form.values.encrypted && known?.find((each) => String(each.id) === id)?.public_key === "");
  const { data: made } = making;
  return (
    <Page title={words.title}>
      <Stepper active={step} iconSize={34} orientation={narrow ? "vertical" : "horizontal"} styles={narrow ? { stepLabel: { lineHeight: "34px" }, step: { minHeight: 54 }, content: { paddingTop: 0 } } : {}} allowNextStepsSelect={false} onStepClick={(to) => !made && to < step && go(to)}>
        <Stepper.Step label={words.what}>
          <Paper maw={640} mt="md">
            <form
              noValidate
              onSubmit={form.onSubmit(() => go(1))}
            >
              <Stack>
                <TextInput label={t.collaborations.name} data-autofocus {...form.getInputProps("name")} />
                <Stack gap={4}>
                  <Switch label={t.collaborations.encryptedSwitch} {...form.getInputProps("encrypted", { type: "checkbox" })} />
                  <Text fz="xs" c="dimmed">
                    {t.collaborations.encryptedHint}
                  </Text>
                </Stack>
                <Group justify="flex-end">
                  <Button type="submit">{words.next}</Button>
                </Group>
              </Stack>
            </form>
          </Paper>
        </Stepper.Step>
        <Stepper.Step label={words.who}>
          <Paper maw={640} mt="md">
            <form noValidate onSubmit={form.onSubmit(() => making.mutate())}>
              <Stack>
                <MultiSelect
                  label={t.collaborations.members}
                  description={words.membersHint}
                  searchable
                  data={(known ?? []).map((each) => ({ value: String(each.id), label: each.name ?? String(each.id) }))}
                  {...form.getInputProps("organizations")}
                />
                {keyless.length > 0 && (
                  <Alert variant="light" color="yellow">
                    {words.keyless(keyless.map((id) => name(Number(id))).join(", "))}
                  </Alert>
                )}
                {!may("node", "CREATE", "GLOBAL") && <Alert variant="light" color="yellow">{words.ownNodes}</Alert>}
                <ProblemNote problem={making.error} />
                <Group justify="space-between">
                  <Button variant="default" onClick={() => go(0)}>
                    {t.common.back}
                  </Button>
                  <Button type="submit" loading={making.isPending}>
                    {words.create}
                  </Button>
                </Group>
              </Stack>
            </form>
          </Paper>
        </Stepper.Step>
        <Stepper.Step label={words.keys}>
          {made && (
            <Stack maw={640} mt="md">
              <Alert variant="light" color="pine">
                {words.made(made.collaboration.name ?? "")} {made.nodes.length > 0 && t.nodes.once}
              </Alert>
              {made.nodes.map((node) => (
                <Paper key={node.id}>
                  <Title order={2} mb="sm">
                    {name(node.organization?.id)}
                  </Title>
                  <NodeKey id={node.id} name={node.name} apiKey={node.api_key} encrypted={made.collaboration.encrypted ?? false} />
                </Paper>
              ))}
              {made.failed.length > 0 && (
                <Alert variant="light" color="yellow" title={words.without}>
                  <List fz="sm">
                    {made.failed.map(({ organization, why }) => (
                      <List.Item key={organization}>
                        {name(organization)}: {wordsFor(t, why)}
                      </List.Item>
                    ))}
                  </List>
                </Alert>
              )}
              <Group justify="flex-end">
                <Button component={Link} to="/collaborations/$id" params={{ id: String(made.collaboration.id) } as never}>
                  {words.toIt}
                </Button>
              </Group>
            </Stack>
          )}
        </Stepper.Step>
      </Stepper>
    </Page>
  );
}
