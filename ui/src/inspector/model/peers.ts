/** The peers that this one is linked to, how long their answers take, when they were heard, and how often one was replaced. */
import type { Inspected, PeerInfo } from 'parlor-client';
import { quantile } from './quantile';

export interface PeerRow {
  readonly id: string;
  readonly info: PeerInfo;
  /** It is not linked any more. */
  readonly gone: boolean;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Round trips that the two are made of. */
  readonly samples: number;
  /** When a frame of it came last, in milliseconds since 1970. */
  readonly heardAt: number | null;
  /** Frames of it that came. */
  readonly frames: number;
  /** Times that the watchdog replaced the connection, since the peer started. */
  readonly watchdog: number;
}

/** At one answer in two seconds, ten minutes. */
const SAMPLES = 300;
/** Peers that are gone are shown so many. */
const GONE = 50;
/** A word in the reason of a connection that the watchdog ended. */
const REPLACED = 'watchdog';

interface Kept {
  info: PeerInfo;
  gone: boolean;
  rtts: number[];
  heardAt: number | null;
  frames: number;
  watchdog: number;
}

export class Peers {
  readonly #kept = new Map<string, Kept>();
  readonly #heard = new Map<string, { at: number; frames: number }>();
  /** Times that the watchdog acted, at whomever, since the peer started. */
  watchdog = 0;

  /** All that are linked now. `sampled`: their round trips are those of now. */
  linked(peers: readonly PeerInfo[], sampled: boolean): void {
    const here = new Set(peers.map(({ peerId }) => peerId));
    for (const [id, kept] of this.#kept) kept.gone = !here.has(id);
    for (const info of peers) {
      const heard = this.#heard.get(info.sessionId);
      const kept = this.#kept.get(info.peerId) ?? {
        ...{ info, gone: false, rtts: [], watchdog: 0 },
        ...{ heardAt: heard?.at ?? null, frames: heard?.frames ?? 0 },
      };
      kept.info = info;
      kept.gone = false;
      if (sampled && info.rttMs !== null) kept.rtts.push(info.rttMs);
      if (kept.rtts.length > SAMPLES) kept.rtts.shift();
      this.#kept.set(info.peerId, kept);
    }
    const gone = [...this.#kept].filter(([, { gone }]) => gone);
    for (const [id] of gone.slice(0, Math.max(0, gone.length - GONE))) this.#kept.delete(id);
  }

  counters(counters: Readonly<Record<string, number>>): void {
    this.watchdog = counters[REPLACED] ?? 0;
  }

  add(seen: Inspected): void {
    if (seen.what === 'frameIn') {
      const heard = this.#heard.get(seen.author);
      this.#heard.set(seen.author, { at: seen.wallMs, frames: (heard?.frames ?? 0) + 1 });
      if (this.#heard.size > 2_000) this.#heard.delete([...this.#heard.keys()][0] ?? '');
    } else if (seen.what === 'counted' && seen.name === REPLACED) this.watchdog += seen.times;
    else if (seen.what === 'disconnected' && seen.reason.includes(REPLACED)) {
      const kept = this.#kept.get(seen.peerId);
      if (kept !== undefined) kept.watchdog += 1;
    }
  }

  /** When a session was heard last. */
  heardAt(session: string): number | null {
    return this.#heard.get(session)?.at ?? null;
  }

  get rows(): readonly PeerRow[] {
    return [...this.#kept].map(([id, { info, gone, rtts, watchdog }]) => {
      const heard = this.#heard.get(info.sessionId);
      return {
        ...{ id, info, gone, watchdog: Math.max(info.watchdog, watchdog), samples: rtts.length },
        ...{ p50: quantile(rtts, 0.5), p99: quantile(rtts, 0.99) },
        ...{ heardAt: heard?.at ?? null, frames: heard?.frames ?? 0 },
      };
    });
  }
}
