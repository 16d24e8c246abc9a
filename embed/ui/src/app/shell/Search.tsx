import { ActionIcon, Kbd, Text, UnstyledButton } from "@mantine/core";
import { Spotlight, spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useRights } from "../../api/rights";
import { useText } from "../../text";
import { menu } from "../screens";
import css from "./Search.module.css";

export function SearchButton() {
  const t = useText();
  return (
    <>
      <UnstyledButton className={css.button} onClick={spotlight.open} visibleFrom="sm">
        <IconSearch size={15} stroke={1.8} />
        <Text span fz="sm" c="dimmed">
          {t.common.searchHint}
        </Text>
        <Kbd size="xs" aria-hidden>Ctrl K</Kbd>
      </UnstyledButton>
      <ActionIcon variant="subtle" color="gray" size="lg" onClick={spotlight.open} hiddenFrom="sm" aria-label={t.common.search}>
        <IconSearch size={18} stroke={1.8} />
      </ActionIcon>
    </>
  );
}

// Search jumps to every screen by its name.
export function Search() {
  const t = useText();
  const rights = useRights();
  const navigate = useNavigate();
  const screens = menu
    .filter((entry) => entry.offered(rights))
    .map((entry) => ({
      id: entry.to,
      label: entry.label(t),
      leftSection: <entry.icon size={18} stroke={1.6} />,
      onClick: () => void navigate({ to: entry.to }),
    }));
  return (
    <Spotlight
      actions={screens}
      shortcut={["mod + K", "/"]}
      nothingFound={t.common.nothingFound}
      highlightQuery
      searchProps={{ leftSection: <IconSearch size={18} />, placeholder: t.common.searchHint, "aria-label": t.common.search }}
    />
  );
}
