import { Button, Group, Modal, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { useText } from "../text";
import { ProblemNote } from "./Problems";

type Props = {
  opened: boolean;
  title: string;
  button?: string;
  close: () => void;
  submit: (event?: React.FormEvent<HTMLFormElement>) => void;
  act: { isPending: boolean; error: unknown };
  wide?: boolean;
  children: ReactNode;
};

// EditForm is a dialog with fields. A click beside it does not close it, so that nothing typed is lost.
export function EditForm({ opened, title, button, close, submit, act, wide, children }: Props) {
  const t = useText();
  return (
    <Modal opened={opened} onClose={close} title={title} closeOnClickOutside={false} size={wide ? "xl" : "md"} closeButtonProps={{ "aria-label": t.common.close }}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {children}
          <ProblemNote problem={act.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t.common.cancel}
            </Button>
            <Button type="submit" loading={act.isPending}>
              {button ?? t.common.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
