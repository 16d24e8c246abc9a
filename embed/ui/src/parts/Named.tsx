// Names for ids, as far as the user may see what they stand for.
import { collaborations } from "../api/collaborations";
import { organizations } from "../api/organizations";
import { useSeen } from "../api/rights";
import { useText } from "../text";

export function useOrganizationNames(): (id: number | null | undefined) => string {
  const t = useText();
  const { data } = useSeen("organization", organizations);
  return (id) => (id == null ? t.tasks.gone : (data?.find((one) => one.id === id)?.name ?? t.tasks.result.organization(id)));
}

export function useCollaborationNames(): (id: number | null | undefined) => string {
  const t = useText();
  const { data } = useSeen("collaboration", collaborations);
  return (id) => (id == null ? t.tasks.gone : (data?.find((one) => one.id === id)?.name ?? `${t.tasks.column.collaboration} ${id}`));
}
