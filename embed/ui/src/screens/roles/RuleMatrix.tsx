import { Checkbox, Group, SimpleGrid, Stack, Table, Text, TextInput, Tooltip } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useRights } from "../../api/rights";
import type { Rule } from "../../api/roles";
import { useNarrow } from "../../parts/useNarrow";
import { useText } from "../../text";
import css from "./RuleMatrix.module.css";

type Props = { rules: Rule[]; chosen: number[]; change?: (ids: number[]) => void };

const scopes = ["GLOBAL", "COLLABORATION", "ORGANIZATION", "OWN"]; // from the widest

const operations = ["VIEW", "EDIT", "CREATE", "DELETE"] as const;

type Cell = (resource: string, operation: (typeof operations)[number]) => ReactNode[];

// RuleMatrix shows rules as a table of resources and operations, in each cell the scopes there
// are. Who may change it gives only rules that he holds.
export function RuleMatrix({ rules, chosen, change }: Props) {
  const t = useText();
  const narrow = useNarrow();
  const [sought, seek] = useState("");
  const held = new Set(chosen);
  const word = sought.trim().toLowerCase();
  const fits = (rule: Rule) => !word || `${rule.name} ${rule.operation} ${rule.scope} ${rule.description ?? ""} ${t.roles.resources[rule.name] ?? ""} ${t.roles.operations[rule.operation]} ${t.roles.scopes[rule.scope]}`.toLowerCase().includes(word);
  const shown = rules.filter(fits);
  const resources = [...new Set(shown.map((rule) => rule.name))];
  const cell: Cell = (resource, operation) =>
    shown
      .filter((rule) => rule.name === resource && rule.operation === operation)
      .toSorted((a, b) => scopes.indexOf(a.scope) - scopes.indexOf(b.scope))
      .map((rule) => (
        <Scope key={rule.id} rule={rule} held={held.has(rule.id)} change={change && (() => change(held.has(rule.id) ? chosen.filter((id) => id !== rule.id) : [...chosen, rule.id]))} />
      ));
  return (
    <>
      <Group justify="space-between">
        <TextInput aria-label={t.roles.search} placeholder={t.roles.search} leftSection={<IconSearch size={16} />} value={sought} onChange={(event) => seek(event.currentTarget.value)} miw={220} />
        <Text fz="sm" c="dimmed" aria-live="polite">
          {t.roles.count(chosen.length, rules.length)}
        </Text>
      </Group>
      {narrow ? <Blocks resources={resources} cell={cell} /> : <Grid resources={resources} cell={cell} />}
      {shown.length === 0 && (
        <Text fz="sm" c="dimmed">
          {t.common.nothingFound}
        </Text>
      )}
    </>
  );
}

type Shown = { resources: string[]; cell: Cell };

function Grid({ resources, cell }: Shown) {
  const t = useText();
  return (
    <Table.ScrollContainer type="native" minWidth={640} tabIndex={0} aria-label={t.roles.rules}>
      <Table withRowBorders>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.roles.resource}</Table.Th>
            {operations.map((operation) => (
              <Table.Th key={operation}>{t.roles.operations[operation]}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {resources.map((resource) => (
            <Table.Tr key={resource}>
              <Table.Th scope="row" className={css.resource}>
                {t.roles.resources[resource] ?? resource}
              </Table.Th>
              {operations.map((operation) => (
                <Table.Td key={operation} valign="top">
                  {cell(resource, operation)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

// Blocks are the table on a telephone: the operations of each resource two by two.
function Blocks({ resources, cell }: Shown) {
  const t = useText();
  return (
    <Stack gap="md">
      {resources.map((resource) => (
        <div key={resource} className={css.block}>
          <Text fz="sm" className={css.resource}>
            {t.roles.resources[resource] ?? resource}
          </Text>
          <SimpleGrid cols={2} spacing="sm" verticalSpacing={6}>
            {operations.map((operation) => {
              const there = cell(resource, operation);
              return (
                there.length > 0 && (
                  <div key={operation}>
                    <Text fz="xs" c="dimmed">
                      {t.roles.operations[operation]}
                    </Text>
                    {there}
                  </div>
                )
              );
            })}
          </SimpleGrid>
        </div>
      ))}
    </Stack>
  );
}

// Scope is one rule: how far an operation reaches.
function Scope({ rule, held, change }: { rule: Rule; held: boolean; change: (() => void) | undefined }) {
  const t = useText();
  const { may } = useRights();
  const mine = may(rule.name as never, rule.operation, rule.scope);
  return (
    <Tooltip label={mine || !change ? rule.description : t.roles.notHeld} disabled={!rule.description} multiline maw={300}>
      <Checkbox
        className={css.scope}
        size="xs"
        label={t.roles.scopes[rule.scope]}
        checked={held}
        disabled={Boolean(change) && !mine}
        aria-label={`${t.roles.resources[rule.name] ?? rule.name}: ${t.roles.operations[rule.operation]}, ${t.roles.scopes[rule.scope]}`}
        readOnly={!change}
        onChange={() => change?.()}
      />
    </Tooltip>
  );
}
