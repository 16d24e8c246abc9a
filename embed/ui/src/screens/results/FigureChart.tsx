import "@mantine/charts/styles.css";
import { BarChart } from "@mantine/charts";
import { Box } from "@mantine/core";
import { useLanguage, useText } from "../../text";
import type { Figure } from "./shape";

const bar = 34; // pixels
const letter = 7; // of a name, and the room around it
const beside = 24;
const mostName = 150;

// FigureChart draws figures as bars.
export default function FigureChart({ figures, label }: { figures: Figure[]; label?: string }) {
  const t = useText();
  const { locale } = useLanguage();
  const format = (value: number) => value.toLocaleString(locale, { maximumSignificantDigits: 6 });
  const data = figures.map((one) => ({ name: one.name || "value", value: one.value }));
  return (
    <Box role="img" aria-label={`${label ?? t.results.as.chart}: ${figures.map((one) => `${one.name} ${format(one.value)}`).join(", ")}`}>
      <BarChart
        h={Math.max(140, figures.length * bar + 50)}
        data={data}
        dataKey="name"
        orientation="vertical"
        yAxisProps={{ width: Math.min(mostName, beside + letter * Math.max(...data.map((one) => one.name.length))) }}
        series={[{ name: "value", label: label ?? "", color: "pine.6" }]}
        valueFormatter={format}
        tickLine="none"
        gridAxis="none"
        barChartProps={{ margin: { right: 64 } }}
        maxBarWidth={22}
        barProps={{ radius: [0, 4, 4, 0], isAnimationActive: false }}
        withBarValueLabel
        valueLabelProps={{ position: "right", fontSize: 12 }}
      />
    </Box>
  );
}
