import { Button, FileButton, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";
import type { Organization } from "../../api/organizations";
import { addKey, fitting } from "../../crypto/keys";
import { useText } from "../../text";

// KeyButton reads a private key from a file and says at once whether it is that of the organization.
export function KeyButton({ owner }: { owner: Organization | undefined }) {
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
      <FileButton onChange={(file) => void choose(file)} accept=".pem,.key,application/x-pem-file" inputProps={{ "aria-label": t.results.needKey }}>
        {(props) => (
          <Button {...props} size="compact-sm" leftSection={<IconKey size={14} />} w="fit-content">
            {t.results.needKey}
          </Button>
        )}
      </FileButton>
      <Text fz="xs" c={said ? (said.good ? "var(--v-good)" : "var(--v-bad)") : "dimmed"} role="status">
        {said?.text ?? t.results.keyHint}
      </Text>
    </Stack>
  );
}
