/**
 * Everything that was seen, as rows. What a frame did (cells, presence, hashes) is told before the frame itself, so it is
 * kept until the frame comes, and then belongs to it. What is written here belongs to the frame that takes it out.
 */
import type { Inspected } from 'parlor-client';
import { Ring } from './ring';

export type Direction = 'in' | 'out' | 'none';

/** One line of the log. */
export interface SeenRow {
  readonly seen: Inspected;
  readonly dir: Direction;
  /** Such as `delta`; of what is no frame, what it is. */
  readonly kind: string;
  /** The other end: who signed it, or for whom it is; null when it is for everybody or of nobody. */
  readonly peer: string | null;
  /** Who passed it on. */
  readonly via: string | null;
  /** Registers and presence keys that it is about. */
  readonly keys: readonly string[];
  readonly bytes: number | null;
  readonly tookUs: number | null;
  readonly verdict: string | null;
  readonly reasons: readonly string[];
  /** What it did here. */
  readonly did: readonly Inspected[];
}

/** Rows that are kept. */
export const ROWS = 10_000;
/** Things that wait for their frame, in one room. */
const WAITING = 1_024;

interface Waiting {
  in: Inspected[];
  out: Inspected[];
}

export class SeenLog {
  readonly rows = new Ring<SeenRow>(ROWS);
  readonly #waiting = new Map<string, Waiting>();

  add(seen: Inspected): void {
    const waiting = this.#of(seen.room ?? '');
    switch (seen.what) {
      case 'cell':
        keep(seen.own ? waiting.out : waiting.in, seen);
        return;
      case 'presence':
      case 'hash':
        keep(waiting.in, seen);
        return;
      case 'frameIn':
        this.rows.push(rowOf(seen, waiting.in.splice(0)));
        return;
      case 'frameOut':
        this.rows.push(rowOf(seen, seen.kind === 'cells' ? waiting.out.splice(0) : []));
        return;
      default:
        this.rows.push(rowOf(seen, []));
    }
  }

  #of(room: string): Waiting {
    let waiting = this.#waiting.get(room);
    if (waiting === undefined) this.#waiting.set(room, (waiting = { in: [], out: [] }));
    return waiting;
  }
}

function keep(waiting: Inspected[], seen: Inspected): void {
  if (waiting.length >= WAITING) waiting.shift();
  waiting.push(seen);
}

/** A key of presence or a register, as a filter finds it. */
export function keysOf(seen: Inspected): readonly string[] {
  if (seen.what === 'cell') {
    const { object, field } = seen.register;
    return [object === '' ? field : `${object}.${field}`];
  }
  return seen.what === 'presence' ? seen.changed : [];
}

function rowOf(seen: Inspected, did: readonly Inspected[]): SeenRow {
  const plain = {
    seen,
    dir: 'none' as Direction,
    kind: seen.what as string,
    peer: null,
    via: null,
    bytes: null,
    tookUs: seen.tookUs ?? null,
    verdict: null,
    reasons: [] as readonly string[],
    keys: [...new Set(did.flatMap(keysOf))],
    did,
  };
  switch (seen.what) {
    case 'frameIn': {
      const via = seen.via === seen.author ? null : seen.via;
      const { kind, author: peer, bytes, verdict, reasons } = seen;
      return { ...plain, dir: 'in', kind, peer, via, bytes, verdict, reasons };
    }
    case 'frameOut':
      return { ...plain, dir: 'out', kind: seen.kind, peer: seen.to ?? null, bytes: seen.bytes };
    case 'link':
      return { ...plain, peer: seen.session, reasons: seen.cause === null || seen.cause === undefined ? [] : [seen.cause] };
    case 'lease':
      return { ...plain, peer: seen.session, verdict: seen.state, reasons: seen.reason == null ? [] : [seen.reason] };
    case 'sync':
      return { ...plain, peer: seen.session, verdict: seen.step };
    case 'dialFailed':
    case 'disconnected':
      return { ...plain, peer: seen.peerId ?? null, reasons: [seen.reason] };
    case 'dial':
    case 'connected':
      return { ...plain, peer: seen.peerId ?? null };
    case 'counted':
      return { ...plain, reasons: [seen.name] };
    default:
      return plain;
  }
}
