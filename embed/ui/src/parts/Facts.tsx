import { Paper, SimpleGrid, type SimpleGridProps, Text } from "@mantine/core";
import type { ReactNode } from "react";

type Props = { of: [string, ReactNode][]; cols?: SimpleGridProps["cols"]; children?: ReactNode };

// Facts are names with values, side by side where there is room, and what belongs below them.
export function Facts({ of, cols = { base: 1, xs: 2, md: 3 }, children }: Props) {
  return (
    <Paper>
      <SimpleGrid component="dl" cols={cols} spacing="lg" verticalSpacing="sm" m={0}>
        {of.map(([name, value]) => (
          <div key={name} style={{ minWidth: 0 }}>
            <Text component="dt" fz="xs" c="dimmed">
              {name}
            </Text>
            <Text component="dd" m={0} fz="sm" style={{ overflowWrap: "anywhere" }}>
              {value ?? "–"}
            </Text>
          </div>
        ))}
      </SimpleGrid>
      {children}
    </Paper>
  );
}
