import { SegmentedControl } from "@mantine/core";
import { type Language, languages, useLanguage, useText } from "../text";

type Props<T extends string> = { label: string; value: T; choose: (value: T) => void; of: Record<T, string>; inMenu?: boolean };

// Choice is one of a few words side by side.
export function Choice<T extends string>({ label, value, choose, of, inMenu }: Props<T>) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      value={value}
      onChange={(chosen) => choose(chosen as T)}
      data={Object.entries<string>(of).map(([each, word]) => ({ value: each, label: word }))}
      {...(inMenu ? { fullWidth: true, mx: "xs", mb: "xs", w: "auto" } : {})}
    />
  );
}

// LanguageChoice is that of the language of the interface.
export function LanguageChoice({ inMenu }: { inMenu?: boolean }) {
  const t = useText();
  const { language, choose } = useLanguage();
  return <Choice<Language> label={t.common.language} value={language} choose={choose} of={languages} inMenu={inMenu} />;
}
