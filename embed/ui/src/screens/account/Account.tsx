import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { revokeAll } from "../../api/login";
import { organization } from "../../api/organizations";
import { useRights, useSeen } from "../../api/rights";
import { signOut } from "../../app/session";
import { dropKeys, useKeys } from "../../crypto/keys";
import { closeChannel, openChannel } from "../../live/channel";
import { Facts } from "../../parts/Facts";
import { useOrganizationNames } from "../../parts/Named";
import { Page } from "../../parts/Page";
import { ProblemNote } from "../../parts/Problems";
import { useText } from "../../text";
import { KeyButton } from "../results/KeyButton";
import { ChangePassword } from "./ChangePassword";
import { Factor } from "./Factor";

export default function Account() {
  const t = useText();
  const { me } = useRights();
  const name = useOrganizationNames();
  const facts: [string, string][] = [
    [t.account.about.name, [me?.firstname, me?.lastname].filter(Boolean).join(" ") || "–"],
    [t.account.about.username, me?.username ?? "–"],
    [t.account.about.email, me?.email || "–"],
    [t.account.about.organization, me ? name(me.organization?.id) : "–"],
  ];
  return (
    <Page title={t.account.title}>
      <Stack maw={720} gap="lg">
        <Facts of={facts} cols={{ base: 1, xs: 2 }} />
        <ChangePassword username={me?.username ?? ""} />
        <Factor />
        <Keys owner={me?.organization?.id} />
        <Sessions />
      </Stack>
    </Page>
  );
}

export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper component="section" aria-label={title}>
      <Title order={2} mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Keys({ owner }: { owner: number | undefined }) {
  const t = useText();
  const keys = useKeys();
  const { data: whose } = useSeen("organization", { ...organization(owner ?? 0), enabled: owner !== undefined });
  return (
    <Part title={t.account.keys.title}>
      <Stack gap="sm">
        <Text fz="sm" c="dimmed">
          {t.account.keys.text}
        </Text>
        {keys.map((key) => (
          <Text key={key.half} fz="sm">
            {t.account.keys.held(key.file)}
          </Text>
        ))}
        <Group align="flex-start">
          <KeyButton owner={whose} />
          {keys.length > 0 && (
            <Button size="compact-sm" variant="default" onClick={dropKeys}>
              {t.account.keys.drop}
            </Button>
          )}
        </Group>
      </Stack>
    </Part>
  );
}

function Sessions() {
  const t = useText();
  const revoke = useMutation({
    mutationFn: () => {
      closeChannel(); // which the server would close, and the page then ask with tokens that have ended
      return revokeAll();
    },
    onSuccess: () => signOut(),
    onError: openChannel,
  });
  return (
    <Part title={t.account.sessions.title}>
      <Stack gap="sm" align="flex-start">
        <Text fz="sm" c="dimmed">
          {t.account.sessions.text}
        </Text>
        <ProblemNote problem={revoke.error} />
        <Button variant="default" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          {t.account.sessions.submit}
        </Button>
      </Stack>
    </Part>
  );
}
