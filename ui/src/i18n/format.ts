/** Lists, plurals and times in the language of the catalogue. */
import { apart } from '../domain/line';

export { apart };

let locale = 'en';
let lists = new Intl.ListFormat(listLocale(locale));
let plurals = new Intl.PluralRules(locale);
let times = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
let days = new Intl.DateTimeFormat(listLocale(locale), { weekday: 'long', day: 'numeric', month: 'long' });
let dates = new Intl.DateTimeFormat(listLocale(locale), { dateStyle: 'full' });
let moments = new Intl.DateTimeFormat(listLocale(locale), { dateStyle: 'full', timeStyle: 'short' });
let numbers = new Intl.NumberFormat(locale);
let clocks = clockOf(locale);

export function setLocale(next: string): void {
  locale = next;
  lists = new Intl.ListFormat(listLocale(locale));
  plurals = new Intl.PluralRules(locale);
  times = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  numbers = new Intl.NumberFormat(locale);
  clocks = clockOf(locale);
  days = new Intl.DateTimeFormat(listLocale(locale), { weekday: 'long', day: 'numeric', month: 'long' });
  dates = new Intl.DateTimeFormat(listLocale(locale), { dateStyle: 'full' });
  moments = new Intl.DateTimeFormat(listLocale(locale), { dateStyle: 'full', timeStyle: 'short' });
}

/** A peer's messages begin small and end without a stop, so that programs may put them into theirs. */
export function asSentence(message: string): string {
  const text = message.trim();
  return `${text.charAt(0).toLocaleUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** "1,024", "0.6". */
export const number = (value: number): string => numbers.format(value);

/** "0.6 ms", "14 ms": how long something takes, as exactly as it matters. */
export const millis = (value: number): string =>
  `${number(value < 10 ? Math.round(value * 10) / 10 : Math.round(value))} ms`;

/** "14:00": the time of a day as this language writes it. */
export const clock = (at: number | Date): string => clocks.format(at);

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

/** "12 minutes", "3 days": how long, in the largest unit that it fills. */
export function span(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  const [unit, length] = STEPS.find(([, length]) => seconds >= length) ?? (['second', 1] as const);
  const words = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' });
  return words.format(Math.trunc(seconds / length));
}

function clockOf(language: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(listLocale(language), { hour: '2-digit', minute: '2-digit' });
}

/** The day and the time of it, in full. */
export const moment = (time: number): string => moments.format(time);

/** "Today", "Yesterday", "Monday, 3 March", and with the year when it is another. */
export function day(time: number, now: number = Date.now()): string {
  const [then, today] = [new Date(time), new Date(now)];
  const apart = Math.round((midnight(today) - midnight(then)) / 86_400_000);
  if (apart === 0 || apart === 1) return capital(times.format(-apart, 'day'));
  return capital(then.getFullYear() === today.getFullYear() ? days.format(time) : dates.format(time));
}

const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

const capital = (words: string): string => words.charAt(0).toLocaleUpperCase() + words.slice(1);

/** The English of the catalogue has no comma before "and". */
function listLocale(language: string): string {
  return language === 'en' ? 'en-GB' : language;
}
