import { Loader, Table, Paper } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { nodes } from "../../api/nodes";
import { Empty } from "../../parts/Empty";
import { Page } from "../../parts/Page";
import { ProblemNote } from "../../parts/Problems";
import { State } from "../../parts/State";
import { When } from "../../parts/When";
import { useText } from "../../text";

export default function Overview() {
  const t = useText();
  const { data, error, refetch } = useQuery(nodes);
  return (
    <Page title={t.common.menu.overview}>
      <ProblemNote problem={error} retry={() => void refetch()} />
      {!data && !error && <Loader />}
      {data?.length === 0 && <Empty title={t.common.empty.title} />}
      {data && data.length > 0 && (
        <Paper p={0}>
          <Table.ScrollContainer minWidth={420}>
            <Table>
              <Table.Tbody>
                {data.map((node) => (
                  <Table.Tr key={node.id}>
                    <Table.Td>{node.name}</Table.Td>
                    <Table.Td>
                      <State status={node.status ?? "unseen"} />
                    </Table.Td>
                    <Table.Td>
                      <When at={node.last_seen} ago />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Paper>
      )}
    </Page>
  );
}
