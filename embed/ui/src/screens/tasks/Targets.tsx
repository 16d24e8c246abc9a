import { Alert, Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Collaboration } from "../../api/collaborations";
import { nodes } from "../../api/nodes";
import { organizations } from "../../api/organizations";
import { useRights, useSeen } from "../../api/rights";
import { useOrganizationNames } from "../../parts/Named";
import { State, stateOfNode } from "../../parts/State";
import { useText } from "../../text";

type Props = { collaboration: Collaboration; chosen: string[]; choose: (ids: string[]) => void; error: ReactNode };

// Targets are the organizations that a task can go to, with the state of their nodes.
export function Targets({ collaboration, chosen, choose, error }: Props) {
  const t = useText();
  const words = t.tasks.newTask;
  const name = useOrganizationNames();
  const { may, organization: own } = useRights();
  const { data: all } = useSeen("node", nodes);
  const { data: known } = useSeen("organization", organizations);
  const rows = (collaboration.organizations ?? []).map(({ id }) => {
    const node = all?.find((one) => one.organization?.id === id && one.collaboration?.id === collaboration.id);
    const there = all === undefined || node !== undefined || !(may("node", "VIEW", "GLOBAL") || id === own);
    const keyless = collaboration.encrypted && known?.find((one) => one.id === id)?.public_key === "";
    return { id: String(id), node, why: there ? (keyless ? words.noKey : undefined) : words.noNode };
  });
  const possible = rows.filter((row) => !row.why).map((row) => row.id);
  const waiting = rows.filter((row) => chosen.includes(row.id) && row.node && row.node.status !== "online").length;
  return (
    <Stack gap="xs">
      <Checkbox.Group label={words.organizations} description={words.organizationsHint} value={chosen} onChange={choose} error={error}>
        <Stack gap={12} mt="xs">
          {rows.map((row) => (
            <Group key={row.id} gap="sm">
              <Checkbox value={row.id} disabled={row.why !== undefined} label={name(Number(row.id))} />
              {row.node && <State status={stateOfNode(row.node)} />}
              {row.why && (
                <Text fz="sm" c="dimmed">
                  {row.why}
                </Text>
              )}
            </Group>
          ))}
        </Stack>
      </Checkbox.Group>
      {possible.length > 1 && (
        <Button size="compact-sm" variant="default" w="fit-content" onClick={() => choose(possible)}>
          {words.all}
        </Button>
      )}
      {waiting > 0 && (
        <Alert variant="light" color="yellow">
          {words.waitsFor(waiting)}
        </Alert>
      )}
    </Stack>
  );
}
