// The buttons that every screen of one thing has: change it, delete it.
import { Button } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useText } from "../text";
import { Allowed } from "./Allowed";

type Props = { path: string; label?: string; onClick: () => void; disabled?: boolean };

// EditButton stands for PATCH of what is at the path.
export function EditButton({ path, label, ...rest }: Props & { label: string }) {
  return (
    <Allowed method="PATCH" path={path}>
      <Button variant="default" leftSection={<IconPencil size={16} />} {...rest}>
        {label}
      </Button>
    </Allowed>
  );
}

// DeleteButton stands for DELETE of what is at the path.
export function DeleteButton({ path, label, ...rest }: Props) {
  const t = useText();
  return (
    <Allowed method="DELETE" path={path}>
      <Button variant="default" c="var(--v-bad)" leftSection={<IconTrash size={16} />} {...rest}>
        {label ?? t.common.delete}
      </Button>
    </Allowed>
  );
}
