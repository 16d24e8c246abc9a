import { Box, Text, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";
import { useText } from "../../text";
import css from "./JsonTree.module.css";

// JsonTree shows a JSON value; what has parts can be opened, and long lists come piece by piece.
export function JsonTree({ value }: { value: unknown }) {
  return (
    <Box className={css.tree}>
      <Value value={value} open />
    </Box>
  );
}

const piece = 100;

function Value({ name, value, open: first = false }: { name?: string; value: unknown; open?: boolean }) {
  const t = useText();
  const [open, setOpen] = useState(first);
  const [shown, setShown] = useState(piece);
  if (typeof value !== "object" || value === null) {
    return (
      <div className={css.line}>
        <span className={css.space} />
        {name !== undefined && <span className={css.name}>{name}</span>}
        <Leaf value={value} />
      </div>
    );
  }
  const parts = Object.entries(value);
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <div>
      <UnstyledButton className={css.line} onClick={() => setOpen(!open)} aria-expanded={open}>
        <Chevron size={14} className={css.space} />
        {name !== undefined && <span className={css.name}>{name}</span>}
        <Text span inherit c="dimmed">
          {Array.isArray(value) ? "[ ]" : "{ }"} {t.results.items(parts.length)}
        </Text>
      </UnstyledButton>
      {open && (
        <div className={css.inner}>
          {parts.slice(0, shown).map(([key, inner]) => (
            <Value key={key} name={key} value={inner} open={first && parts.length <= 8} />
          ))}
          {parts.length > shown && (
            <UnstyledButton className={css.line} c="var(--v-link)" onClick={() => setShown(shown + 10 * piece)}>
              <span className={css.space} />
              {t.results.moreItems(parts.length - shown)}
            </UnstyledButton>
          )}
        </div>
      )}
    </div>
  );
}

function Leaf({ value }: { value: unknown }) {
  const kind = value === null ? "null" : typeof value;
  return (
    <span className={css.leaf} data-kind={kind}>
      {typeof value === "string" ? `"${value}"` : String(value)}
    </span>
  );
}
