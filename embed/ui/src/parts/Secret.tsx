import { ActionIcon, CopyButton, TextInput, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useText } from "../text";

// Secret shows a text that is shown this once, to be copied. Where the browser does not let a page
// copy, because the connection is not encrypted, the text can be selected all the same.
export function Secret({ label, value }: { label: string; value: string }) {
  const t = useText();
  const mayCopy = window.isSecureContext && Boolean(navigator.clipboard);
  return (
    <TextInput
      label={label}
      value={value}
      readOnly
      onFocus={(event) => event.currentTarget.select()}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      rightSection={
        mayCopy && (
          <CopyButton value={value}>
            {({ copied, copy }) => (
              <Tooltip label={copied ? t.common.copied : t.common.copy}>
                <ActionIcon variant="subtle" onClick={copy} aria-label={`${t.common.copy}: ${label}`}>
                  {copied ? <IconCheck size={16} color="var(--v-good)" /> : <IconCopy size={16} />}
                </ActionIcon>
              </Tooltip>
            )}
          </CopyButton>
        )
      }
    />
  );
}
