import { Box, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

type Props = {
  title: string;
  about?: ReactNode; // a line below the title
  actions?: ReactNode; // beside it
  children: ReactNode;
};

// Page is the frame of a screen: its title, which is that of the browser's tab as well, what
// can be done on it, and what it shows.
export function Page({ title, about, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · vserver`;
  }, [title]);
  return (
    <Stack gap="lg" maw={1360} mx="auto">
      <Group justify="space-between" align="flex-start" gap="sm">
        <Box miw={0}>
          <Title order={1} style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {about && (
            <Text component="div" c="dimmed" fz="sm" mt={4}>
              {about}
            </Text>
          )}
        </Box>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
