/**
 * Ink that fades: it is presence, nobody keeps it. A stroke in the making is sent as its newest points, a little more
 * than one update's worth, so that a lost or conflated update leaves no hole; receivers put the pieces together by the
 * index of the first point. Points are whole board units, the first absolute and the rest relative, to stay small. What
 * a pen presses makes the line wide; other pointers feel nothing, and draw one width.
 */
import type { Spot } from './camera';

export type InkKind = 'pen' | 'laser';

export interface InkValue {
  /** The stroke's number at its author. */
  readonly s: number;
  /** The index of the first point in `p`. */
  readonly n: number;
  readonly k: InkKind;
  /** x, y, then differences. */
  readonly p: readonly number[];
  /** How hard a pen presses at each point, in twentieths of its most. Not there for what feels nothing. */
  readonly w?: readonly number[];
}

/** How long a point is seen. */
export const INK_FADES_MS: Record<InkKind, number> = { pen: 1_200, laser: 600 };
/** Receivers drop the field this long after its last refresh. */
export const INK_EXPIRES_MS = 1_500;
const TAIL_POINTS = 32;
/** Small whole numbers are one byte in a frame, and finer steps are not seen. */
export const HARDEST = 20;
/** Screen pixels that a pen moves before it is a new point. */
export const INK_STEP = 2;

export interface InkPoint extends Spot {
  /** When it was first seen here. */
  readonly at: number;
  /** How hard a pen presses, 0 to 1; null for what feels nothing. */
  readonly pressure: number | null;
}

export interface Stroke {
  readonly id: number;
  readonly kind: InkKind;
  readonly points: InkPoint[];
  /** The index of the next point to come. */
  next: number;
}

export const newStroke = (id: number, kind: InkKind, next = 0): Stroke => ({ id, kind, points: [], next });

/** Adds an own point; false when it is too close to the last to matter. */
export function draw(stroke: Stroke, spot: Spot, now: number, pressure: number | null = null): boolean {
  const point = { x: Math.round(spot.x), y: Math.round(spot.y), at: now, pressure };
  const last = stroke.points.at(-1);
  if (last !== undefined && last.x === point.x && last.y === point.y) return false;
  stroke.points.push(point);
  stroke.next += 1;
  return true;
}

export function toValue(stroke: Stroke): InkValue | null {
  const tail = stroke.points.slice(-TAIL_POINTS);
  if (tail.length === 0) return null;
  const p: number[] = [];
  tail.forEach((point, place) => {
    const before = tail[place - 1];
    p.push(before ? point.x - before.x : point.x, before ? point.y - before.y : point.y);
  });
  const value = { s: stroke.id, n: stroke.next - tail.length, k: stroke.kind, p };
  const felt = tail.some(({ pressure }) => pressure !== null);
  return felt ? { ...value, w: tail.map(({ pressure }) => Math.round((pressure ?? 0.5) * HARDEST)) } : value;
}

/** The strokes of one person with this value in; new points are spread over the time since the last came. */
export function receiveInk(strokes: Stroke[], value: InkValue, now: number): void {
  let stroke = strokes.find((known) => known.id === value.s && known.kind === value.k);
  if (stroke === undefined) {
    stroke = newStroke(value.s, value.k, value.n);
    strokes.push(stroke);
  }
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < value.p.length; i += 2) {
    x += value.p[i] ?? 0;
    y += value.p[i + 1] ?? 0;
    const index = value.n + i / 2;
    if (index < stroke.next) continue;
    const hard = value.w?.[i / 2];
    stroke.points.push({ x, y, at: now, pressure: hard === undefined ? null : hard / HARDEST });
    stroke.next = index + 1;
  }
}

/** Drops what has faded; true while anything is left to draw. */
export function fade(strokes: Stroke[], now: number): boolean {
  for (const stroke of strokes) {
    const gone = stroke.points.findIndex((point) => now - point.at < INK_FADES_MS[stroke.kind]);
    stroke.points.splice(0, gone < 0 ? stroke.points.length : gone);
  }
  const newest = strokes.at(-1);
  // The newest stays even when empty: its index tells old points from new ones.
  for (let i = strokes.length - 1; i >= 0; i--)
    if (strokes[i] !== newest && strokes[i]?.points.length === 0) strokes.splice(i, 1);
  return strokes.some((stroke) => stroke.points.length > 0);
}
