/**
 * Where notes are: which of them a view shows, in which order people read them, which lies on top, and where new ones
 * go. Numbers of a note are another's making, so its place is taken from `placeOf` alone.
 */
import type { Note, NoteChange } from 'parlor-client';
import { union, ZOOM_MIN, type Rect, type Size, type Spot } from './camera';

export const NOTE_SIZE: Size = { w: 200, h: 150 };
export const NOTE_MIN: Size = { w: 80, h: 60 };
export const NOTE_MAX: Size = { w: 1_600, h: 1_600 };
/** Nobody's board is larger. */
const FARTHEST = 1e6;
/** Between two notes that are laid out beside each other. */
const GAP = 24;

const within = (value: number, least: number, most: number): number =>
  Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : least;

/** Where a note is drawn, whatever somebody wrote into it. */
export const placeOf = ({ x, y, w, h }: Readonly<Rect>): Rect => ({
  x: Number.isFinite(x) ? within(x, -FARTHEST, FARTHEST) : 0,
  y: Number.isFinite(y) ? within(y, -FARTHEST, FARTHEST) : 0,
  w: within(w, NOTE_MIN.w / 2, NOTE_MAX.w),
  h: within(h, NOTE_MIN.h / 2, NOTE_MAX.h),
});

/** Whether two rectangles share a spot; an edge is one. */
export const touches = (a: Rect, b: Rect): boolean =>
  a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h;

export const holds = (outer: Rect, inner: Rect): boolean =>
  outer.x <= inner.x &&
  outer.y <= inner.y &&
  outer.x + outer.w >= inner.x + inner.w &&
  outer.y + outer.h >= inner.y + inner.h;

/** The view and `part` of it more on each side, so that a small move needs nothing new. */
export const around = ({ x, y, w, h }: Rect, part: number): Rect => ({
  x: x - w * part,
  y: y - h * part,
  w: w * (1 + 2 * part),
  h: h * (1 + 2 * part),
});

/** The notes that touch a part of the board. A plain test of 2,000 takes some 20 µs. */
export function notesIn(notes: Iterable<Note>, part: Rect): Note[] {
  const found: Note[] = [];
  for (const note of notes) if (touches(placeOf(note), part)) found.push(note);
  return found;
}

/** As people read: rows from the top, in each from the left. Notes whose middles are within a row's height share it. */
export function readingOrder(notes: Iterable<Note>): Note[] {
  const placed = [...notes].map((note) => ({ note, place: placeOf(note) }));
  placed.sort((a, b) => a.place.y - b.place.y || a.place.x - b.place.x || (a.note.id < b.note.id ? -1 : 1));
  const ordered: Note[] = [];
  let row: typeof placed = [];
  let end = -Infinity;
  const finish = () => {
    row.sort((a, b) => a.place.x - b.place.x || a.place.y - b.place.y);
    ordered.push(...row.map(({ note }) => note));
  };
  for (const one of placed) {
    if (one.place.y >= end) {
      finish();
      row = [];
      end = one.place.y + one.place.h / 2;
    }
    row.push(one);
  }
  finish();
  return ordered;
}

/** From the lowest to the one on top; the same at everybody. */
export const stacked = (notes: Iterable<Note>): Note[] =>
  [...notes].sort((a, b) => heightOf(a) - heightOf(b) || (a.id < b.id ? -1 : 1));

const heightOf = ({ z }: Note): number => (Number.isFinite(z) ? z : 0);

/** The fields that bring some notes over, or under, all others, and keep their order among themselves. */
export function restacked(notes: Iterable<Note>, ids: ReadonlySet<string>, where: 'front' | 'back'): NoteChange[] {
  const order = stacked(notes);
  const moved = order.filter((note) => ids.has(note.id));
  const rest = order.filter((note) => !ids.has(note.id));
  const edge = where === 'front' ? rest.at(-1) : rest[0];
  if (edge === undefined) return [];
  const from = where === 'front' ? Math.floor(heightOf(edge)) + 1 : Math.ceil(heightOf(edge)) - moved.length;
  return moved.map(({ id }, i) => ({ id, z: from + i }));
}

/** The height of a note that lies on all others. */
export function topmost(notes: Iterable<Note>): number {
  let top = -1;
  for (const note of notes) top = Math.max(top, heightOf(note));
  return Math.min(Math.floor(top) + 1, Number.MAX_SAFE_INTEGER);
}

/** Places for notes in a grid of about the view's shape around a spot, from the top left on. */
export function gridAround(count: number, middle: Spot, view: Size, size: Size = NOTE_SIZE): Spot[] {
  const [stepX, stepY] = [size.w + GAP, size.h + GAP];
  const columns = Math.max(1, Math.min(count, Math.ceil(Math.sqrt((count * (view.w / view.h) * stepY) / stepX))));
  const rows = Math.ceil(count / columns);
  const left = Math.round(middle.x - (columns * stepX - GAP) / 2);
  const top = Math.round(middle.y - (rows * stepY - GAP) / 2);
  return Array.from({ length: count }, (_, i) => ({
    x: left + (i % columns) * stepX,
    y: top + Math.floor(i / columns) * stepY,
  }));
}

/** What can be shown at once of these, the middle of the crowd first: one note at the end of the world hides no other. */
export function worthFitting(rects: readonly Rect[], size: Size): Rect[] {
  const most = { w: size.w / ZOOM_MIN, h: size.h / ZOOM_MIN };
  const all = union(rects);
  if (all === null || (all.w <= most.w && all.h <= most.h)) return [...rects];
  const middle = { x: median(rects.map(({ x, w }) => x + w / 2)), y: median(rects.map(({ y, h }) => y + h / 2)) };
  const part = { x: middle.x - most.w / 2, y: middle.y - most.h / 2, ...most };
  return rects.filter((rect) => holds(part, rect));
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

/** A note's new size when its lower right corner is pulled to a spot; `square` keeps its shape. */
export function resized(place: Rect, corner: Spot, square: boolean): Size {
  const w = within(Math.round(corner.x - place.x), NOTE_MIN.w, NOTE_MAX.w);
  const h = within(Math.round(corner.y - place.y), NOTE_MIN.h, NOTE_MAX.h);
  if (!square) return { w, h };
  const factor = Math.max(w / place.w, h / place.h);
  return {
    w: within(Math.round(place.w * factor), NOTE_MIN.w, NOTE_MAX.w),
    h: within(Math.round(place.h * factor), NOTE_MIN.h, NOTE_MAX.h),
  };
}

export const boundsOf = (notes: Iterable<Note>): Rect | null => union([...notes].map(placeOf));

