import { Alert, Stack, Text } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useText } from "../../text";
import { KeyButton } from "./KeyButton";
import { Downloads } from "./PayloadView";
import type { Opened } from "./useOpened";

// Sealed stands for what is encrypted and for which there is no key yet.
export function Sealed({ opened, stored, name }: { opened: Opened; stored: string; name: string }) {
  const t = useText();
  return (
    <Alert variant="light" color={opened.failed ? "red" : "gray"} icon={<IconLock />} title={opened.owner?.name ? t.results.sealedFor(opened.owner.name) : t.overview.encrypted}>
      <Stack gap="xs">
        <Text fz="sm">{opened.failed ? t.results.decryptFailed : t.results.sealed}</Text>
        <KeyButton owner={opened.owner}>
          <Downloads name={`${name}.encrypted`} bytes={new TextEncoder().encode(stored)} />
        </KeyButton>
      </Stack>
    </Alert>
  );
}
