import { type ReactNode, useEffect, useMemo, useState } from "react";
import { type Language, localeOf, prefer, preferred, TextContext, textsOf, type Texts } from ".";
import { en } from "./en";

// Words gives all below it the texts of the chosen language, as soon as they are there.
export function Words({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(preferred);
  const [texts, setTexts] = useState<Texts | undefined>(language === "en" ? en : undefined);
  useEffect(() => {
    document.documentElement.lang = language;
    let wanted = true;
    void textsOf(language).then((found) => wanted && setTexts(found));
    return () => {
      wanted = false;
    };
  }, [language]);
  const value = useMemo(
    () => ({
      texts: texts ?? en,
      language,
      locale: localeOf(language),
      choose: (next: Language) => {
        prefer(next);
        setLanguage(next);
      },
    }),
    [texts, language],
  );
  return texts && <TextContext.Provider value={value}>{children}</TextContext.Provider>;
}
