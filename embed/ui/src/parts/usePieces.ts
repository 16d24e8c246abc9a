import { startTransition, useDeferredValue, useEffect, useState } from "react";

const piece = 40; // rows
const nothing: never[] = [];

// usePieces gives the rows of a table piece by piece when it appears, and new ones when the browser has time:
// whoever scrolls or types does not wait until a hundred are drawn.
export function usePieces<T>(rows: T[]): T[] {
  const drawn = useDeferredValue<T[]>(rows, nothing);
  const [n, setN] = useState(piece);
  useEffect(() => {
    if (n < drawn.length) startTransition(() => setN(n + piece));
  }, [n, drawn.length]);
  return n < drawn.length ? drawn.slice(0, n) : drawn;
}
