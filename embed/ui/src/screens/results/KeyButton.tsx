import { Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { Organization } from "../../api/organizations";
import { addKey, fitting } from "../../crypto/keys";
import { useText } from "../../text";

type Props = { owner: Organization | undefined; children?: ReactNode };

// KeyButton reads a private key from a file and says at once whether it is that of the organization. Further
// buttons stand beside it, what it says below them.
export function KeyButton({ owner, children }: Props) {
  const t = useText();
  const [said, setSaid] = useState<{ text: string; good: boolean }>();
  const choose = async (file: File | null) => {
    if (!file) return;
    try {
      const key = await addKey(file);
      if (!owner) return setSaid(undefined);
      const name = owner.name ?? "";
      if (!owner.public_key) return setSaid({ text: t.results.noKeyStored(name), good: false });
      const fits = await fitting([key], owner.public_key);
      return setSaid(fits ? { text: t.results.keyFits(file.name, name), good: true } : { text: t.results.keyUnfit(file.name, name), good: false });
    } catch {
      return setSaid({ text: t.results.keyWrong, good: false });
    }
  };
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <FileButton onChange={(file) => void choose(file)} accept=".pem,.key,application/x-pem-file" inputProps={{ "aria-label": t.results.needKey }}>
          {(props) => (
            <Button {...props} size="compact-sm" leftSection={<IconKey size={14} />} w="fit-content">
              {t.results.needKey}
            </Button>
          )}
        </FileButton>
        {children}
      </Group>
      <Text fz="xs" c={said ? (said.good ? "var(--v-good)" : "var(--v-bad)") : "dimmed"} role="status">
        {said?.text ?? t.results.keyHint}
      </Text>
    </Stack>
  );
}
