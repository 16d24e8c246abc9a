import { Group, Text } from "@mantine/core";
import { place } from "../place";

export function Brand({ size = 28 }: { size?: number }) {
  return (
    <Group gap={10} wrap="nowrap">
      <img src={`${place.server}/static/icon.svg`} alt="" width={size} height={size} />
      <Text component="span" fw={700} fz={size > 30 ? "xl" : "md"} lts={-0.2}>
        vserver
      </Text>
    </Group>
  );
}
