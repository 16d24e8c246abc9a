import { notifications } from "@mantine/notifications";
import { queries, type Noun } from "../api/queries";

// done says that something was done, and has what it changed asked for anew.
export function done(message: string, ...changed: Noun[]) {
  notifications.show({ message });
  for (const noun of changed) void queries.invalidateQueries({ queryKey: [noun] });
}
