import { Alert, Stack, Text } from "@mantine/core";
import { place } from "../../app/place";
import { ProblemNote } from "../../parts/Problems";
import { Secret } from "../../parts/Secret";
import { When } from "../../parts/When";
import { useText } from "../../text";

type Props = { token?: string; until?: string | null; problem?: unknown };

// Invitation shows what an invitation came to: the token to hand over, or that a mail brings it.
export function Invitation({ token, until, problem }: Props) {
  const t = useText();
  if (problem)
    return (
      <Stack>
        <Text fz="sm">{t.users.notInvited}</Text>
        <ProblemNote problem={problem} />
      </Stack>
    );
  if (!token) return <Alert variant="light" color="pine">{t.users.mailed}</Alert>;
  return (
    <Stack>
      <Text fz="sm">{t.users.handOver}</Text>
      <Secret label={t.users.page} value={`${location.origin}${place.root}/`} />
      <Secret label={t.users.token} value={token} />
      <Text fz="sm" c="dimmed">
        {t.users.works} <When at={until} />.
      </Text>
    </Stack>
  );
}
