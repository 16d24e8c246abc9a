// What kind of shape a JSON value has: whether it can be shown as a table or a chart.

export type Cell = string | number | boolean | null | object;
export type Grid = { path: string; columns: string[]; rows: Cell[][]; index?: string[] };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const mostColumns = 200;

// gridsIn are the tables in a value: itself, or what stands right below it.
export function gridsIn(value: unknown): Grid[] {
  const whole = gridOf(value, "");
  if (whole) return [whole];
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => gridOf(inner, name) ?? []);
}

function gridOf(value: unknown, path: string): Grid | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : (fromRecords(value, path) ?? fromLists(value, path));
  if (isObject(value)) return fromColumns(value, path) ?? fromIndexed(value, path);
  return undefined;
}

// fromRecords is a list of objects, a row each.
function fromRecords(value: unknown[], path: string): Grid | undefined {
  if (!value.every(isObject)) return undefined;
  const columns = [...new Set(value.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0 || columns.length > mostColumns) return undefined;
  return { path, columns, rows: value.map((row) => columns.map((column) => (row[column] ?? null) as Cell)) };
}

// fromLists is a list of lists of the same length.
function fromLists(value: unknown[], path: string): Grid | undefined {
  if (!value.every(Array.isArray)) return undefined;
  const width = (value[0] as unknown[]).length;
  if (width === 0 || width > mostColumns || value.some((row) => (row as unknown[]).length !== width)) return undefined;
  return { path, columns: Array.from({ length: width }, (_, i) => String(i + 1)), rows: value as Cell[][] };
}

// fromColumns is an object of lists of the same length, a column each.
function fromColumns(value: Record<string, unknown>, path: string): Grid | undefined {
  const columns = Object.keys(value);
  const lists = Object.values(value);
  if (columns.length < 2 || columns.length > mostColumns || !lists.every(Array.isArray)) return undefined;
  const height = (lists[0] as unknown[]).length;
  if (height < 2 || lists.some((list) => (list as unknown[]).length !== height)) return undefined;
  return { path, columns, rows: Array.from({ length: height }, (_, i) => lists.map((list) => ((list as unknown[])[i] ?? null) as Cell)) };
}

// fromIndexed is an object of objects with the same keys, as pandas writes a data frame: a column each.
function fromIndexed(value: Record<string, unknown>, path: string): Grid | undefined {
  const columns = Object.keys(value);
  const inner = Object.values(value);
  if (columns.length < 1 || columns.length > mostColumns || !inner.every(isObject)) return undefined;
  const index = Object.keys(inner[0] as object);
  if (index.length < 1 || inner.some((one) => Object.keys(one as object).join("\n") !== index.join("\n"))) return undefined;
  if (columns.length === 1 && index.length === 1) return undefined;
  return { path, columns, index, rows: index.map((key) => inner.map((one) => ((one as Record<string, unknown>)[key] ?? null) as Cell)) };
}

export type Figure = { name: string; value: number };

const mostFigures = 60;

// figuresIn are the numbers of a value by name, two levels deep.
export function figuresIn(value: unknown, depth = 2): Figure[] {
  if (typeof value === "number") return [{ name: "", value }];
  if (Array.isArray(value)) return value.every((one) => typeof one === "number") ? value.slice(0, mostFigures).map((one, i) => ({ name: String(i + 1), value: one as number })) : [];
  if (!isObject(value) || depth === 0) return [];
  const found = Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === "number" ? [{ name, value: inner }] : isObject(inner) ? figuresIn(inner, depth - 1).map((one) => ({ name: `${name}.${one.name}`, value: one.value })) : [],
  );
  return found.slice(0, mostFigures);
}

// csvOf writes a table as CSV (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe.
export function csvOf(grid: Grid): string {
  const cell = (value: Cell | undefined) => {
    let text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (cells: (Cell | undefined)[]) => `${cells.map(cell).join(",")}\r\n`;
  const head = grid.index ? ["", ...grid.columns] : grid.columns;
  return line(head) + grid.rows.map((row, i) => line(grid.index ? [grid.index[i], ...row] : row)).join("");
}
