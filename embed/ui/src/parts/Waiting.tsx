import { Skeleton } from "@mantine/core";
import { IconEyeOff } from "@tabler/icons-react";
import { useText } from "../text";
import { Empty } from "./Empty";
import { Page } from "./Page";
import { ProblemNote } from "./Problems";

type Asked = { data?: unknown; error: unknown; refetch: () => unknown; refused?: boolean };
type Props = { on: Asked; height?: number };

// Waiting stands for what was asked for until it is there: a grey block, or why it does not come.
export function Waiting({ on, height = 320 }: Props) {
  const t = useText();
  if (on.refused)
    return (
      <Empty title={t.common.problem.notSeen} icon={IconEyeOff}>
        {t.common.problem.notSeenText}
      </Empty>
    );
  return (
    <>
      <ProblemNote problem={on.error} retry={() => void on.refetch()} />
      {on.data === undefined && !on.error && <Skeleton h={height} />}
    </>
  );
}

// WaitingPage is a whole screen that waits.
export function WaitingPage({ title, on, height = 240 }: Props & { title: string }) {
  return (
    <Page title={title}>
      <Waiting on={on} height={height} />
    </Page>
  );
}
