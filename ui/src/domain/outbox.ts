/**
 * Paces what this window says about its person (ux "Cursors", design A7). However often the pointer moves, values are
 * coalesced per key and leave when the peer would tell them: at most 30 times a second, slower in a big room. The first
 * goes at once, the last always goes, and only one call is on its way at a time, so a slow peer is never buried.
 *
 * The peer says how fast that is, because it knows the sessions. A window that counted the members would be slowed down
 * by people whom somebody made up, and not by the other devices of one person.
 */
import type { PresenceChange } from 'parlor-client';

export interface OutboxOptions {
  readonly send: (change: PresenceChange) => Promise<void>;
  /** Milliseconds between two sends, as the peer said last. */
  readonly pace: () => number;
  /** A send failed for good; the values in it are not sent again. */
  readonly failed?: (cause: unknown) => void;
  readonly now?: () => number;
}

interface Waiting {
  presence: Record<string, unknown>;
  unset: Set<string>;
  expire: Record<string, number>;
}

export class Outbox {
  #waiting: Waiting | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sentAt = -Infinity;
  #sending = false;
  #urgent = false;
  #closed = false;
  readonly #now: () => number;

  constructor(private readonly options: OutboxOptions) {
    this.#now = options.now ?? (() => performance.now());
  }

  /** Sets keys; `undefined` removes one. Goes out at the pace of the room. */
  set(presence: Record<string, unknown>, expire: Record<string, number> = {}): void {
    if (this.#closed) return;
    const waiting = (this.#waiting ??= { presence: {}, unset: new Set(), expire: {} });
    for (const [key, value] of Object.entries(presence)) {
      delete waiting.expire[key];
      if (value === undefined) {
        delete waiting.presence[key];
        waiting.unset.add(key);
      } else {
        waiting.presence[key] = value;
        waiting.unset.delete(key);
      }
    }
    Object.assign(waiting.expire, expire);
    this.#plan();
  }

  /** Sets keys that people wait for, such as a status or a leaving pointer: goes out now, whatever the pace. */
  setNow(presence: Record<string, unknown>, expire: Record<string, number> = {}): void {
    this.#urgent = true;
    this.set(presence, expire);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#waiting = null;
  }

  #plan(): void {
    if (this.#closed || this.#sending || this.#waiting === null) return;
    clearTimeout(this.#timer);
    const wait = this.#urgent ? 0 : this.#sentAt + this.options.pace() - this.#now();
    if (wait <= 0) void this.#flush();
    else this.#timer = setTimeout(() => this.#plan(), Math.ceil(wait));
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.#urgent = false;
    this.#sending = true;
    this.#sentAt = this.#now();
    const change: PresenceChange = { presence: waiting.presence };
    if (waiting.unset.size > 0) change.unset = [...waiting.unset];
    if (Object.keys(waiting.expire).length > 0) change.expire = waiting.expire;
    try {
      await this.options.send(change);
    } catch (cause) {
      this.options.failed?.(cause);
    } finally {
      this.#sending = false;
      this.#plan();
    }
  }
}
