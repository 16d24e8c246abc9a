import type { Collaboration } from "../../api/collaborations";
import type { Node } from "../../api/nodes";
import type { OpenResult } from "../../api/results";

// Member is an organization of a collaboration, with its node and what that has to do. Who may
// not view the nodes of others still learns of them by what they have to do.
export type Member = {
  organization: number;
  name: string;
  node: Pick<Node, "id" | "name" | "status" | "last_seen"> | undefined;
  hidden: boolean; // there is none, as far as the user may see
  open: OpenResult[];
};

// membersOf joins what is known; seesAll says that the user may view every node.
export function membersOf(collaboration: Collaboration, nodes: Node[], open: OpenResult[], name: (id: number) => string, seesAll: (organization: number) => boolean): Member[] {
  const own = new Map(nodes.filter((node) => node.collaboration?.id === collaboration.id).map((node) => [node.organization?.id, node]));
  const ids = new Set((collaboration.nodes ?? []).map((node) => node.id));
  const work = Map.groupBy(
    open.filter((result) => result.node.id !== undefined && ids.has(result.node.id)),
    (result) => result.organization?.id,
  );
  return (collaboration.organizations ?? []).map(({ id }) => {
    const assigned = work.get(id) ?? [];
    const told = assigned[0]?.node;
    const node = own.get(id) ?? (told?.id === undefined ? undefined : { id: told.id, name: told.name ?? null, status: told.status ?? null, last_seen: null });
    return { organization: id, name: name(id), node, hidden: !node && !seesAll(id), open: assigned };
  });
}
