/** What was refused, repaired and lost, by name: how often since the peer started, and what is new since somebody looks. */
import type { Inspected, InspectSnapshot } from 'parlor-client';

export interface RefusalRow {
  readonly id: string;
  readonly name: string;
  /** Since the peer started. */
  readonly total: number;
  /** Since somebody looks. */
  readonly seen: number;
  /** When it was seen last, in milliseconds since 1970. */
  readonly at: number | null;
  /** Of whom, and in which room; null when nobody is to blame or it is not known. */
  readonly peer: string | null;
  readonly room: string | null;
}

/** Counters of what goes well, as each frame and connection is told by itself: these come with snapshots alone. */
const UNTOLD: readonly string[] = [
  ...['published', 'published_alone', 'streamed', 'sent', 'gossip_heard', 'stream_heard'],
  ...['connection_opened', 'connection_closed'],
];
/** What is counted and no trouble. */
export const ORDINARY: ReadonlySet<string> = new Set([
  ...UNTOLD,
  ...['joined', 'left', 'syncs', 'asks', 'witness_asks', 'gossip_repeated'],
]);

type Change = { -readonly [Key in keyof RefusalRow]: RefusalRow[Key] };

export class Refusals {
  readonly #rows = new Map<string, Change>();

  get rows(): readonly RefusalRow[] {
    return [...this.#rows.values()];
  }

  snapshot({ counters }: InspectSnapshot): void {
    for (const [name, total] of Object.entries(counters)) {
      if (total > 0) this.#of(name).total = total;
    }
  }

  /** What a later snapshot adds: all else was told since. */
  untold({ counters }: InspectSnapshot): void {
    for (const name of UNTOLD) {
      const total = counters[name] ?? 0;
      if (total === 0) continue;
      const row = this.#of(name);
      row.seen += Math.max(0, total - row.total);
      row.total = total;
    }
  }

  add(seen: Inspected): void {
    if (seen.what === 'counted') this.#count(seen.name, seen.times, seen, null);
    else if (seen.what === 'lost') this.#count('inspection_lost', seen.count, seen, null);
    else if (seen.what === 'frameIn') for (const name of seen.reasons) this.#count(name, 1, seen, seen.author);
  }

  #count(name: string, times: number, { wallMs, room }: Inspected, peer: string | null): void {
    const row = this.#of(name);
    row.total += times;
    row.seen += times;
    row.at = wallMs;
    row.peer = peer;
    row.room = room ?? null;
  }

  #of(name: string): Change {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { id: name, name, total: 0, seen: 0, at: null, peer: null, room: null };
      this.#rows.set(name, row);
    }
    return row;
  }
}
