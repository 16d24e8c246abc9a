import { Alert, Button, Code, Group, ScrollArea, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { IconDownload, IconFileUnknown, IconSnowflake } from "@tabler/icons-react";
import { lazy, Suspense, useMemo, useState } from "react";
import type { Payload } from "../../crypto/payload";
import { save, sizeText } from "../../parts/save";
import { useLanguage, useText } from "../../text";
import { DataTable } from "./DataTable";
import { JsonTree } from "./JsonTree";
import { Sealed } from "./Sealed";
import { figuresIn, gridsIn } from "./shape";
import { useOpened } from "./useOpened";

const FigureChart = lazy(() => import("./FigureChart"));

type Props = {
  stored: string | null; // as the server keeps it
  name: string; // of the file that a download makes
  owner: number | null; // the organization that can decrypt it
};

// PayloadView shows what an input or result holds. Whatever it is, it is shown as text and never run.
export function PayloadView({ stored, name, owner }: Props) {
  const opened = useOpened(stored, owner);
  if (opened.sealed) return <Sealed opened={opened} stored={stored ?? ""} name={name} />;
  return <Open payload={opened.payload} name={name} />;
}

function Open({ payload, name }: { payload: Payload; name: string }) {
  const t = useText();
  switch (payload.kind) {
    case "json":
      return <Json value={payload.value} name={name} bytes={payload.bytes} />;
    case "text":
      return (
        <Stack gap="xs">
          <Plain text={payload.text} />
          <Downloads name={`${name}.txt`} bytes={payload.bytes} type="text/plain" />
        </Stack>
      );
    case "pickle":
      return (
        <Alert variant="light" color="gray" icon={<IconSnowflake />} title={t.results.pickle}>
          <Stack gap="xs">
            <Text fz="sm">{t.results.pickleText}</Text>
            <Downloads name={`${name}.pickle`} bytes={payload.bytes} />
          </Stack>
        </Alert>
      );
    case "bytes":
      return (
        <Alert variant="light" color="gray" icon={<IconFileUnknown />} title={t.results.binary}>
          <Downloads name={`${name}.bin`} bytes={payload.bytes} />
        </Alert>
      );
    default:
      return (
        <Text c="dimmed" fz="sm">
          {t.tasks.result.none}
        </Text>
      );
  }
}

type View = "table" | "chart" | "tree" | "text";

const mostBars = 2; // figures that are worth a chart, at least

function Json({ value, name, bytes }: { value: unknown; name: string; bytes: Uint8Array<ArrayBuffer> }) {
  const t = useText();
  const grids = useMemo(() => gridsIn(value), [value]);
  const figures = useMemo(() => figuresIn(value), [value]);
  const views: View[] = [...(grids.length > 0 ? ["table" as const] : []), ...(figures.length >= mostBars ? ["chart" as const] : []), "tree", "text"];
  const [chosen, setChosen] = useState<View>();
  const [grid, setGrid] = useState(0);
  const view = chosen ?? (grids[0]?.path === "" ? "table" : "tree");
  const shownGrid = grids[grid] ?? grids[0];
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <SegmentedControl size="xs" aria-label={t.results.view} value={view} onChange={(next) => setChosen(next as View)} data={views.map((one) => ({ value: one, label: t.results.as[one] }))} />
          {view === "table" && grids.length > 1 && (
            <Select size="xs" w={180} allowDeselect={false} aria-label={t.results.as.table} value={String(grid)} onChange={(next) => setGrid(Number(next))} data={grids.map((one, i) => ({ value: String(i), label: one.path }))} />
          )}
        </Group>
        <Downloads name={`${name}.json`} bytes={stripped(bytes)} type="application/json" />
      </Group>
      {view === "table" && shownGrid && <DataTable key={shownGrid.path} grid={shownGrid} name={name} />}
      {view === "chart" && (
        <Suspense fallback={null}>
          <FigureChart figures={figures} />
        </Suspense>
      )}
      {view === "tree" && <JsonTree value={value} />}
      {view === "text" && <Plain text={JSON.stringify(value, undefined, 2)} />}
    </Stack>
  );
}

// stripped takes the word off that the Python client writes before JSON.
const stripped = (bytes: Uint8Array<ArrayBuffer>) => (new TextDecoder().decode(bytes.subarray(0, 5)) === "json." ? bytes.slice(5) : bytes);

const mostText = 100_000; // characters that are shown

function Plain({ text }: { text: string }) {
  const t = useText();
  const { locale } = useLanguage();
  return (
    <Stack gap={4}>
      <ScrollArea.Autosize mah={420} type="auto">
        <Code block fz="xs" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {text.slice(0, mostText)}
        </Code>
      </ScrollArea.Autosize>
      {text.length > mostText && (
        <Text fz="xs" c="dimmed">
          {t.results.tooLong(sizeText(text.length, locale))}
        </Text>
      )}
    </Stack>
  );
}

export function Downloads({ name, bytes, type }: { name: string; bytes: Uint8Array<ArrayBuffer>; type?: string }) {
  const t = useText();
  const { locale } = useLanguage();
  return (
    <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />} onClick={() => save(name, bytes, type)} w="fit-content">
      {t.results.download} ({sizeText(bytes.length, locale)})
    </Button>
  );
}
