import { Checkbox, Group, Table, Text, TextInput, Tooltip } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useRights } from "../../api/rights";
import type { Rule } from "../../api/roles";
import { useText } from "../../text";
import css from "./RuleMatrix.module.css";

type Props = { rules: Rule[]; chosen: number[]; change?: (ids: number[]) => void };

const operations = ["VIEW", "EDIT", "CREATE", "DELETE"] as const;

// RuleMatrix shows rules as a table of resources and operations, in each cell the scopes there
// are. Who may change it gives only rules that he holds.
export function RuleMatrix({ rules, chosen, change }: Props) {
  const t = useText();
  const { may } = useRights();
  const [sought, seek] = useState("");
  const held = new Set(chosen);
  const word = sought.trim().toLowerCase();
  const fits = (rule: Rule) => !word || `${rule.name} ${rule.operation} ${rule.scope} ${rule.description ?? ""} ${t.roles.resources[rule.name] ?? ""} ${t.roles.operations[rule.operation]} ${t.roles.scopes[rule.scope]}`.toLowerCase().includes(word);
  const shown = rules.filter(fits);
  const resources = [...new Set(shown.map((rule) => rule.name))];
  return (
    <>
      <Group justify="space-between">
        <TextInput aria-label={t.roles.search} placeholder={t.roles.search} leftSection={<IconSearch size={16} />} value={sought} onChange={(event) => seek(event.currentTarget.value)} miw={220} />
        <Text fz="sm" c="dimmed" aria-live="polite">
          {t.roles.count(chosen.length, rules.length)}
        </Text>
      </Group>
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
                    {shown
                      .filter((rule) => rule.name === resource && rule.operation === operation)
                      .map((rule) => {
                        const mine = may(resource as never, operation, rule.scope);
                        return (
                          <Tooltip key={rule.id} label={mine || !change ? rule.description : t.roles.notHeld} disabled={!rule.description} multiline maw={300}>
                            <Checkbox
                              my={4}
                              size="xs"
                              label={t.roles.scopes[rule.scope]}
                              checked={held.has(rule.id)}
                              disabled={Boolean(change) && !mine}
                              aria-label={`${t.roles.resources[resource] ?? resource}: ${t.roles.operations[operation]}, ${t.roles.scopes[rule.scope]}`}
                              readOnly={!change}
                              onChange={() => change?.(held.has(rule.id) ? chosen.filter((id) => id !== rule.id) : [...chosen, rule.id])}
                            />
                          </Tooltip>
                        );
                      })}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {shown.length === 0 && (
        <Text fz="sm" c="dimmed">
          {t.common.nothingFound}
        </Text>
      )}
    </>
  );
}
