import { lineOf } from './line';

/** One or two letters for a face: the first of the first and of the last word, whatever the script. */
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function initialsOf(name: string): string {
  const words = (lineOf(name, 256) ?? '').split(/\s+/u).filter(Boolean);
  const first = words[0];
  if (first === undefined) return '?';
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return [first, last].map(firstLetter).join('').toLocaleUpperCase();
}

function firstLetter(word: string | undefined): string {
  for (const { segment } of graphemes.segment(word ?? '')) return segment;
  return '';
}
