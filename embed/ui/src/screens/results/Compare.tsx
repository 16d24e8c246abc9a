import { Paper, Select, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { organization } from "../../api/organizations";
import { type Result, resultsOf, run, type Task } from "../../api/tasks";
import { useSeen } from "../../api/rights";
import { fitting, useKeys } from "../../crypto/keys";
import { decrypt } from "../../crypto/message";
import { read, recognize } from "../../crypto/payload";
import { Empty } from "../../parts/Empty";
import { useOrganizationNames } from "../../parts/Named";
import { useLanguage, useText } from "../../text";
import { figuresIn } from "./shape";

const FigureChart = lazy(() => import("./FigureChart"));

type Answered = { organization: string; figures: Map<string, number> };

// Compare puts the figures of the organizations side by side, those of a task or, where one
// organization worked it out with subtasks, of these.
export function Compare({ task, results }: { task: Task; results: Result[] }) {
  const t = useText();
  const { locale } = useLanguage();
  const { data: all } = useSeen("task", { ...run(task.run_id ?? 0), enabled: task.run_id !== null && results.length < 2 });
  const below = (all ?? []).filter((one) => one.parent?.id === task.id);
  const parts = useQueries({ queries: below.map((one) => resultsOf(one.id)) });
  const compared = results.length > 1 ? results : parts.flatMap((part) => part.data ?? []);
  const answers = useAnswers(compared, results.length > 1 ? task.initiator : (below[0]?.initiator ?? null));
  const names = useMemo(() => [...new Set((answers ?? []).flatMap((one) => [...one.figures.keys()]))].filter((name) => (answers ?? []).filter((one) => one.figures.has(name)).length > 1), [answers]);
  const [chosen, setChosen] = useState<string | null>(null);
  const figure = chosen !== null && names.includes(chosen) ? chosen : names[0];
  if (!answers) return <Skeleton h={200} />;
  if (figure === undefined)
    return (
      <Empty title={t.tasks.tabs.compare} icon={IconChartBar}>
        {t.results.compare.none}
      </Empty>
    );
  const figures = answers.filter((one) => one.figures.has(figure)).map((one) => ({ name: one.organization, value: one.figures.get(figure)! }));
  const values = figures.map((one) => one.value);
  const sum = values.reduce((a, b) => a + b, 0);
  const pooled: [string, number][] = [
    [t.results.compare.sum, sum],
    [t.results.compare.mean, sum / values.length],
    [t.results.compare.least, Math.min(...values)],
    [t.results.compare.most, Math.max(...values)],
  ];
  return (
    <Paper>
      <Stack>
        <Select label={t.results.compare.figure} maw={280} allowDeselect={false} value={figure} onChange={setChosen} data={names.map((name) => ({ value: name, label: name || t.results.compare.figure }))} />
        <Suspense fallback={<Skeleton h={200} />}>
          <FigureChart figures={figures} label={figure} />
        </Suspense>
        <Text fz="sm" fw={600}>
          {t.results.compare.pooled}
        </Text>
        <SimpleGrid cols={{ base: 2, xs: 4 }}>
          {pooled.map(([name, value]) => (
            <div key={name}>
              <Text fz="xs" c="dimmed">
                {name}
              </Text>
              <Text fw={600} style={{ fontVariantNumeric: "tabular-nums" }}>
                {value.toLocaleString(locale, { maximumSignificantDigits: 8 })}
              </Text>
            </div>
          ))}
        </SimpleGrid>
      </Stack>
    </Paper>
  );
}

// useAnswers reads the figures of results, with the key of the organization that they are for
// where they are encrypted. Undefined while it is not known yet.
function useAnswers(results: Result[], owner: number | null): Answered[] | undefined {
  const name = useOrganizationNames();
  const keys = useKeys();
  const sealed = results.some((result) => read(result.result).kind === "sealed");
  const { data: whose } = useSeen("organization", { ...organization(owner ?? 0), enabled: sealed && owner !== null });
  const [values, setValues] = useState<{ of: string; values: unknown[] }>();
  const of = results.map((result) => `${result.id}:${result.result?.length ?? 0}`).join();
  useEffect(() => {
    let wanted = true;
    void (async () => {
      const key = sealed ? await fitting(keys, whose?.public_key ?? "") : undefined;
      const found = await Promise.all(
        results.map(async (result) => {
          let payload = read(result.result);
          if (payload.kind === "sealed" && key) payload = await decrypt(payload.text, key.key).then(recognize, () => payload);
          return payload.kind === "json" ? payload.value : undefined;
        }),
      );
      if (wanted) setValues({ of, values: found });
    })();
    return () => {
      wanted = false;
    };
    // oxlint-disable-next-line react/exhaustive-deps -- `of` stands for the results
  }, [of, keys, whose, sealed]);
  if (!values || values.of !== of) return undefined;
  return results.map((result, i) => ({
    organization: name(result.organization),
    figures: new Map(figuresIn(values.values[i]).map((one) => [one.name, one.value])),
  }));
}
