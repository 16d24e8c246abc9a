import { Button, Group, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconArrowDown, IconArrowsSort, IconArrowUp, IconDownload, IconSearch } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { save } from "../../parts/save";
import { useLanguage, useText } from "../../text";
import css from "./DataTable.module.css";
import { type Cell, csvOf, type Grid } from "./shape";

const height = 30; // pixels of a row
const searchFrom = 10; // rows

type Sort = { column: number; down: boolean };

// DataTable shows a table of any length: only the rows in sight are drawn.
export function DataTable({ grid, name }: { grid: Grid; name: string }) {
  const t = useText();
  const [sort, setSort] = useState<Sort>();
  const [asked, setAsked] = useState("");
  const [wanted] = useDebouncedValue(asked.toLowerCase(), 150);
  const frame = useRef<HTMLDivElement>(null);
  const order = useMemo(() => arrange(grid, sort, wanted), [grid, sort, wanted]);
  const rows = useVirtualizer({ count: order.length, getScrollElement: () => frame.current, estimateSize: () => height, overscan: 12 });
  const drawn = rows.getVirtualItems();
  const columns = grid.index ? ["", ...grid.columns] : grid.columns;
  const cells = (row: number) => (grid.index ? [grid.index[row]!, ...grid.rows[row]!] : grid.rows[row]!);
  return (
    <div>
      <Group justify="space-between" mb={6} gap="xs">
        <Group gap="sm">
          {grid.rows.length >= searchFrom && (
            <TextInput size="xs" leftSection={<IconSearch size={14} />} placeholder={t.results.filterRows} aria-label={t.results.filterRows} value={asked} onChange={(event) => setAsked(event.currentTarget.value)} />
          )}
          <Text fz="xs" c="dimmed" aria-live="polite">
            {t.results.rows(order.length)}
          </Text>
        </Group>
        <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />} onClick={() => save(`${name}.csv`, csvOf(grid), "text/csv")}>
          {t.results.csv}
        </Button>
      </Group>
      {/* A table that scrolls has to be reachable by keyboard. */}
      <div ref={frame} className={css.frame} tabIndex={0} role="region" aria-label={t.results.as.table}>
        <table className={css.table} aria-rowcount={order.length + 1}>
          <thead>
            <tr>
              {columns.map((column, i) => (
                <th key={`${i} ${column}`} aria-sort={sort?.column === i ? (sort.down ? "descending" : "ascending") : undefined}>
                  <UnstyledButton className={css.sort} aria-label={t.results.sortBy(column)} onClick={() => setSort({ column: i, down: sort?.column === i ? !sort.down : false })}>
                    {column}
                    {sort?.column === i ? sort.down ? <IconArrowDown size={13} /> : <IconArrowUp size={13} /> : <IconArrowsSort size={13} opacity={0.35} />}
                  </UnstyledButton>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(drawn[0]?.start ?? 0) > 0 && <tr style={{ height: drawn[0]!.start }} />}
            {drawn.map(({ index }) => (
              <tr key={index} style={{ height }}>
                {cells(order[index]!).map((cell, i) => (
                  <Value key={columns[i]! + String(i)} cell={cell} />
                ))}
              </tr>
            ))}
            {drawn.length > 0 && rows.getTotalSize() > drawn.at(-1)!.end && <tr style={{ height: rows.getTotalSize() - drawn.at(-1)!.end }} />}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Value({ cell }: { cell: Cell }) {
  const { locale } = useLanguage();
  if (typeof cell === "number") return <td className={css.number}>{Number.isInteger(cell) ? cell.toLocaleString(locale, { useGrouping: false }) : cell.toLocaleString(locale, { maximumSignificantDigits: 8, useGrouping: false })}</td>;
  const text = cell === null ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell);
  return <td title={text.length > 40 ? text : undefined}>{text}</td>;
}

// arrange gives the numbers of the rows that fit, in order.
function arrange(grid: Grid, sort: Sort | undefined, wanted: string): number[] {
  const all = grid.rows.map((_, i) => i);
  const cellOf = (row: number, column: number): Cell => (grid.index ? (column === 0 ? grid.index[row]! : grid.rows[row]![column - 1]!) : grid.rows[row]![column]!);
  const fit = wanted ? all.filter((row) => grid.rows[row]!.some((cell) => String(cell ?? "").toLowerCase().includes(wanted)) || grid.index?.[row]?.toLowerCase().includes(wanted)) : all;
  if (!sort) return fit;
  const sign = sort.down ? -1 : 1;
  return fit.toSorted((a, b) => sign * compare(cellOf(a, sort.column), cellOf(b, sort.column)));
}

function compare(a: Cell, b: Cell): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
