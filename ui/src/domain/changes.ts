/**
 * What changed in a room's settings while this window looked on: key by key, from what to what, by whom and when. The
 * newest twenty, newest first; enough to take each back while it still stands. Pure.
 */
import type { RoomMetadata } from 'parlor-client';
import { PINS_KEY } from './message-types';

export const CHANGES_MAX = 20;

export interface SettingChange {
  readonly id: number;
  readonly key: string;
  /** Undefined where there was nothing, or is nothing any more. */
  readonly from: unknown;
  readonly to: unknown;
  readonly by: string | null;
  /** RFC 3339; null when nobody knows. */
  readonly at: string | null;
}

export class SettingChanges {
  #list: readonly SettingChange[] = [];
  #next = 1;
  /** Who wrote a key last, as far as this window saw. */
  readonly #writers = new Map<string, string | null>();

  get list(): readonly SettingChange[] {
    return this.#list;
  }

  /** Takes a change down. Answers those of its keys that `me` had written and somebody else now wrote over. */
  take(before: RoomMetadata, after: RoomMetadata, keys: readonly string[], me: string): readonly SettingChange[] {
    const over: SettingChange[] = [];
    for (const key of keys) {
      if (key === PINS_KEY) continue; // the messages show it
      const [from, to] = [own(before.metadata, key), own(after.metadata, key)];
      if (sameValue(from, to)) continue;
      const { updatedBy: by, updatedAt: at } = after;
      const change = { id: this.#next++, key, from, to, by, at };
      this.#list = [change, ...this.#list].slice(0, CHANGES_MAX);
      if (by !== me && this.#writers.get(key) === me) over.push(change);
      this.#writers.set(key, by);
    }
    return over;
  }
}

/** Whether what a change made is still there. */
export const stillStands = (change: SettingChange, metadata: Readonly<Record<string, unknown>>): boolean =>
  sameValue(change.to, own(metadata, change.key));

/** Equal as JSON is, whatever the order of an object's keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([key, value]) => Object.hasOwn(b, key) && sameValue(value, own(b, key)));
}

const own = (bag: object, key: string): unknown =>
  Object.hasOwn(bag, key) ? (bag as Record<string, unknown>)[key] : undefined;
