import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconDatabaseExport } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { backup, BrokenOff } from "../../api/operator";
import { done } from "../../parts/done";
import { ProblemNote, tellProblem } from "../../parts/Problems";
import { dropEmpty, picked, save, sizeText, streams, write } from "../../parts/save";
import { useLanguage, useText } from "../../text";

type Props = { name: string; environment: string; engine: string; size: number };

// BackupButton saves a copy of the database. It goes straight to a file where the browser can do that;
// elsewhere the browser holds the copy until it is whole, so its size is told before.
export function BackupButton(of: Props) {
  const t = useText();
  const [asked, ask] = useState(false);
  const streaming = useMutation({
    mutationFn: () => stream(nameOf(of)),
    onSuccess: (written) => written && done(t.server.saved),
    onError: (problem) => tellProblem(t, inWords(problem, t.server.brokenOff)),
  });
  return (
    <>
      <Button variant="default" leftSection={<IconDatabaseExport size={16} />} loading={streaming.isPending} onClick={() => (streams() ? streaming.mutate() : ask(true))}>
        {t.server.backup}
      </Button>
      {asked && <Held size={of.size} close={() => ask(false)} />}
    </>
  );
}

function Held({ size, close }: { size: number; close: () => void }) {
  const t = useText();
  const { locale } = useLanguage();
  const holding = useMutation({
    mutationFn: async () => {
      const { copy, name } = await backup();
      save(name, await copy.blob());
    },
    onSuccess: close,
  });
  return (
    <Modal opened onClose={close} title={t.server.backup} closeButtonProps={{ "aria-label": t.common.close }}>
      <Stack>
        <Text fz="sm">{t.server.backupText(sizeText(size, locale))}</Text>
        <ProblemNote problem={holding.error && inWords(holding.error, t.server.brokenOff)} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button loading={holding.isPending} onClick={() => holding.mutate()} data-autofocus>
            {t.server.download}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

// stream asks where to, and then for the copy: the place has to be asked for by the click itself.
async function stream(name: string): Promise<boolean> {
  const file = await picked(name);
  if (!file) return false;
  try {
    const { copy } = await backup();
    await write(file, copy);
  } catch (problem) {
    await dropEmpty(file);
    throw problem;
  }
  return true;
}

// inWords has words for a copy that broke off: the browser names the failure of a connection as a TypeError.
const inWords = (problem: unknown, brokenOff: string) => (problem instanceof BrokenOff || problem instanceof TypeError ? new Error(brokenOff) : problem);

// nameOf is a name as the server gives its copies.
function nameOf({ name, environment, engine }: Props): string {
  const moment = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${name}-${environment}-${moment}.${engine === "sqlite" ? "sqlite" : "dump"}`;
}
