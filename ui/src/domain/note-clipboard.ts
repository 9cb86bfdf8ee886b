/**
 * Notes on the clipboard: for other programs their texts, for a board everything about them. A board also takes the same
 * JSON as plain text, and makes a note of any other text.
 */
import type { Note, NoteChange } from 'parlor-client';
import { noteColour } from './note-colour';
import { boundsOf, NOTE_SIZE, placeOf, readingOrder, stacked } from './note-geometry';
import { fitting, shownText } from './note-text';

export const CLIPBOARD_TYPE = 'application/x-parlor-notes+json';
const PASTED_MAX = 500;

/** A note without a place of its own: relative to the upper left of those it was copied with. */
export type CopiedNote = Required<Omit<NoteChange, 'id' | 'z'>>;

export const copiedText = (notes: Iterable<Note>): string =>
  readingOrder(notes)
    .map(({ text }) => shownText(text).trim())
    .filter((text) => text !== '')
    .join('\n\n');

export function copiedJson(notes: readonly Note[]): string {
  const from = boundsOf(notes);
  const copied: CopiedNote[] = stacked(notes).map((note) => {
    const { x, y, w, h } = placeOf(note);
    return { x: x - (from?.x ?? 0), y: y - (from?.y ?? 0), w, h, color: note.color, text: note.text };
  });
  return JSON.stringify({ parlor: 'notes', notes: copied });
}

/** What to paste, from what either kind of clipboard holds; empty when there is nothing. */
export function pastedNotes(json: string, text: string): CopiedNote[] {
  const known = read(json) ?? read(text);
  if (known !== null) return known;
  const words = text.trim();
  return words === '' ? [] : [{ x: 0, y: 0, ...NOTE_SIZE, color: 'yellow', text: fitting(words) }];
}

function read(json: string): CopiedNote[] | null {
  if (!json.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(json);
    if (!isBag(value) || value['parlor'] !== 'notes' || !Array.isArray(value['notes'])) return null;
    return value['notes'].slice(0, PASTED_MAX).filter(isBag).map(noteOf);
  } catch {
    return null;
  }
}

function noteOf(value: Record<string, unknown>): CopiedNote {
  const number = (key: string, otherwise: number) => (typeof value[key] === 'number' ? value[key] : otherwise);
  const place = placeOf({
    x: number('x', 0),
    y: number('y', 0),
    w: number('w', NOTE_SIZE.w),
    h: number('h', NOTE_SIZE.h),
  });
  const { paper, value: hex } = noteColour(value['color']);
  return { ...place, color: paper ?? hex, text: typeof value['text'] === 'string' ? fitting(value['text']) : '' };
}

const isBag = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
