/** Lists, plurals and times in the language of the catalogue. */
import { apart } from '../domain/line';

export { apart };

let locale = 'en';
let lists = new Intl.ListFormat(listLocale(locale));
let plurals = new Intl.PluralRules(locale);
let times = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

export function setLocale(next: string): void {
  locale = next;
  lists = new Intl.ListFormat(listLocale(locale));
  plurals = new Intl.PluralRules(locale);
  times = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
}

export const list = (words: readonly string[]): string => lists.format(words.map(apart));

type Forms = { readonly other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** The form for a count; `zero` is for none, also in languages whose plurals have no form for it. */
export function many(count: number, forms: Forms): string {
  if (count === 0 && forms.zero !== undefined) return forms.zero;
  return forms[plurals.select(count)] ?? forms.other;
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** "5 minutes ago", "yesterday". */
export function ago(moment: string | number, now: number = Date.now()): string {
  const then = typeof moment === 'number' ? moment : Date.parse(moment);
  const seconds = Number.isNaN(then) ? 0 : Math.round((then - now) / 1000);
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return times.format(Math.trunc(seconds / length), unit);
  }
  return times.format(0, 'second');
}

/** The English of the catalogue has no comma before "and". */
function listLocale(language: string): string {
  return language === 'en' ? 'en-GB' : language;
}
