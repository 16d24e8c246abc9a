import { Paper, SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";

// Facts are names with values, side by side where there is room.
export function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <Paper>
      <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 3 }} spacing="lg" m={0}>
        {of.map(([name, value]) => (
          <div key={name}>
            <Text component="dt" fz="xs" c="dimmed">
              {name}
            </Text>
            <Text component="dd" m={0} fz="sm" style={{ overflowWrap: "anywhere" }}>
              {value ?? "–"}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Paper>
  );
}
