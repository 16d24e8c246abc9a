import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { organization } from "../../api/organizations";
import { createTask, resultsOf, task as taskQuery } from "../../api/tasks";
import { pack, read } from "../../crypto/payload";
import { useText } from "../../text";
import { type Call, callOf, faultOf, inputOf, isJson, isObjectJson } from "./input";

export type TaskForm = {
  collaboration: string;
  organizations: string[];
  image: string;
  name: string;
  description: string;
  database: string;
  mode: "form" | "json";
  call: Call;
  json: string;
  each: boolean; // an input of its own for each organization
  inputs: Record<string, string>; // by organization, as JSON
};

const empty: TaskForm = {
  collaboration: "",
  organizations: [],
  image: "",
  name: "",
  description: "",
  database: "default",
  mode: "form",
  call: { method: "", central: false, args: [] },
  json: "",
  each: false,
  inputs: {},
};

export const pretty = (value: unknown) => JSON.stringify(value, undefined, 2);

// commonOf is the input that all organizations get, unless each has its own; undefined while it is faulty.
export function commonOf(values: TaskForm): unknown {
  if (values.mode === "json") return isJson(values.json) ? JSON.parse(values.json) : undefined;
  return values.call.args.some(faultOf) ? undefined : inputOf(values.call);
}

export function useTaskForm(collaboration?: number) {
  const t = useText();
  const words = t.tasks.newTask;
  return useForm<TaskForm>({
    initialValues: { ...empty, collaboration: collaboration ? String(collaboration) : "" },
    validate: {
      collaboration: (id) => (id ? null : words.needCollaboration),
      organizations: (ids) => (ids.length > 0 ? null : words.needOrganizations),
      image: (text) => (text.trim() ? null : words.needImage),
      json: (text, { mode, each }) => (mode === "form" || each || isObjectJson(text) ? null : isJson(text) ? words.needObject : words.notJson),
      call: {
        method: (text, { mode, each }) => (mode === "json" || each || text.trim() ? null : words.needMethod),
        args: {
          name: (text, { mode, each }) => (mode === "json" || each || text.trim() ? null : words.needArgName),
          value: (_, { mode, each, call }, path) => {
            const arg = call.args[Number(path.split(".")[2])];
            const fault = mode === "json" || each || !arg ? undefined : faultOf(arg);
            return fault ? words[fault] : null;
          },
        },
      },
      inputs: ({ ...texts }, { each, organizations }) => {
        if (!each) return null;
        return organizations.every((id) => isJson(texts[id] ?? "")) ? null : words.notJson;
      },
    },
  });
}

// send makes the task. In an encrypted collaboration each input is encrypted for its organization.
export function useSend() {
  const cache = useQueryClient();
  return async (values: TaskForm, encrypted: boolean) => {
    const inputs = await Promise.all(
      values.organizations.map(async (id) => {
        const input = values.each ? JSON.parse(values.inputs[id] ?? "") : commonOf(values);
        if (!encrypted) return { id: Number(id), input: await pack(input) };
        const { public_key: key } = await cache.fetchQuery({ ...organization(Number(id)), staleTime: 0 });
        return { id: Number(id), input: await pack(input, key) };
      }),
    );
    return createTask({
      collaboration_id: Number(values.collaboration),
      organizations: inputs,
      image: values.image.trim(),
      name: values.name.trim(),
      description: values.description,
      database: values.database.trim(),
    });
  };
}

// useRepeat fills the form in as another task was sent, and says whether its input could be read.
export function useRepeat(from: number | undefined, fill: (values: TaskForm) => void): "sealed" | "filled" | undefined {
  const cache = useQueryClient();
  const [state, setState] = useState<"sealed" | "filled">();
  const filler = useRef(fill);
  useEffect(() => {
    filler.current = fill;
  });
  useEffect(() => {
    if (from === undefined) return;
    let wanted = true;
    void (async () => {
      const [before, results] = await Promise.all([cache.fetchQuery(taskQuery(from)), cache.fetchQuery(resultsOf(from)).catch(() => [])]);
      if (!wanted) return;
      const payloads = results.map((result) => read(result.input));
      filler.current({
        ...empty,
        collaboration: before.collaboration ? String(before.collaboration.id) : "",
        organizations: results.map((result) => String(result.organization)),
        image: before.image ?? "",
        name: before.name ?? "",
        description: before.description ?? "",
        database: before.database ?? "",
        ...inputsOf(results.map((result, i) => [String(result.organization), payloads[i]?.kind === "json" ? (payloads[i] as { value: unknown }).value : undefined])),
      });
      setState(payloads.some((payload) => payload.kind === "sealed") ? "sealed" : "filled");
    })();
    return () => {
      wanted = false;
    };
  }, [from, cache]);
  return state;
}

function inputsOf(inputs: [string, unknown][]): Partial<TaskForm> {
  const texts = inputs.map(([, value]) => (value === undefined ? "" : pretty(value)));
  const first = inputs[0]?.[1];
  if (first === undefined) return {};
  const each = texts.some((text) => text !== texts[0]);
  const call = callOf(first);
  return {
    each,
    inputs: each ? Object.fromEntries(inputs.map(([id], i) => [id, texts[i] ?? ""])) : {},
    json: texts[0] ?? "",
    mode: call ? "form" : "json",
    ...(call ? { call } : {}),
  };
}
