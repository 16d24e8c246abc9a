import { Paper, Stack, Title } from "@mantine/core";
import type { Result } from "../../api/tasks";
import { useOrganizationNames } from "../../parts/Named";
import { PayloadView } from "../results/PayloadView";

// InputCards show what each organization was sent to work on.
export function InputCards({ results }: { results: Result[] }) {
  const organization = useOrganizationNames();
  return (
    <Stack>
      {results.map((result) => (
        <Paper key={result.id} component="section" aria-label={organization(result.organization)}>
          <Stack gap="sm">
            <Title order={2}>{organization(result.organization)}</Title>
            <PayloadView stored={result.input} name={`input-${result.id}`} owner={result.organization} />
          </Stack>
        </Paper>
      ))}
    </Stack>
  );
}
