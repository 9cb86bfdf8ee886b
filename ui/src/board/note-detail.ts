/** How much of a note is drawn at a zoom, in steps, so that zooming lays notes out anew only now and then. */
import { NOTE_PADDING, TEXT_SIZES, type TextSize } from '../domain/note-text';

export type Detail = 'near' | 'middle' | 'far' | 'block';

/** Below the last of them letters could not be read, and a note is a block of its colour. */
export function detailAt(zoom: number): Detail {
  if (zoom >= 0.66) return 'near';
  if (zoom >= 0.42) return 'middle';
  return zoom >= 0.24 ? 'far' : 'block';
}

/** About one pixel of the screen, in board units: for lines that stay thin. */
export const pixelAt = (zoom: number): number => 2 ** -(Math.round(Math.log2(zoom) * 2) / 2);

const LINES: Readonly<Record<Exclude<Detail, 'block'>, Readonly<Record<TextSize, number>>>> = {
  near: { large: TEXT_SIZES.large.line, normal: TEXT_SIZES.normal.line, small: TEXT_SIZES.small.line },
  middle: { large: 30, normal: 25, small: 25 },
  far: { large: 40, normal: 40, small: 40 },
};

/** How many lines of a text of this size a note of this height shows. */
export const linesIn = (detail: Exclude<Detail, 'block'>, size: TextSize, height: number): number =>
  Math.max(1, Math.floor((height - 2 * NOTE_PADDING) / LINES[detail][size]));
