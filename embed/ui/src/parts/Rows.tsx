import { Group, Paper, Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useNarrow } from "./useNarrow";
import { usePieces } from "./usePieces";

// Column is what rows say in one place; prose is text in sentences, which stands by itself on a telephone.
export type Column<T> = { label: string; width?: number; prose?: boolean; show: (row: T) => ReactNode };

type Shown<T> = { label: string; rows: T[]; columns: Column<T>[] };

// Rows are a table, or on a telephone a card for each.
export function Rows<T extends { id: number }>({ minWidth = 760, rows, ...shown }: Shown<T> & { minWidth?: number }) {
  const narrow = useNarrow();
  const drawn = usePieces(rows);
  return narrow ? <Cards {...shown} rows={drawn} /> : <Lines {...shown} rows={drawn} minWidth={minWidth} />;
}

function Lines<T extends { id: number }>({ label, rows, columns, minWidth }: Shown<T> & { minWidth: number }) {
  return (
    <Paper p={0} style={{ overflow: "hidden" }}>
      <Table.ScrollContainer type="native" minWidth={minWidth} tabIndex={0} aria-label={label}>
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Table.Th key={column.label} w={column.width}>
                  {column.label}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.id}>
                {columns.map((column) => (
                  <Table.Td key={column.label} style={{ overflowWrap: "anywhere" }}>
                    {column.show(row) ?? "–"}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}

// Cards are the rows on a telephone: below the name stands what the further columns say.
function Cards<T extends { id: number }>({ label, rows, columns: [name, ...rest] }: Shown<T>) {
  return (
    <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: "none" }} aria-label={label}>
      {rows.map((row) => (
        <Paper component="li" key={row.id} p="sm">
          <div style={{ overflowWrap: "anywhere" }}>{name?.show(row)}</div>
          {rest.map((column) => (column.prose ? <Prose key={column.label}>{column.show(row)}</Prose> : <Said key={column.label} label={column.label}>{column.show(row)}</Said>))}
        </Paper>
      ))}
    </Stack>
  );
}

function Prose({ children }: { children: ReactNode }) {
  if (!children) return null;
  return (
    <Text fz="sm" c="dimmed" mt={2} style={{ overflowWrap: "anywhere" }}>
      {children}
    </Text>
  );
}

// Said is a line of a card: what it is about, and what is to be said.
export function Said({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="md" mt={4} align="flex-start">
      <Text fz="xs" c="dimmed" lh={1.7}>
        {label}
      </Text>
      <Text component="div" fz="sm" ta="right" style={{ overflowWrap: "anywhere", minWidth: 0 }}>
        {children}
      </Text>
    </Group>
  );
}
