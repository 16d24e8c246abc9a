import { Group, Paper, Stack, Table, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useDeferredValue, useState } from "react";
import { useText } from "../text";
import { Empty } from "./Empty";
import { Pages } from "./Pages";
import { useNarrow } from "./useNarrow";

export type Column<T> = { label: string; width?: number; show: (row: T) => ReactNode };

type Props<T> = {
  label: string;
  rows: T[];
  columns: Column<T>[];
  textOf: (row: T) => string; // what the search looks at
  minWidth?: number;
  beside?: ReactNode; // further filters
};

const size = 50;

// Listing is a table of a list that is there as a whole: searched and shown in pages here.
export function Listing<T extends { id: number }>({ label, rows, columns, textOf, minWidth = 760, beside }: Props<T>) {
  const t = useText();
  const narrow = useNarrow();
  const [sought, seek] = useState("");
  const [asked, go] = useState(1);
  const found = useFound(rows, sought, textOf);
  const page = Math.min(asked, Math.max(1, Math.ceil(found.length / size)));
  const shown = found.slice((page - 1) * size, page * size);
  return (
    <Stack gap="md">
      <Stack gap="sm">
        <TextInput
          aria-label={t.common.searchIn(label)}
          placeholder={t.common.search}
          leftSection={<IconSearch size={16} />}
          maw={420}
          value={sought}
          onChange={(event) => seek(event.currentTarget.value)}
        />
        {beside}
      </Stack>
      {found.length === 0 ? (
        <Empty title={t.common.nothingFound} />
      ) : (
        <>
          {narrow ? <Cards label={label} rows={shown} columns={columns} /> : <Rows label={label} rows={shown} columns={columns} minWidth={minWidth} />}
          {found.length > size && <Pages page={page} size={size} total={found.length} go={go} />}
        </>
      )}
    </Stack>
  );
}

// useFound gives the rows that have all the words. Typing goes before searching, so that ten thousand rows
// do not hold up the next letter.
function useFound<T>(rows: T[], sought: string, textOf: (row: T) => string): T[] {
  const wanted = useDeferredValue(sought);
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows; // without a text of each
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

type Shown<T> = { label: string; rows: T[]; columns: Column<T>[] };

function Rows<T extends { id: number }>({ label, rows, columns, minWidth }: Shown<T> & { minWidth: number }) {
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
                    {column.show(row)}
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
          {rest.map((column) => (
            <Group key={column.label} justify="space-between" wrap="nowrap" gap="md" mt={4} align="flex-start">
              <Text fz="xs" c="dimmed" lh={1.7}>
                {column.label}
              </Text>
              <Text component="div" fz="sm" ta="right" style={{ overflowWrap: "anywhere", minWidth: 0 }}>
                {column.show(row)}
              </Text>
            </Group>
          ))}
        </Paper>
      ))}
    </Stack>
  );
}
