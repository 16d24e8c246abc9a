// The words of the interface: a folder for each language, in it a file for each screen. A
// language has every text of English; the type check says which one it lacks.
import { createContext, useContext } from "react";
import { en } from "./en";

type Wide<T> = T extends string ? string : T extends readonly string[] ? string[] : T extends (...given: infer G) => infer R ? (...given: G) => Wide<R> : { [K in keyof T]: Wide<T[K]> };

export type Texts = Wide<typeof en>;
export type Language = "en" | "nl";

export const languages: Record<Language, string> = { en: "English", nl: "Nederlands" };

const kept = "vserver.language";

export function preferred(): Language {
  const asked = localStorage.getItem(kept) ?? navigator.language.slice(0, 2);
  return asked === "nl" ? "nl" : "en";
}

export const prefer = (language: Language) => localStorage.setItem(kept, language);

// textsOf loads the words of a language; those of English are always there.
export async function textsOf(language: Language): Promise<Texts> {
  return language === "nl" ? (await import("./nl")).nl : en;
}

// localeOf is how dates and figures are written: as the browser has it for the language.
export const localeOf = (language: Language) => navigator.languages.find((one) => one.slice(0, 2) === language) ?? (language === "en" ? "en-GB" : language);

export const TextContext = createContext<{ texts: Texts; language: Language; locale: string; choose: (language: Language) => void }>({
  texts: en,
  language: "en",
  locale: "en-GB",
  choose: () => {},
});

// useText gives the words in the chosen language.
export const useText = () => useContext(TextContext).texts;
export const useLanguage = () => useContext(TextContext);
