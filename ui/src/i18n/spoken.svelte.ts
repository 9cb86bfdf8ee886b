/**
 * The language that is spoken now. Words are looked up when they are shown, so another language shows at once, without
 * leaving a room. What is not in English is loaded when it is wanted.
 */
import { en } from './en';
import { setLocale } from './format';

export type Catalogue = typeof en;
export type Language = 'en' | 'de';

/** Each by its own name, which is how people find theirs. */
export const LANGUAGES: readonly (readonly [Language, string])[] = [
  ['en', 'English'],
  ['de', 'Deutsch'],
];

const catalogues: Readonly<Record<Language, () => Promise<Catalogue>>> = {
  en: async () => en,
  de: async () => (await import('./de')).de,
};

let words = $state.raw<Catalogue>(en);
let language = $state<Language>('en');

/** The words in use. */
export const t: Catalogue = new Proxy(en, { get: (_, part) => Reflect.get(words, part) });

export const spoken = (): Language => language;

/** The first of the wanted languages that there is a catalogue for, English otherwise. */
export function known(wanted: readonly string[]): Language {
  const tags = wanted.map((tag) => tag.toLowerCase().split('-')[0]);
  return tags.map((tag) => LANGUAGES.find(([one]) => one === tag)?.[0]).find((one) => one !== undefined) ?? 'en';
}

let asked = 0;

/** Speaks another language from now on; the last that was asked for wins. */
export async function speak(next: Language): Promise<void> {
  const turn = ++asked;
  const loaded = await catalogues[next]();
  if (turn !== asked) return;
  setLocale(next);
  words = loaded;
  language = next;
  if (typeof document !== 'undefined') document.documentElement.lang = next;
}
