import { Anchor, Button, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { changePassword, logIn, meetsPolicy } from "../../api/login";
import { firstPasswordChanged, signedIn, signOut } from "../../app/session";
import { ProblemNote } from "../../parts/Problems";
import { useText } from "../../text";
import { Frame } from "./Frame";
import { NewPassword } from "./NewPassword";

// FirstPassword has the well-known password of a new server's root changed before anything else.
export default function FirstPassword() {
  const t = useText();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: { password: "", repeated: "" },
    validate: {
      password: (text) => (meetsPolicy(text) ? null : t.signIn.policy.unmet),
      repeated: (text, { password }) => (text === password ? null : t.signIn.first.differ),
    },
  });
  const submit = form.onSubmit(async ({ password }) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await changePassword("root", password);
      // The change ended the refresh token; new ones keep the session beyond the access token.
      const told = await logIn("root", password).catch(() => undefined);
      if (told && typeof told === "object" && "access_token" in told) signedIn(told, "root");
      firstPasswordChanged();
    } catch (failure) {
      setProblem(failure);
    } finally {
      setBusy(false);
    }
  });
  return (
    <Frame>
      <form onSubmit={submit} noValidate>
        <Stack>
          <div>
            <Title order={1}>{t.signIn.first.title}</Title>
            <Text c="dimmed" fz="sm" mt={4}>
              {t.signIn.first.text}
            </Text>
          </div>
          <input type="hidden" autoComplete="username" value="root" />
          <NewPassword label={t.signIn.lost.password} autoFocus {...form.getInputProps("password")} />
          <PasswordInput label={t.signIn.first.repeat} autoComplete="new-password" {...form.getInputProps("repeated")} />
          <ProblemNote problem={problem} />
          <Button type="submit" loading={busy}>
            {t.signIn.first.submit}
          </Button>
          <Anchor component="button" type="button" fz="sm" onClick={() => signOut()}>
            {t.common.signOut}
          </Anchor>
        </Stack>
      </form>
    </Frame>
  );
}
