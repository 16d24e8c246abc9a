import { Fragment } from "react";

// Breakable has a browser break a long word behind some letters, and elsewhere only where that is not enough.
export function Breakable({ text, behind }: { text: string; behind: RegExp }) {
  return text.split(behind).map((part, i) => (
    <Fragment key={i}>
      {i > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
