import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconFileDownload } from "@tabler/icons-react";
import { save } from "../../parts/save";
import { Secret } from "../../parts/Secret";
import { useText } from "../../text";
import { fileName, nodeConfig } from "./config";

type Props = { id: number; name: string | null | undefined; apiKey: string; encrypted: boolean };

// NodeKey shows the key of a node, this once, with the file that the node starts with.
export function NodeKey({ id, name, apiKey, encrypted }: Props) {
  const t = useText();
  const file = fileName(name, id);
  return (
    <Stack gap="xs" align="stretch">
      <Secret label={t.nodes.keyOf(name ?? String(id))} value={apiKey} />
      <Button variant="default" leftSection={<IconFileDownload size={16} />} onClick={() => save(`${file}.yaml`, nodeConfig({ key: apiKey, file, encrypted }), "application/yaml")}>
        {t.nodes.configFile}
      </Button>
    </Stack>
  );
}

// NodeKeyDialog shows the key of a node until somebody says that it is kept: nothing else closes it.
export function NodeKeyDialog({ opened, title, close, ...node }: Props & { opened: boolean; title: string; close: () => void }) {
  const t = useText();
  return (
    <Modal opened={opened} onClose={close} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} title={title}>
      <Stack>
        <Text fz="sm">{t.nodes.once}</Text>
        <NodeKey {...node} />
        <Group justify="flex-end">
          <Button onClick={close}>{t.nodes.kept}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
