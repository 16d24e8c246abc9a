// Times in the user's zone and language; the tooltip has UTC.
import { Text, Tooltip } from "@mantine/core";
import { cloneElement, type ReactElement, useEffect, useState } from "react";
import { useLanguage, useText } from "../text";

type Moment = string | null | undefined;

export const utc = (date: Date) => `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;

export function dateText(moment: string, locale: string): string {
  return new Date(moment).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Infinity],
];

// agoText is "3 minutes ago".
export function agoText(moment: string, locale: string, now = Date.now()): string {
  let n = Math.round((Date.parse(moment) - now) / 1000);
  if (Math.abs(n) < 5) n = 0;
  for (const [unit, size] of steps) {
    if (Math.abs(n) < size) return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(n, unit);
    n = Math.round(n / size);
  }
  return "";
}

// useNow is the present, renewed as often as its figures change.
export function useNow(every = 10_000, active = true): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every, active]);
  return now;
}

// When shows a moment, as a date or as how long ago it is.
export function When({ at, ago = false }: { at: Moment; ago?: boolean }) {
  const t = useText();
  const { locale } = useLanguage();
  const now = useNow(10_000, ago);
  if (!at) return <Text span inherit c="dimmed">{t.common.never}</Text>;
  const local = dateText(at, locale);
  return (
    <Hinted hint={() => (ago ? `${local} · ${utc(new Date(at))}` : utc(new Date(at)))}>
      <time dateTime={at} style={{ whiteSpace: "nowrap" }}>
        {ago ? agoText(at, locale, now) : local}
      </time>
    </Hinted>
  );
}

// Hinted has a tooltip from when somebody points at it: tables have a moment in each of a hundred rows.
export function Hinted({ hint, children }: { hint: () => string; children: ReactElement<{ onPointerEnter?: () => void }> }) {
  const [pointed, point] = useState(false);
  if (!pointed) return cloneElement(children, { onPointerEnter: () => point(true) });
  return (
    <Tooltip label={hint()} defaultOpened>
      {children}
    </Tooltip>
  );
}

// durationText is "4 min 12 s": the two largest parts.
export function durationText(ms: number, locale: string): string {
  const unit = (value: number, name: string) => new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "narrow", maximumFractionDigits: 0 }).format(value);
  const s = Math.max(0, ms) / 1000;
  if (s < 0.1) return `< ${new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "narrow" }).format(0.1)}`;
  if (s < 1) return new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "narrow", maximumFractionDigits: 1 }).format(s);
  if (s < 60) return unit(Math.floor(s), "second");
  if (s < 3600) return `${unit(Math.floor(s / 60), "minute")} ${unit(Math.floor(s % 60), "second")}`;
  if (s < 86400) return `${unit(Math.floor(s / 3600), "hour")} ${unit(Math.floor((s % 3600) / 60), "minute")}`;
  return `${unit(Math.floor(s / 86400), "day")} ${unit(Math.floor((s % 86400) / 3600), "hour")}`;
}

// Took shows how long something took, or has been going on.
export function Took({ from, till }: { from: Moment; till: Moment }) {
  const { locale } = useLanguage();
  const now = useNow(1000, Boolean(from) && !till);
  if (!from) return <Text span inherit c="dimmed">–</Text>;
  return <span style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>{durationText((till ? Date.parse(till) : now) - Date.parse(from), locale)}</span>;
}
