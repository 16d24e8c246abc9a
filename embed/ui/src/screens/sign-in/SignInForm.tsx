import { Alert, Anchor, Button, Center, Code, CopyButton, Group, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { logIn, refusalOf } from "../../api/login";
import { signedIn } from "../../app/session";
import { wordsFor } from "../../parts/Problems";
import { useText } from "../../text";
import { Qr } from "./Qr";

type Step = { kind: "password" } | { kind: "code" } | { kind: "setUp"; uri: string; secret: string };

type Props = {
  name?: string; // who has to sign in again
  lost?: (what: "password" | "factor", name: string) => void;
};

// SignInForm asks for name and password, and then for what else the server wants.
export function SignInForm({ name, lost }: Props) {
  const t = useText();
  const [step, setStep] = useState<Step>({ kind: "password" });
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: { username: name ?? "", password: "", code: "" },
    validate: {
      username: (text) => (text.trim() ? null : t.signIn.needName),
      password: (text) => (text ? null : t.signIn.needPassword),
      code: (text) => (step.kind === "password" || text.trim() ? null : t.signIn.needCode),
    },
  });
  const submit = form.onSubmit(async ({ username, password, code }) => {
    setBusy(true);
    setProblem("");
    try {
      const told = await logIn(username.trim(), password, step.kind === "password" ? undefined : code.trim());
      if (told === "code") setStep({ kind: "code" });
      else if ("qr_uri" in told) setStep({ kind: "setUp", uri: told.qr_uri, secret: told.otp_secret });
      else signedIn(told, username.trim(), username.trim() === "root" && password === "root");
    } catch (failure) {
      const refusal = refusalOf(failure, step.kind !== "password");
      setProblem(refusal === "refused" ? t.signIn.refused : refusal === "code" ? t.signIn.wrongCode : refusal === "busy" ? t.signIn.busy : wordsFor(t, failure));
      if (refusal === "refused") setStep({ kind: "password" });
      form.setFieldValue("code", "");
    } finally {
      setBusy(false);
    }
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {step.kind === "setUp" && <SetUp uri={step.uri} secret={step.secret} />}
        {step.kind === "code" && (
          <div>
            <Title order={1}>{t.signIn.codeTitle}</Title>
            <Text c="dimmed" fz="sm" mt={4}>
              {t.signIn.codeText}
            </Text>
          </div>
        )}
        {step.kind === "password" && (
          <>
            {!name && <Title order={1}>{t.signIn.title}</Title>}
            <TextInput label={t.signIn.username} autoComplete="username" autoCapitalize="none" spellCheck={false} data-autofocus autoFocus={!name} readOnly={Boolean(name)} {...form.getInputProps("username")} />
            <PasswordInput label={t.signIn.password} autoComplete="current-password" autoFocus={Boolean(name)} {...form.getInputProps("password")} />
          </>
        )}
        {step.kind !== "password" && (
          <TextInput label={t.signIn.code} description={step.kind === "code" ? t.signIn.codeHint : undefined} autoComplete="one-time-code" inputMode="text" autoFocus {...form.getInputProps("code")} />
        )}
        {problem && (
          <Alert color="red" role="alert" variant="light">
            {problem}
          </Alert>
        )}
        <Button type="submit" loading={busy} fullWidth>
          {t.signIn.submit}
        </Button>
        {lost && (
          <Group justify="space-between" gap="xs">
            <Anchor component="button" type="button" fz="sm" onClick={() => lost("password", form.values.username)}>
              {t.signIn.lostPassword}
            </Anchor>
            <Anchor component="button" type="button" fz="sm" onClick={() => lost("factor", form.values.username)}>
              {t.signIn.lostFactor}
            </Anchor>
          </Group>
        )}
      </Stack>
    </form>
  );
}

// SetUp shows what an authenticator has to know.
export function SetUp({ uri, secret, text }: { uri: string; secret: string; text?: string }) {
  const t = useText();
  return (
    <Stack gap="sm">
      <Title order={1}>{t.signIn.setUpTitle}</Title>
      <Text c="dimmed" fz="sm">
        {text ?? t.signIn.setUpText}
      </Text>
      <Center>
        <Qr text={uri} label={t.signIn.qr} />
      </Center>
      <Text c="dimmed" fz="sm">
        {t.signIn.setUpSecret}
      </Text>
      <Group gap="xs" wrap="nowrap">
        <Code style={{ overflowWrap: "anywhere" }}>{secret}</Code>
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy}>
              {copied ? t.common.copied : t.common.copy}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Stack>
  );
}
