import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlayerStop, IconRepeat } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { queries } from "../../api/queries";
import { useRights } from "../../api/rights";
import { deleteTask, killTask, type Task } from "../../api/tasks";
import { DeleteButton } from "../../parts/Actions";
import { Allowed } from "../../parts/Allowed";
import { Sure } from "../../parts/Sure";
import { useText } from "../../text";

// TaskActions are what can be done with a task: send it again, end it, delete it.
export function TaskActions({ task }: { task: Task }) {
  const t = useText();
  const { may } = useRights();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<"kill" | "remove">();
  const close = () => {
    setAsked(undefined);
    kill.reset();
    remove.reset();
  };
  const kill = useMutation({
    mutationFn: () => killTask(task.id),
    onSuccess: () => {
      notifications.show({ message: t.tasks.killed });
      void queries.invalidateQueries({ queryKey: ["task"] });
      void queries.invalidateQueries({ queryKey: ["result"] });
      close();
    },
  });
  const remove = useMutation({
    mutationFn: () => deleteTask(task.id),
    onSuccess: async () => {
      notifications.show({ message: t.tasks.removed });
      await navigate({ to: "/tasks" });
      void queries.invalidateQueries({ queryKey: ["task"] });
    },
  });
  return (
    <>
      {may("task", "CREATE") && (
        <Button variant="default" component={Link} to="/tasks/new" search={{ from: task.id } as never} leftSection={<IconRepeat size={16} />}>
          {t.tasks.repeat}
        </Button>
      )}
      {!task.complete && (
        <Allowed method="POST" path="/kill/task">
          <Button variant="default" leftSection={<IconPlayerStop size={16} />} onClick={() => setAsked("kill")}>
            {t.tasks.kill}
          </Button>
        </Allowed>
      )}
      <DeleteButton path={`/task/${task.id}`} label={t.tasks.remove} onClick={() => setAsked("remove")} />
      <Sure
        opened={asked === "kill"}
        title={t.tasks.killTitle(task.id)}
        text={t.tasks.killText}
        button={t.tasks.kill}
        close={close}
        act={kill}
      />
      <Sure
        opened={asked === "remove"}
        title={t.tasks.removeTitle(task.id)}
        text={t.tasks.removeText(task.results?.length ?? 0, task.children?.length ?? 0)}
        button={t.tasks.remove}
        close={close}
        act={remove}
      />
    </>
  );
}
