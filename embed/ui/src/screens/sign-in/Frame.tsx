import { Anchor, Box, Group, Paper, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { health } from "../../api/server";
import { place } from "../../app/place";
import { Brand } from "../../app/shell/Brand";
import { LanguageChoice } from "../../parts/Choice";
import { useText } from "../../text";
import css from "./Frame.module.css";

// Frame is the page around all that is asked before somebody is in.
export function Frame({ children }: { children: ReactNode }) {
  const t = useText();
  useEffect(() => {
    document.title = `${t.signIn.title} · vserver`;
  }, [t]);
  return (
    <main className={css.page}>
      <Stack gap="lg" w="100%" maw={420}>
        <Stack gap={6}>
          <Brand size={40} />
          <Text c="dimmed" fz="sm">
            {t.common.purpose}
          </Text>
        </Stack>
        <Paper p="xl" radius="lg" shadow="xs">
          {children}
        </Paper>
        <ServerState />
        <Group justify="space-between" gap="xs">
          <Group gap="md">
            <Anchor fz="sm" href={`${place.server}/docs/`}>
              {t.common.menu.docs}
            </Anchor>
            <Anchor fz="sm" href={`${place.server}/apidocs/`}>
              {t.common.menu.api}
            </Anchor>
          </Group>
          <LanguageChoice />
        </Group>
      </Stack>
    </main>
  );
}

// ServerState names the server and says whether it works.
function ServerState() {
  const t = useText();
  const { data, isError } = useQuery({ ...health, retry: false });
  const [word, colour] = isError
    ? [t.signIn.away, "var(--v-bad)"]
    : data?.database === false
      ? [t.signIn.trouble, "var(--v-bad)"]
      : data
        ? [t.signIn.healthy, "var(--v-good)"]
        : [t.common.loading, "var(--v-idle)"];
  return (
    <Group gap={8} wrap="nowrap" role="status" fz="sm">
      <Box w={9} h={9} bg={colour} style={{ borderRadius: 9, flex: "none" }} />
      <Text fz="sm" truncate>
        <b>{location.host}</b>
      </Text>
      <Text fz="sm" c="dimmed" style={{ whiteSpace: "nowrap" }}>
        {word}
      </Text>
    </Group>
  );
}
