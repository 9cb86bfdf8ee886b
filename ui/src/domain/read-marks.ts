/**
 * What this person has read of a room, kept on this computer: it is no presence, and nobody else learns of it. Messages
 * may arrive late and in the past, so one place in the log cannot say it: each message that was read is remembered, by a
 * few letters of its id. Pure, but for the store that is handed in.
 */
import type { Message } from 'parlor-client';
import { timeOf } from './message-log';
import { chatIn } from './message-types';

/** Twice what a room keeps. */
const MARKS_MAX = 1_000;
/** How long after the first entry what was said before it still comes in as history, and not as news. */
const HISTORY_COMES_MS = 30_000;

/** A part of `Storage`. */
export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export class ReadMarks {
  /** Until when this person was here the last time; null when they never were. */
  readonly leftAt: number | null;
  readonly #key: string;
  /** When this person first came here. What was said before is not news to them. */
  readonly #since: number;
  /** The oldest first. */
  readonly #read = new Set<string>();

  constructor(
    private readonly store: Store | null,
    user: string,
    room: string,
    private readonly now: () => number = Date.now,
  ) {
    this.#key = keyOf(user, room);
    const kept = readKept(this.store, this.#key);
    this.#since = kept?.since ?? now();
    this.leftAt = kept?.leftAt ?? null;
    kept?.read.forEach((mark) => this.#read.add(mark));
  }

  /** Whether a message is still to be read: words of somebody else. */
  isNews(message: Message, me: string): boolean {
    if (message.actor.userId === me || chatIn(message) === null || this.#read.has(markOf(message.id))) return false;
    return !(timeOf(message) < this.#since && this.now() - this.#since < HISTORY_COMES_MS);
  }

  /** Whether it was marked, by this page or by another of this browser. */
  isRead(id: string): boolean {
    return this.#read.has(markOf(id));
  }

  mark(ids: Iterable<string>): void {
    for (const id of ids) {
      const mark = markOf(id);
      this.#read.delete(mark);
      this.#read.add(mark);
    }
    this.#shorten();
  }

  /** Writes it down, together with what another page of the same room wrote, and that this person was here until now. */
  save(): void {
    this.again();
    const kept = { since: this.#since, leftAt: this.now(), read: [...this.#read].join(' ') };
    try {
      this.store?.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // A full or forbidden store: it is known for this visit only.
    }
  }

  /** Takes over what another page marked meanwhile. */
  again(): void {
    const kept = readKept(this.store, this.#key);
    kept?.read.forEach((mark) => this.#read.add(mark));
    this.#shorten();
  }

  #shorten(): void {
    for (const mark of this.#read) {
      if (this.#read.size <= MARKS_MAX) return;
      this.#read.delete(mark);
    }
  }
}

/** Forgets what was read of a room, whoever read it here. */
export function forgetMarks(store: Pick<Storage, 'length' | 'key' | 'removeItem'>, room: string): void {
  const keys = Array.from({ length: store.length }, (_, place) => store.key(place) ?? '');
  for (const key of keys) {
    if (key.startsWith(PREFIX) && key.slice(key.indexOf('/') + 1) === room) store.removeItem(key);
  }
}

const PREFIX = 'parlor-read:';

const keyOf = (user: string, room: string): string => `${PREFIX}${user}/${room}`;

interface Kept {
  readonly since: number;
  readonly leftAt: number | null;
  readonly read: readonly string[];
}

function readKept(store: Store | null, key: string): Kept | null {
  try {
    const kept: unknown = JSON.parse(store?.getItem(key) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return null;
    const { since, leftAt, read } = kept as Record<string, unknown>;
    if (typeof since !== 'number' || typeof read !== 'string') return null;
    return { since, leftAt: typeof leftAt === 'number' ? leftAt : null, read: read.split(' ').filter(Boolean) };
  } catch {
    return null;
  }
}

/** A few letters for an id: two of a room's messages have the same once in millions of rooms. */
function markOf(id: string): string {
  let hash = 2166136261;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619);
  return (hash >>> 0).toString(36);
}
