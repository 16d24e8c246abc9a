import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { IconPlus, IconStack2 } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useRights, useSeen } from "../../api/rights";
import { tasks, usePolling } from "../../api/tasks";
import { Empty } from "../../parts/Empty";
import { Page } from "../../parts/Page";
import { Pages } from "../../parts/Pages";
import { Waiting } from "../../parts/Waiting";
import { useText } from "../../text";
import { Filters } from "./Filters";
import { tasksRoute } from "./route";
import { TaskRows } from "./TaskRows";

const sizes = [20, 50, 100];

export default function TaskList() {
  const t = useText();
  const { page = 1, size = sizes[0]!, ...filter } = tasksRoute.useSearch();
  const navigate = tasksRoute.useNavigate();
  const { may } = useRights();
  const every = usePolling(true);
  const asked = useSeen("task", { ...tasks(filter, page, size), refetchInterval: every && every * 2 });
  const { data, isPlaceholderData } = asked;
  const filtered = Object.values(filter).some((value) => value !== undefined);
  return (
    <Page
      title={t.tasks.title}
      about={data && t.common.total(data.total)}
      actions={
        may("task", "CREATE") && (
          <Button component={Link} to="/tasks/new" leftSection={<IconPlus size={16} />}>
            {t.tasks.new}
          </Button>
        )
      }
    >
      <Filters filter={filter} change={(next) => void navigate({ search: { ...next, size: size === sizes[0] ? undefined : size } })} />
      <Waiting on={asked} />
      {data?.total === 0 && !filtered && (
        <Empty title={t.tasks.none} icon={IconStack2}>
          {t.tasks.noneText}
        </Empty>
      )}
      {data?.total === 0 && filtered && (
        <Empty title={t.tasks.noneFit} icon={IconStack2} action={<Button variant="default" onClick={() => void navigate({ search: {} })}>{t.tasks.clear}</Button>}>
          {t.tasks.noneFitText}
        </Empty>
      )}
      {data && data.total > 0 && (
        <Stack gap="md">
          <div style={{ opacity: isPlaceholderData ? 0.6 : 1 }}>
            <TaskRows tasks={data.rows} flat={filter.run_id !== undefined} />
          </div>
          <Group justify="space-between">
            <Group gap="xs">
              <Text fz="sm" c="dimmed" id="rows-on-a-page">
                {t.tasks.perPage}
              </Text>
              <Select
                size="xs"
                w={76}
                aria-labelledby="rows-on-a-page"
                allowDeselect={false}
                value={String(size)}
                data={sizes.map(String)}
                onChange={(value) => void navigate({ search: { ...filter, size: Number(value) === sizes[0] ? undefined : Number(value) } })}
              />
            </Group>
            <Pages page={page} size={size} total={data.total} go={(to) => void navigate({ search: { ...filter, size: size === sizes[0] ? undefined : size, page: to > 1 ? to : undefined } })} />
          </Group>
        </Stack>
      )}
    </Page>
  );
}
