import { useMediaQuery } from "@mantine/hooks";

// useNarrow reports whether the window is that of a telephone, where rows of a table have no room.
export function useNarrow(): boolean {
  return useMediaQuery("(max-width: 36em)", false, { getInitialValueInEffect: false });
}
