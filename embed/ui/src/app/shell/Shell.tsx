import { AppShell, Box, Burger, Group, NavLink, ScrollArea, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconApi, IconBook } from "@tabler/icons-react";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useRights } from "../../api/rights";
import { useLiveChannel } from "../../live/channel";
import { useText } from "../../text";
import { place } from "../place";
import { menu } from "../screens";
import { Brand } from "./Brand";
import { LiveMark } from "./LiveMark";
import { Search, SearchButton } from "./Search";
import { UserMenu } from "./UserMenu";

// Shell is the frame around every screen: header, menu, and the live channel while it is open.
export default function Shell() {
  const t = useText();
  const [open, { toggle, close }] = useDisclosure(false);
  const at = useRouterState({ select: (state) => state.location.pathname });
  const main = useRef<HTMLElement>(null);
  useLiveChannel();
  useEffect(() => close(), [at, close]);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 228, breakpoint: "sm", collapsed: { mobile: !open } }}
      padding={{ base: "md", sm: "xl" }}
      transitionDuration={150}
    >
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t.common.toContent}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t.common.openMenu} aria-expanded={open} />
          <UnstyledButton component={Link} to="/">
            <Brand />
          </UnstyledButton>
          <Box flex={1} />
          <SearchButton />
          <LiveMark />
          <UserMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" component="nav" aria-label={t.common.mainMenu}>
        <AppShell.Section grow component={ScrollArea}>
          <Entries />
        </AppShell.Section>
        <AppShell.Section>
          <NavLink href={`${place.server}/docs/`} label={t.common.menu.docs} leftSection={<IconBook size={18} stroke={1.6} />} c="dimmed" />
          <NavLink href={`${place.server}/apidocs/`} label={t.common.menu.api} leftSection={<IconApi size={18} stroke={1.6} />} c="dimmed" />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main ref={main} id="main" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
      <Search />
    </AppShell>
  );
}

function Entries() {
  const t = useText();
  const rights = useRights();
  return menu
    .filter((entry) => entry.offered(rights))
    .map((entry) => (
      <NavLink
        key={entry.to}
        component={Link}
        to={entry.to}
        activeOptions={{ exact: entry.to === "/", includeSearch: false }}
        activeProps={{ "data-active": true, "aria-current": "page" } as object}
        label={entry.label(t)}
        leftSection={<entry.icon size={18} stroke={1.6} />}
        style={{ borderRadius: "var(--mantine-radius-md)" }}
      />
    ));
}
