import { Button, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { changePassword, logIn, meetsPolicy } from "../../api/login";
import { signedIn } from "../../app/session";
import { ProblemNote } from "../../parts/Problems";
import { useText } from "../../text";
import { NewPassword } from "../sign-in/NewPassword";
import { Part } from "./Account";

// ChangePassword changes the own password, and begins the session anew: the change ended its
// refresh token. Where a second factor is asked for, that is left to the end of the access token.
export function ChangePassword({ username }: { username: string }) {
  const t = useText();
  const form = useForm({
    initialValues: { current: "", password: "" },
    validate: {
      current: (text) => (text ? null : t.signIn.needPassword),
      password: (text) => (meetsPolicy(text) ? null : t.signIn.policy.unmet),
    },
  });
  const change = useMutation({
    mutationFn: async ({ current, password }: { current: string; password: string }) => {
      await changePassword(current, password);
      const told = await logIn(username, password).catch(() => undefined);
      if (told && typeof told === "object" && "access_token" in told) signedIn(told, username);
    },
    onSuccess: () => {
      form.reset();
      notifications.show({ message: t.account.password.done });
    },
  });
  return (
    <Part title={t.account.password.title}>
      <form onSubmit={form.onSubmit((values) => change.mutate(values))} noValidate>
        <Stack gap="sm" maw={380}>
          <input type="text" hidden readOnly autoComplete="username" value={username} />
          <PasswordInput label={t.account.password.current} autoComplete="current-password" {...form.getInputProps("current")} />
          <NewPassword label={t.signIn.lost.password} {...form.getInputProps("password")} />
          <ProblemNote problem={change.error} />
          <Button type="submit" variant="default" w="fit-content" loading={change.isPending}>
            {t.account.password.submit}
          </Button>
        </Stack>
      </form>
    </Part>
  );
}
