import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useText } from "../text";
import { ProblemNote } from "./Problems";

type Props = {
  opened: boolean;
  title: string;
  text: string;
  button: string;
  close: () => void;
  act: { mutate: () => void; isPending: boolean; error: unknown };
};

// Sure asks once more before what cannot be taken back.
export function Sure({ opened, title, text, button, close, act }: Props) {
  const t = useText();
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ "aria-label": t.common.close }}>
      <Stack>
        <Text fz="sm">{text}</Text>
        <ProblemNote problem={act.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {t.common.cancel}
          </Button>
          <Button color="red.8" loading={act.isPending} onClick={() => act.mutate()}>
            {button}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
