/**
 * What others wrote, made fit for one line of this window. Text of a peer may have any length, direction and character;
 * whatever it is, it stays text, stays in its place and can be seen. Where it stands beside other words it is kept apart
 * by `<bdi>`, or in a sentence by `apart`.
 */

/** The most marks and joiners on one letter. No living language and no emoji needs more in a row. */
const MARKS = 4;
const TOO_MANY_MARKS = new RegExp(`([\\p{M}\\u200c\\u200d]{${MARKS}})[\\p{M}\\u200c\\u200d]+`, 'gu');
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Characters that turn the line around, or are there and not seen; but the joiners of letters and of emoji. */
const UNSEEN = /(?![\u200c\u200d\ufe0e\ufe0f])[\p{Default_Ignorable_Code_Point}\u2800]/gu;
const SEEN = /[\p{L}\p{N}\p{P}\p{S}]/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** One line of text that can be seen, cut to a length that fits a row; null when nothing is left. */
export function lineOf(value: unknown, letters: number): string | null {
  if (typeof value !== 'string') return null;
  const line = value.replace(BREAKS, ' ').replace(UNSEEN, '').replace(TOO_MANY_MARKS, '$1').trim();
  if (!SEEN.test(line)) return null;
  const all = Array.from(line);
  return all.length > letters ? `${all.slice(0, letters - 1).join('')}…` : line;
}

/** The same for a text of several lines, which keeps them; empty when nothing of it can be seen. */
export function seenText(value: string, letters: number): string {
  const lines = seenLines(value).trim();
  return SEEN.test(lines) ? Array.from(lines).slice(0, letters).join('') : '';
}

/** What can be seen of a text of several lines, with the spaces around it: what comes before a place is seen before it. */
export const seenLines = (value: string): string =>
  value
    .replace(/\r\n?|[\p{Zl}\p{Zp}\u0085]/gu, '\n')
    .replace(/(?:(?![\n\t])\p{Cc})+/gu, ' ')
    .replace(UNSEEN, '')
    .replace(TOO_MANY_MARKS, '$1');

/** For a sentence: words that run the other way do not turn those after them. */
export const apart = (words: string): string => (RIGHT_TO_LEFT.test(words) ? `\u2068${words}\u2069` : words);
