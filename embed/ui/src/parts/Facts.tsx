import { Paper, SimpleGrid, type SimpleGridProps, Text } from "@mantine/core";
import type { ReactNode } from "react";

export type Fact = [name: string, value: ReactNode, long?: boolean]; // a long one has the room of two

type Props = { of: Fact[]; cols?: SimpleGridProps["cols"]; children?: ReactNode };

// Facts are names with values, side by side where there is room, and what belongs below them.
export function Facts({ of, cols = { base: 2, md: 3 }, children }: Props) {
  return (
    <Paper>
      <SimpleGrid component="dl" cols={cols} spacing="lg" verticalSpacing="sm" m={0}>
        {of.map(([name, value, long]) => (
          <div key={name} style={{ minWidth: 0, gridColumn: long ? "span 2" : undefined }}>
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
