import { List, PasswordInput, type PasswordInputProps, Text, ThemeIcon } from "@mantine/core";
import { IconCheck, IconMinus } from "@tabler/icons-react";
import { policy } from "../../api/login";
import { useText } from "../../text";

// NewPassword asks for a password and shows which of the demands it meets.
export function NewPassword(props: PasswordInputProps & { value?: string }) {
  const t = useText();
  const value = props.value ?? "";
  return (
    <div>
      <PasswordInput autoComplete="new-password" {...props} />
      <Text fz="xs" c="dimmed" mt={8} mb={4}>
        {t.signIn.policy.title}
      </Text>
      <List spacing={2} fz="xs" c="dimmed" center ps={0} ms={0} styles={{ root: { paddingInlineStart: 0 } }}>
        {(Object.keys(policy) as (keyof typeof policy)[]).map((demand) => {
          const met = policy[demand](value);
          return (
            <List.Item
              key={demand}
              c={met ? "var(--v-good)" : undefined}
              icon={
                <ThemeIcon size={16} radius="xl" variant="transparent" c={met ? "var(--v-good)" : "dimmed"}>
                  {met ? <IconCheck size={14} stroke={2.5} /> : <IconMinus size={14} />}
                </ThemeIcon>
              }
            >
              {t.signIn.policy[demand]}
            </List.Item>
          );
        })}
      </List>
    </div>
  );
}
