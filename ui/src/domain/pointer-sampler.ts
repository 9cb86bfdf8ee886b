/**
 * Makes cursor updates of pointer moves: the newest point, and up to four on the way to it where the way is a curve, so
 * that a fast curve stays one at thirty updates a second. When the pointer rests, one more update says so at the exact
 * spot, and receivers need not guess whether it goes on.
 */
import type { Spot } from './camera';

type Moment = [x: number, y: number, t: number];

export interface CursorValue {
  readonly x: number;
  readonly y: number;
  /** The sender's monotonic milliseconds. */
  readonly t: number;
  readonly pts?: Moment[];
}

const BETWEEN_MAX = 4;
const RESTS_AFTER_MS = 60;
const KEPT_MAX = 64;
/** A point this close to the straight way, in board units, tells nothing. */
const STRAIGHT = 1;

export class PointerSampler {
  /** Not sent yet, oldest first. */
  #unsent: Moment[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly changed: () => void) {}

  /** A pointer move in board coordinates at `t`. */
  move(spot: Spot, t: number): void {
    const moment: Moment = [round(spot.x), round(spot.y), Math.round(t)];
    this.#unsent.push(moment);
    if (this.#unsent.length > KEPT_MAX) this.#unsent.shift();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#unsent.push([moment[0], moment[1], moment[2] + RESTS_AFTER_MS]);
      this.changed();
    }, RESTS_AFTER_MS);
    this.changed();
  }

  /** The pointer left the surface. */
  leave(): void {
    clearTimeout(this.#timer);
    this.#unsent = [];
  }

  /** The value to send now, or null when all was sent. */
  take(): CursorValue | null {
    const last = this.#unsent.at(-1);
    if (last === undefined) return null;
    const value = { x: last[0], y: last[1], t: last[2] };
    const between = this.#unsent.slice(0, -1);
    const step = Math.max(1, between.length / BETWEEN_MAX);
    const pts = between.filter((_, place) => Math.floor(place / step) !== Math.floor((place - 1) / step));
    return pts.slice(0, BETWEEN_MAX).some((point) => isOff(point, pts[0] ?? point, last))
      ? { ...value, pts: pts.slice(0, BETWEEN_MAX) }
      : value;
  }

  /** The value was sent. */
  sent(): void {
    this.#unsent = [];
  }
}

/** Whether a point is away from where the straight way between two others would have it at that time. */
function isOff(point: Moment, from: Moment, to: Moment): boolean {
  const u = to[2] === from[2] ? 0 : (point[2] - from[2]) / (to[2] - from[2]);
  const dx = from[0] + (to[0] - from[0]) * u - point[0];
  const dy = from[1] + (to[1] - from[1]) * u - point[1];
  return Math.hypot(dx, dy) > STRAIGHT;
}

/** A tenth of a board unit is finer than any screen shows. */
const round = (value: number): number => Math.round(value * 10) / 10;
