/**
 * A note's text as it is drawn: text and nothing else, in its place, whatever somebody wrote. Offsets of a caret are said
 * in the text as it is written, and drawn in the text as it is shown.
 */
import { bytesOf } from './bytes';
import { lineOf, seenLines } from './line';

/** Bytes of a note's text (design A8). */
export const TEXT_BYTES = 4_096;

export const shownText = (text: unknown): string => (typeof text === 'string' ? seenLines(text) : '');

/** The offset in the shown text of an offset in the written one. */
export const shownOffset = (text: string, offset: number): number =>
  shownText(text.slice(0, Math.max(0, offset))).length;

/** A name for a note in a sentence: its first line, or null when it has none. */
export function titleOf(text: string, letters = 32): string | null {
  for (const line of text.split(/\r?\n/)) {
    const title = lineOf(line, letters);
    if (title !== null) return title;
  }
  return null;
}

/** The start of a text that a note can hold, cut between characters. */
export function fitting(text: string): string {
  if (bytesOf(text) <= TEXT_BYTES) return text;
  let bytes = 0;
  let end = 0;
  for (const letter of text) {
    bytes += bytesOf(letter);
    if (bytes > TEXT_BYTES) break;
    end += letter.length;
  }
  return text.slice(0, end);
}

export type TextSize = 'large' | 'normal' | 'small';
/** Board units: the letters of each size, and the height of their lines. */
export const TEXT_SIZES: Readonly<Record<TextSize, { readonly font: number; readonly line: number }>> = {
  large: { font: 20, line: 26 },
  normal: { font: 15, line: 20 },
  small: { font: 12, line: 16 },
};
export const NOTE_PADDING = 14;
/** Letters are about this wide, as a part of their height. */
const WIDTH = 0.55;

/** The largest size at which a text is expected to fit its note. */
export function textSize(text: string, w: number, h: number): TextSize {
  const fits = (size: TextSize): boolean => {
    const { font, line } = TEXT_SIZES[size];
    const letters = Math.max(1, Math.floor((w - 2 * NOTE_PADDING) / (font * WIDTH)));
    let lines = 0;
    for (const paragraph of text.split('\n')) lines += Math.max(1, Math.ceil(paragraph.length / letters));
    const longest = text.split(/\s/).reduce((most, word) => Math.max(most, word.length), 0);
    return lines * line <= h - 2 * NOTE_PADDING && longest <= letters;
  };
  return fits('large') ? 'large' : fits('normal') ? 'normal' : 'small';
}
