/**
 * The words of the user interface. One catalogue a language, all of the same type, so a sentence that a language lacks
 * is an error at build time. The language is chosen once, at the start.
 */
import { en } from './en';
import { setLocale } from './format';

export type Catalogue = typeof en;

const catalogues: Readonly<Record<string, Catalogue>> = { en };

/** The words in use. */
export let t: Catalogue = en;

/** Takes the first of the wanted languages that there is a catalogue for. */
export function speak(wanted: readonly string[]): string {
  const known = wanted.map((tag) => tag.split('-')[0] ?? '').find((language) => language in catalogues) ?? 'en';
  t = catalogues[known] ?? en;
  setLocale(known);
  return known;
}

export { ago, list, many } from './format';
