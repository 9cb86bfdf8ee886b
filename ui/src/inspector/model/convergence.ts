/**
 * Whether all have the same cells. Each beat of a session carries the hash of its cells, and is held against ours at that
 * moment: who differs for longer than a beat or two has missed something, and an exchange mends it.
 */
import type { Inspected, InspectSnapshot } from 'parlor-client';

export interface ConvergenceRow {
  readonly id: string;
  readonly room: string;
  readonly session: string;
  readonly mine: string;
  readonly theirs: string;
  readonly agrees: boolean;
  /** Since when it is so, in milliseconds since 1970; of who agreed from the first, when that was seen. */
  readonly since: number;
  /** How long it differed the last time, in milliseconds; null when it never did while somebody looked. */
  readonly tookMs: number | null;
  /** The longest of these. */
  readonly longestMs: number | null;
  /** How often it differed. */
  readonly times: number;
  /** Its last beat. */
  readonly at: number;
  /** Cells that were exchanged with it. */
  readonly exchanged: number;
}

/** One moment of the chart: for how long a session has differed. */
export interface Moment {
  readonly at: number;
  readonly id: string;
  readonly differsMs: number;
}

/** The chart looks back so far. */
export const CHART_MS = 5 * 60_000;
const MOMENTS = 6_000;

type Change = { -readonly [Key in keyof ConvergenceRow]: ConvergenceRow[Key] };

export class Convergence {
  readonly #rows = new Map<string, Change>();
  #moments: Moment[] = [];
  /** Our own hash in each room. */
  readonly own = new Map<string, string>();

  get rows(): readonly ConvergenceRow[] {
    return [...this.#rows.values()];
  }

  get moments(): readonly Moment[] {
    return this.#moments;
  }

  snapshot({ rooms }: InspectSnapshot): void {
    this.own.clear();
    for (const [room, { hash }] of Object.entries(rooms)) this.own.set(room, hash);
    for (const [id, { room }] of this.#rows) if (!this.own.has(room)) this.#rows.delete(id);
  }

  add(seen: Inspected): void {
    const { room } = seen;
    if (room === undefined) return;
    if (seen.what === 'hash') this.#beat(room, seen);
    else if (seen.what === 'lease' && seen.state === 'over') this.#rows.delete(idOf(room, seen.session));
    else if (seen.what === 'sync' && seen.step === 'sends') {
      const row = this.#rows.get(idOf(room, seen.session));
      if (row !== undefined) row.exchanged += seen.count;
    }
  }

  #beat(room: string, { session, mine, theirs, wallMs: at }: Inspected & { what: 'hash' }): void {
    const id = idOf(room, session);
    const agrees = mine === theirs;
    this.own.set(room, mine);
    const before = this.#rows.get(id);
    const row: Change = before ?? {
      ...{ id, room, session, mine, theirs, agrees, since: at, at },
      ...{ tookMs: null, longestMs: null, times: agrees ? 0 : 1, exchanged: 0 },
    };
    if (before !== undefined && before.agrees !== agrees) {
      // From the beat that differed to the one that agrees: not more exact than beats are apart.
      if (agrees) {
        row.tookMs = at - before.since;
        row.longestMs = Math.max(row.longestMs ?? 0, row.tookMs);
        this.#moment(id, before.since, at);
      } else row.times += 1;
      row.since = at;
    }
    Object.assign(row, { mine, theirs, agrees, at });
    this.#rows.set(id, row);
    this.#moment(id, agrees ? at : row.since, at);
  }

  #moment(id: string, since: number, at: number): void {
    this.#moments.push({ at, id, differsMs: at - since });
    if (this.#moments.length > MOMENTS) this.#moments = this.#moments.slice(-MOMENTS / 2);
  }
}

const idOf = (room: string, session: string): string => `${room}\u0000${session}`;

/** Lines for a chart: times in seconds, and for each session how long it has differed, in seconds. */
export function linesOf(
  moments: readonly Moment[],
  ids: readonly string[],
  now: number,
): [times: number[], ...lines: (number | null)[][]] {
  const places = new Map(ids.map((id, place) => [id, place]));
  const times: number[] = [];
  const lines: (number | null)[][] = ids.map(() => []);
  for (const { at, id, differsMs } of moments) {
    const place = places.get(id);
    if (place === undefined || now - at > CHART_MS) continue;
    if (times.length === 0 || (times.at(-1) ?? 0) < at / 1000) {
      times.push(at / 1000);
      for (const line of lines) line.push(null);
    }
    const line = lines[place];
    if (line !== undefined) line[times.length - 1] = differsMs / 1000;
  }
  return [times, ...lines];
}
