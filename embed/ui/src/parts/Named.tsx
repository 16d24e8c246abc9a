// Names for ids, as far as the user may see what they stand for.
import { useMemo } from "react";
import { collaborations } from "../api/collaborations";
import { organizations } from "../api/organizations";
import { useSeen } from "../api/rights";
import { roles } from "../api/roles";
import { useText } from "../text";

export type Name = (id: number | null | undefined) => string;
type Thing = { id: number; name?: string | null };

// useNames looks names up in a table: lists ask for one for each of ten thousand rows.
function useNames(all: Thing[] | undefined, gone: string, unknown: (id: number) => string): Name {
  return useMemo(() => {
    const names = new Map(all?.map((one) => [one.id, one.name]));
    return (id) => (id == null ? gone : (names.get(id) ?? unknown(id)));
  }, [all, gone, unknown]);
}

export function useOrganizationNames(): Name {
  const t = useText();
  return useNames(useSeen("organization", organizations).data, t.tasks.gone, t.tasks.result.organization);
}

export function useCollaborationNames(): Name {
  const t = useText();
  return useNames(useSeen("collaboration", collaborations).data, t.tasks.gone, t.collaborations.number);
}

export function useRoleNames(): Name {
  const t = useText();
  return useNames(useSeen("role", roles).data, t.common.none, t.roles.number);
}
