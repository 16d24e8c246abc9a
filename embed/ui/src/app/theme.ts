// The look of the interface: the colours of the start page, and the system's own letters.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const pine: MantineColorsTuple = ["#e9f8f5", "#d3eee9", "#a6dcd3", "#76c9bc", "#4fb9a9", "#2fa493", "#14897b", "#0b6f65", "#0b5f58", "#084a45"];
const gray: MantineColorsTuple = ["#f6f8f7", "#eef2f0", "#e2e8e5", "#d3dad7", "#b8c3bf", "#93a29c", "#6b7a75", "#51605b", "#35413d", "#1c2422"];
const dark: MantineColorsTuple = ["#dfe7e4", "#bcc8c4", "#a3b1ac", "#7a8a84", "#46554f", "#2f3c38", "#1d2725", "#161e1c", "#0f1514", "#0a0f0e"];

export const theme = createTheme({
  primaryColor: "pine",
  primaryShade: { light: 7, dark: 7 },
  colors: { pine, gray, dark },
  autoContrast: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650", sizes: { h1: { fontSize: "1.5rem", lineHeight: "1.25" }, h2: { fontSize: "1.125rem", lineHeight: "1.35" }, h3: { fontSize: "1rem", lineHeight: "1.4" } } },
  defaultRadius: "md",
  cursorType: "pointer",
  components: {
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250, events: { hover: true, focus: true, touch: true } } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45, blur: 2 } } },
    Paper: { defaultProps: { withBorder: true, p: "lg" } },
    // More choices than this are found by typing: ten thousand at once take the browser seconds to draw.
    Select: { defaultProps: { limit: 200 } },
    SegmentedControl: { defaultProps: { withItemsBorders: false } },
    MultiSelect: { defaultProps: { limit: 200 } },
    Tabs: { defaultProps: { color: "var(--v-link)" } },
    Table: { defaultProps: { verticalSpacing: "sm", horizontalSpacing: "md" } },
  },
});

// --v-… are colours with a meaning of ours, in both schemes with contrast enough for text. What is set into a
// card, such as a tree, has the ground --v-inset: in the dark that of the page would be a hole.
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--v-page": gray[0],
    "--v-inset": gray[0],
    "--v-line": gray[3],
    "--v-soft": gray[7],
    "--v-link": pine[8],
    "--v-good": "#157347",
    "--v-busy": "#1c64b4",
    "--v-wait": "#8a5a00",
    "--v-bad": "#b42318",
    "--v-idle": gray[7],
    "--mantine-color-dimmed": gray[7],
    "--mantine-color-anchor": pine[8],
    "--mantine-color-error": "#b42318",
  },
  dark: {
    "--v-page": dark[8],
    "--v-inset": dark[6],
    "--v-line": dark[5],
    "--v-soft": dark[2],
    "--v-link": "#5fd4c5",
    "--v-good": "#4ade80",
    "--v-busy": "#7cb8ff",
    "--v-wait": "#f2b84b",
    "--v-bad": "#ff8a80",
    "--v-idle": dark[2],
    "--mantine-color-dimmed": dark[2],
    "--mantine-color-anchor": "#5fd4c5",
    "--mantine-color-error": "#ff8a80",
    ...washes({ red: "#ff8a80", yellow: "#f2b84b", green: "#4ade80", pine: "#5fd4c5", gray: dark[0] }),
  },
});

// washes are the grounds of notices in the dark: a breath of the colour, which does not outshine the page.
function washes(colours: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(colours).flatMap(([name, colour]) => [
      [`--mantine-color-${name}-light`, `color-mix(in srgb, ${colour} 10%, var(--mantine-color-body))`],
      [`--mantine-color-${name}-light-hover`, `color-mix(in srgb, ${colour} 15%, var(--mantine-color-body))`],
      [`--mantine-color-${name}-light-color`, colour],
    ]),
  );
}
