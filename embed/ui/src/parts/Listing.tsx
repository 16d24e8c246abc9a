import { Group, Stack, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useDeferredValue, useState } from "react";
import { useText } from "../text";
import { Empty } from "./Empty";
import { Pages } from "./Pages";
import { type Column, Rows } from "./Rows";

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
  const found = useFound(rows, sought, textOf);
  const page = Math.min(asked, Math.max(1, Math.ceil(found.length / size)));
  const shown = found.slice((page - 1) * size, page * size);
  return (
    <Stack gap="md">
      <Group gap="sm">
        <TextInput
          aria-label={t.common.searchIn(label)}
          placeholder={t.common.search}
          leftSection={<IconSearch size={16} />}
          flex="1 1 260px"
          maw={420}
          value={sought}
          onChange={(event) => seek(event.currentTarget.value)}
        />
        {beside}
      </Group>
      {found.length === 0 ? (
        <Empty title={t.common.nothingFound} />
      ) : (
        <>
          <Rows label={label} rows={shown} columns={columns} minWidth={minWidth} />
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
