import { Badge, Tooltip } from "@mantine/core";
import { useLiveState } from "../../live/channel";
import { useText } from "../../text";

const colours = { on: "var(--v-good)", connecting: "var(--v-wait)", off: "var(--v-idle)" };

// LiveMark says whether changes appear by themselves.
export function LiveMark() {
  const t = useText();
  const state = useLiveState();
  return (
    <Tooltip label={t.common.live.hint} multiline w={240}>
      <Badge
        variant="outline"
        tt="none"
        fw={500}
        role="status"
        style={{ "--badge-color": "var(--mantine-color-text)", borderColor: "var(--v-line)" }}
        leftSection={<span style={{ display: "block", width: 8, height: 8, borderRadius: 8, background: colours[state] }} />}
      >
        {t.common.live[state]}
      </Badge>
    </Tooltip>
  );
}
