import { Paper, Stack, Table, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useText } from "../text";
import { Empty } from "./Empty";
import { Pages } from "./Pages";

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
  const [sought, seek] = useState("");
  const [asked, go] = useState(1);
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const page = Math.min(asked, Math.max(1, Math.ceil(found.length / size)));
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
                  {found.slice((page - 1) * size, page * size).map((row) => (
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
          {found.length > size && <Pages page={page} size={size} total={found.length} go={go} />}
        </>
      )}
    </Stack>
  );
}
