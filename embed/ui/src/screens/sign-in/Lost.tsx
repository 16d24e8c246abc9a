// Lost password and lost second factor: a mail with a token, and what it is good for.
import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type ReactNode, useState } from "react";
import { askFactorToken, askPasswordToken, meetsPolicy, resetFactor, resetPassword } from "../../api/login";
import { ProblemNote } from "../../parts/Problems";
import { useText } from "../../text";
import { NewPassword } from "./NewPassword";
import { SetUp } from "./SignInForm";

type Props = { name: string; back: () => void };

// useDoing runs what a form asks for, one at a time, and keeps what went wrong.
function useDoing() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const run = async (what: () => Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await what();
    } catch (failure) {
      setProblem(failure);
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run };
}

export function LostPassword({ name, back }: Props) {
  const t = useText();
  const [step, setStep] = useState<"ask" | "token" | "done">("ask");
  const { busy, problem, run } = useDoing();
  const form = useForm({
    initialValues: { who: name, token: "", password: "" },
    validate: {
      who: (text) => (step !== "ask" || text.trim() ? null : t.signIn.needName),
      token: (text) => (step !== "token" || text.trim() ? null : t.signIn.needCode),
      password: (text) => (step !== "token" || meetsPolicy(text) ? null : t.signIn.policy.unmet),
    },
  });
  const submit = form.onSubmit(({ who, token, password }) =>
    run(async () => {
      if (step === "ask") {
        await askPasswordToken(who.trim());
        setStep("token");
      } else {
        await resetPassword(token, password);
        setStep("done");
      }
    }),
  );
  return (
    <Card title={t.signIn.lost.title} submit={submit} problem={problem} back={back}>
      {step === "ask" && (
        <Ask text={t.signIn.lost.text} who={form.getInputProps("who")} busy={busy} skip={() => setStep("token")} />
      )}
      {step === "token" && (
        <Token text={t.signIn.lost.sent} else={t.signIn.lost.noMail} token={form.getInputProps("token")} busy={busy} submit={t.signIn.lost.set}>
          <NewPassword label={t.signIn.lost.password} {...form.getInputProps("password")} />
        </Token>
      )}
      {step === "done" && <Alert color="green">{t.signIn.lost.done}</Alert>}
    </Card>
  );
}

export function LostFactor({ name, back }: Props) {
  const t = useText();
  const [step, setStep] = useState<"ask" | "token" | "done">("ask");
  const [told, setTold] = useState({ uri: "", secret: "" });
  const { busy, problem, run } = useDoing();
  const form = useForm({
    initialValues: { who: name, password: "", token: "" },
    validate: {
      who: (text) => (step !== "ask" || text.trim() ? null : t.signIn.needName),
      password: (text) => (step !== "ask" || text ? null : t.signIn.needPassword),
      token: (text) => (step !== "token" || text.trim() ? null : t.signIn.needCode),
    },
  });
  const submit = form.onSubmit(({ who, password, token }) =>
    run(async () => {
      if (step === "ask") {
        await askFactorToken(who.trim(), password);
        setStep("token");
      } else {
        const { qr_uri: uri, otp_secret: secret } = await resetFactor(token);
        setTold({ uri, secret });
        setStep("done");
      }
    }),
  );
  return (
    <Card title={step === "done" ? undefined : t.signIn.lost.factorTitle} submit={submit} problem={problem} back={back}>
      {step === "ask" && (
        <Ask text={t.signIn.lost.factorText} who={form.getInputProps("who")} busy={busy} skip={() => setStep("token")}>
          <PasswordInput label={t.signIn.password} autoComplete="current-password" {...form.getInputProps("password")} />
        </Ask>
      )}
      {step === "token" && (
        <Token text={t.signIn.lost.factorSent} else={t.signIn.lost.factorNoMail} token={form.getInputProps("token")} busy={busy} submit={t.signIn.lost.factorReset} />
      )}
      {step === "done" && <SetUp uri={told.uri} secret={told.secret} text={t.signIn.lost.factorDone} />}
    </Card>
  );
}

type CardProps = { title?: string; submit: (event?: React.FormEvent<HTMLFormElement>) => void; problem: unknown; back: () => void; children: ReactNode };

function Card({ title, submit, problem, back, children }: CardProps) {
  const t = useText();
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {title && <Title order={1}>{title}</Title>}
        {children}
        <ProblemNote problem={problem} />
        <Anchor component="button" type="button" fz="sm" onClick={back}>
          {t.signIn.lost.toSignIn}
        </Anchor>
      </Stack>
    </form>
  );
}

type AskProps = { text: string; who: object; busy: boolean; skip: () => void; children?: ReactNode };

// Ask is the first step: who it is for, and what else proves it.
function Ask({ text, who, busy, skip, children }: AskProps) {
  const t = useText();
  return (
    <>
      <Text c="dimmed" fz="sm">
        {text}
      </Text>
      <TextInput label={t.signIn.lost.nameOrMail} autoComplete="username" autoFocus {...who} />
      {children}
      <Button type="submit" loading={busy}>
        {t.signIn.lost.send}
      </Button>
      <Anchor component="button" type="button" fz="sm" onClick={skip}>
        {t.signIn.lost.haveToken}
      </Anchor>
    </>
  );
}

type TokenProps = { text: string; else: string; token: object; busy: boolean; submit: string; children?: ReactNode };

// Token is the second step: the token that the mail brought, and what it is to change.
function Token({ text, else: otherwise, token, busy, submit, children }: TokenProps) {
  const t = useText();
  return (
    <>
      <Alert color="pine" variant="light">
        <Text fz="sm">{text}</Text>
        <Text fz="xs" c="dimmed" mt={6}>
          {otherwise}
        </Text>
      </Alert>
      <TextInput label={t.signIn.lost.token} autoComplete="off" spellCheck={false} autoFocus {...token} />
      {children}
      <Button type="submit" loading={busy}>
        {submit}
      </Button>
    </>
  );
}
