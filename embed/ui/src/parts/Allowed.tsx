import { Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { cloneElement } from "react";
import { explanation } from "../api/rights";

type Control = ReactElement<{ disabled?: boolean; c?: unknown; "data-disabled"?: boolean }>;

// Allowed shows a control, which is disabled, with the server's reason, when the signed-in user
// may not make the request that it stands for. The path is below the API, such as /task/7.
export function Allowed({ method, path, children }: { method: "POST" | "PATCH" | "DELETE" | "GET"; path: string; children: Control }) {
  const { data } = useQuery(explanation(method, path));
  if (!data || data.allowed) return children;
  return (
    <Tooltip label={data.reason} multiline w={320}>
      <span tabIndex={0}>{cloneElement(children, { disabled: true, c: undefined })}</span>
    </Tooltip>
  );
}
