import { Button, Collapse, Group, NumberInput, Paper, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconAdjustmentsHorizontal, IconSearch, IconX } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { collaborations } from "../../api/collaborations";
import { organizations } from "../../api/organizations";
import type { Filter, TaskStatus } from "../../api/tasks";
import { useSeen } from "../../api/rights";
import { useNarrow } from "../../parts/useNarrow";
import { useText } from "../../text";

const statuses: TaskStatus[] = ["pending", "initializing", "active", "completed", "failed", "unknown"];
const afterTyping = 300; // milliseconds

type Props = { filter: Filter; change: (next: Filter) => void };

// Filters narrow the list. They stand in the address, so that a view can be kept and sent.
export function Filters({ filter, change }: Props) {
  const t = useText();
  const narrow = useNarrow();
  const [more, { toggle }] = useDisclosure(Boolean((narrow && (filter.status || filter.collaboration_id)) || filter.initiator_id || filter.image || filter.run_id || filter.from || filter.till));
  const { data: known } = useSeen("collaboration", collaborations);
  const { data: senders } = useSeen("organization", organizations);
  const set = (part: Filter) => change({ ...filter, ...part });
  const filtered = Object.values(filter).some((value) => value !== undefined);
  // A telephone shows the tasks before these.
  const most = (
    <>
      <Select
        label={t.tasks.filter.status}
        placeholder={t.tasks.filter.any}
        w={{ base: "100%", xs: 160 }}
        clearable
        value={filter.status ?? null}
        data={statuses.map((value) => ({ value, label: t.common.states[value] ?? value }))}
        onChange={(status) => set({ status: status ?? undefined })}
      />
      <Of label={t.tasks.filter.collaboration} all={known} id={filter.collaboration_id} choose={(id) => set({ collaboration_id: id })} />
    </>
  );
  return (
    <Paper p="md">
      <Group align="flex-end" gap="sm">
        <Typed label={t.tasks.filter.text} value={filter.name ?? ""} change={(name) => set({ name: name || undefined })} grow />
        {!narrow && most}
        <Button variant="default" leftSection={<IconAdjustmentsHorizontal size={16} />} onClick={toggle} aria-expanded={more}>
          {t.tasks.filter.more}
        </Button>
        {filtered && (
          <Button variant="subtle" leftSection={<IconX size={16} />} onClick={() => change({})}>
            {t.tasks.clear}
          </Button>
        )}
      </Group>
      <Collapse expanded={more}>
        <Group align="flex-end" gap="sm" mt="sm">
          {narrow && most}
          <Typed label={t.tasks.filter.image} value={filter.image ?? ""} change={(image) => set({ image: image || undefined })} grow />
          <Of label={t.tasks.filter.initiator} all={senders} id={filter.initiator_id} choose={(id) => set({ initiator_id: id })} />
          <Typed label={t.tasks.filter.run} value={filter.run_id ? String(filter.run_id) : ""} change={(run) => set({ run_id: Number(run) || undefined })} width={110} />
          <Day label={t.tasks.filter.from} value={filter.from} change={(from) => set({ from })} />
          <Day label={t.tasks.filter.till} value={filter.till} change={(till) => set({ till })} />
          <OpenByNumber />
        </Group>
      </Collapse>
    </Paper>
  );
}

type OfProps = { label: string; all: { id: number; name?: string | null }[] | undefined; id: number | undefined; choose: (id: number | undefined) => void };

// Of narrows the list to what belongs to one collaboration or organization.
function Of({ label, all, id, choose }: OfProps) {
  const t = useText();
  return (
    <Select
      label={label}
      placeholder={t.tasks.filter.any}
      w={{ base: "100%", xs: 220 }}
      clearable
      searchable
      value={id ? String(id) : null}
      data={(all ?? []).map((one) => ({ value: String(one.id), label: one.name ?? String(one.id) }))}
      onChange={(chosen) => choose(chosen ? Number(chosen) : undefined)}
    />
  );
}

type TypedProps = { label: string; value: string; change: (text: string) => void; grow?: boolean; width?: number };

// Typed tells what was typed once the typing rests.
function Typed({ label, value, change, grow, width }: TypedProps) {
  const [text, setText] = useState(value);
  const tell = useDebouncedCallback(change, afterTyping);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      label={label}
      value={text}
      w={width && { base: "100%", xs: width }}
      flex={grow ? "1 1 220px" : undefined}
      leftSection={grow ? <IconSearch size={15} /> : undefined}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
    />
  );
}

type DayProps = { label: string; value: string | undefined; change: (day: string | undefined) => void };

// Day is a date, as the browser asks for one.
function Day({ label, value, change }: DayProps) {
  return <TextInput type="date" label={label} w={{ base: "100%", xs: 150 }} value={value ?? ""} onChange={(event) => change(event.currentTarget.value || undefined)} />;
}

// OpenByNumber leads to the task of a number.
function OpenByNumber() {
  const t = useText();
  const navigate = useNavigate();
  const [id, setId] = useState<number | string>("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (Number(id) > 0) void navigate({ to: "/tasks/$id", params: { id: String(id) } });
      }}
    >
      <NumberInput label={t.tasks.filter.open} w={170} min={1} allowDecimal={false} hideControls value={id} onChange={setId} placeholder={t.tasks.filter.id} />
    </form>
  );
}
