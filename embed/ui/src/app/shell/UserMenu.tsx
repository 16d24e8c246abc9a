import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconLogout, IconUserCircle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useRights } from "../../api/rights";
import { Choice, LanguageChoice } from "../../parts/Choice";
import { useText } from "../../text";
import { signOut, useSession } from "../session";

// UserMenu has what is the user's own: appearance, language, account, leaving.
export function UserMenu() {
  const t = useText();
  const current = useSession();
  const { me } = useRights();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const username = "username" in current ? current.username : "";
  const name = [me?.firstname, me?.lastname].filter(Boolean).join(" ") || username;
  return (
    <Menu width={264} position="bottom-end" shadow="md" trapFocus>
      <Menu.Target>
        <UnstyledButton aria-label={t.common.userMenu(name)} style={{ borderRadius: 99 }}>
          <Avatar size={34} radius="xl" color="pine" variant="filled" name={name} alt="">
            {initials(name)}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text fz="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {name}
          </Text>
          <Text fz="xs" truncate>
            {username}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Label>{t.common.appearance}</Menu.Label>
        <Choice inMenu label={t.common.appearance} value={colorScheme} choose={setColorScheme} of={{ light: t.common.light, dark: t.common.dark, auto: t.common.system }} />
        <Menu.Label>{t.common.language}</Menu.Label>
        <LanguageChoice inMenu />
        <Menu.Divider />
        <Menu.Item leftSection={<IconUserCircle size={16} />} component={Link} to="/account">
          {t.common.menu.account}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => signOut()}>
          {t.common.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const initials = (name: string) =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => [...word][0]!.toUpperCase())
    .filter((_, i, all) => i === 0 || i === all.length - 1)
    .join("");
