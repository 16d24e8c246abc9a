import { Group, Pagination, Text } from "@mantine/core";
import { useText } from "../text";

type Props = { page: number; size: number; total: number; go: (page: number) => void };

// Pages walks through a list that the server gives in pages.
export function Pages({ page, size, total, go }: Props) {
  const t = useText();
  const last = Math.max(1, Math.ceil(total / size));
  return (
    <Group gap="md">
      <Text fz="sm" c="dimmed" aria-live="polite">
        {t.common.rows(Math.min(total, (page - 1) * size + 1), Math.min(total, page * size), total)}
      </Text>
      {last > 1 && (
        <Pagination
          size="sm"
          total={last}
          value={page}
          onChange={go}
          siblings={1}
          boundaries={1}
          getItemProps={(n) => ({ "aria-label": t.common.page(n) })}
          getControlProps={(control) => ({ "aria-label": control === "next" ? t.common.next : t.common.previous })}
        />
      )}
    </Group>
  );
}
