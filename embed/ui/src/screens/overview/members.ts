import type { Collaboration } from "../../api/collaborations";
import type { Node } from "../../api/nodes";
import type { OpenResult } from "../../api/results";

// Member is an organization of a collaboration, with its node and what that has to do.
export type Member = { organization: number; name: string; node: Node | undefined; open: OpenResult[] };

export function membersOf(collaboration: Collaboration, nodes: Node[], open: OpenResult[], name: (id: number) => string): Member[] {
  const own = new Map(nodes.filter((node) => node.collaboration?.id === collaboration.id).map((node) => [node.organization?.id, node]));
  const work = Map.groupBy(open, (result) => result.node.id);
  return (collaboration.organizations ?? []).map(({ id }) => {
    const node = own.get(id);
    return { organization: id, name: name(id), node, open: node ? (work.get(node.id) ?? []) : [] };
  });
}
