// Names for ids, as far as the user may see what they stand for.
import { useQuery } from "@tanstack/react-query";
import { collaborations } from "../api/collaborations";
import { organizations } from "../api/organizations";
import { useText } from "../text";

export function useOrganizationNames(): (id: number | null | undefined) => string {
  const t = useText();
  const { data } = useQuery(organizations);
  return (id) => (id == null ? t.tasks.gone : (data?.find((one) => one.id === id)?.name ?? t.tasks.result.organization(id)));
}

export function useCollaborationNames(): (id: number | null | undefined) => string {
  const t = useText();
  const { data } = useQuery(collaborations);
  return (id) => (id == null ? t.tasks.gone : (data?.find((one) => one.id === id)?.name ?? `${t.tasks.column.collaboration} ${id}`));
}
