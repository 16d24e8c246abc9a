import { Paper, Stack, Text, Title } from "@mantine/core";
import { type Icon, IconInbox } from "@tabler/icons-react";
import type { ReactNode } from "react";

type Props = { title: string; icon?: Icon; children?: ReactNode; action?: ReactNode };

// Empty stands where there is nothing to show, and says what to do next.
export function Empty({ title, icon: Picture = IconInbox, children, action }: Props) {
  return (
    <Paper py={48}>
      <Stack align="center" gap={8} maw={440} mx="auto" ta="center">
        <Picture size={40} stroke={1.2} color="var(--v-idle)" />
        <Title order={2}>{title}</Title>
        {children && (
          <Text c="dimmed" fz="sm">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Paper>
  );
}
