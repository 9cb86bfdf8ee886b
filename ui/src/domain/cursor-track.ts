/**
 * Where to draw somebody's cursor now. Updates arrive some thirty times a second, unevenly; drawn as they come, a cursor
 * teleports. So each one goes into a buffer with the sender's own time, moved onto our clock, and the cursor is drawn
 * where it was a short delay ago, on a curve between the two points around that moment. All of it is a function of
 * buffer and time: no frames are counted, so the frame rate does not matter.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Milliseconds on the receiver's clock. */
  readonly t: number;
}

export interface Position {
  readonly x: number;
  readonly y: number;
  /** False when the position stays the same until another update comes. */
  readonly moving: boolean;
}

/** A longer pause between two points is a rest: what follows is not drawn as a glide. */
export const LONGEST_GAP_MS = 300;
const EXTRAPOLATE_MS = 50;
const SETTLE_MS = 100;
const SHORTEST_DELAY_MS = 35;
const LONGEST_DELAY_MS = 120;
const POINTS_KEPT = 48;
const GAPS_KEPT = 20;

/** The position at `time`; `snap` is the distance, in board units, over which a cursor jumps instead of gliding. */
export function positionAt(points: readonly Point[], time: number, snap: number): Position | null {
  const first = points[0];
  const last = points[points.length - 1];
  if (first === undefined || last === undefined) return null;
  if (time >= last.t) return after(points, last, time, snap);
  if (time < first.t) return { x: first.x, y: first.y, moving: true };
  let place = points.length - 2;
  while (place > 0 && (points[place]?.t ?? 0) > time) place -= 1;
  const a = points[place] ?? first;
  const b = points[place + 1] ?? last;
  if (jumps(a, b, snap)) return { x: a.x, y: a.y, moving: true };
  const before = points[place - 1];
  const next = points[place + 2];
  const p0 = before !== undefined && !jumps(before, a, snap) ? before : a;
  const p3 = next !== undefined && !jumps(b, next, snap) ? next : b;
  const u = (time - a.t) / (b.t - a.t);
  return { x: curve('x', p0, a, b, p3, u), y: curve('y', p0, a, b, p3, u), moving: true };
}

/** Catmull-Rom with the points' own times, as a cubic Hermite between `a` and `b`. */
function curve(axis: 'x' | 'y', p0: Point, a: Point, b: Point, p3: Point, u: number): number {
  const span = b.t - a.t;
  const leaving = b.t > p0.t ? ((b[axis] - p0[axis]) / (b.t - p0.t)) * span : 0;
  const arriving = p3.t > a.t ? ((p3[axis] - a[axis]) / (p3.t - a.t)) * span : 0;
  const u2 = u * u;
  const u3 = u2 * u;
  return (
    (2 * u3 - 3 * u2 + 1) * a[axis] + (u3 - 2 * u2 + u) * leaving + (3 * u2 - 2 * u3) * b[axis] + (u3 - u2) * arriving
  );
}

/** Past the newest point: go on a little, then settle on it, so that a lost last update leaves no error. */
function after(points: readonly Point[], last: Point, time: number, snap: number): Position {
  const before = points[points.length - 2];
  const late = time - last.t;
  if (before === undefined || jumps(before, last, snap) || late >= EXTRAPOLATE_MS + SETTLE_MS) {
    return { x: last.x, y: last.y, moving: false };
  }
  const ahead = Math.min(late, EXTRAPOLATE_MS) * (1 - Math.max(0, late - EXTRAPOLATE_MS) / SETTLE_MS);
  const span = last.t - before.t;
  const x = last.x + ((last.x - before.x) / span) * ahead;
  const y = last.y + ((last.y - before.y) / span) * ahead;
  return { x, y, moving: last.x !== before.x || last.y !== before.y };
}

function jumps(a: Point, b: Point, snap: number): boolean {
  return b.t - a.t > LONGEST_GAP_MS || Math.hypot(b.x - a.x, b.y - a.y) > snap;
}

/** The 90th percentile of at most twenty numbers: the largest, or of more than ten the one below it. */
function p90(of: readonly number[]): number {
  let largest = -Infinity;
  let second = -Infinity;
  for (const number of of) {
    second = Math.max(second, Math.min(largest, number));
    largest = Math.max(largest, number);
  }
  return of.length > 10 ? second : largest;
}

/** One update as it came: `t` on the sender's clock, `pts` the points on the way to it. */
export interface CursorUpdate {
  readonly x: number;
  readonly y: number;
  readonly t?: number | undefined;
  readonly pts?: readonly (readonly [number, number, number])[] | undefined;
}

/** The buffer of one cursor. */
export class CursorTrack {
  readonly #points: Point[] = [];
  readonly #gaps: number[] = [];
  #offsets: number[] = [];
  #arrivedAt: number | null = null;
  #delay = 50;

  /** How far behind the newest update it is drawn: enough to ride out the usual wait for the next one. */
  get delay(): number {
    return this.#delay;
  }

  receive(update: CursorUpdate, now: number): void {
    if (this.#arrivedAt !== null) this.#measure(now - this.#arrivedAt);
    this.#arrivedAt = now;
    const offset = this.#offset(update.t, now);
    if (update.pts !== undefined) for (const [x, y, t] of update.pts) this.#add({ x, y, t: t + offset });
    this.#add({ x: update.x, y: update.y, t: (update.t ?? now) + offset });
  }

  at(now: number, snap: number): Position | null {
    return positionAt(this.#points, now - this.#delay, snap);
  }

  /** The newest point, for those who asked for less motion. */
  get newest(): Point | null {
    return this.#points[this.#points.length - 1] ?? null;
  }

  clear(): void {
    this.#points.length = 0;
    this.#arrivedAt = null;
  }

  #add(point: Point): void {
    const last = this.newest;
    if (last !== null && point.t <= last.t) return; // a repeated or overtaken point
    this.#points.push(point);
    if (this.#points.length > POINTS_KEPT) this.#points.shift();
  }

  /** From the sender's clock to ours: the fastest of the last arrivals is the least delayed one. */
  #offset(t: number | undefined, now: number): number {
    if (t === undefined) return 0;
    const offset = now - t;
    const known = this.#offsets.length > 0 ? Math.min(...this.#offsets) : offset;
    if (Math.abs(offset - known) > 1_000) {
      // The sender started anew, or slept: its clock is another one now.
      this.#offsets = [];
      this.clear();
    }
    this.#offsets.push(offset);
    if (this.#offsets.length > GAPS_KEPT) this.#offsets.shift();
    return Math.min(...this.#offsets);
  }

  #measure(gap: number): void {
    if (gap <= 0 || gap > LONGEST_GAP_MS) return;
    this.#gaps.push(gap);
    if (this.#gaps.length > GAPS_KEPT) this.#gaps.shift();
    const wanted = Math.min(LONGEST_DELAY_MS, Math.max(SHORTEST_DELAY_MS, 1.5 * p90(this.#gaps)));
    // Towards the wanted delay in steps: a jump of the delay would be a jump of the cursor.
    this.#delay += (wanted - this.#delay) * 0.2;
  }
}
