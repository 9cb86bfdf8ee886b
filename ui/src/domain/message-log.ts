/**
 * The messages that this window has, in their order: when they were said by their writers' clocks, then by id. They are
 * immutable, so putting two lists together is a union; one that was said long ago in a part of the room that was away
 * takes its place in the past. Pure.
 */
import { compareBytes, type Message } from 'parlor-client';

/** A place in the order. */
export type Place = Pick<Message, 'publishedAt' | 'id'>;

/** The room keeps 500 (design R11); what was seen of older ones stays a while. */
export const LOG_MAX = 1_000;

/** Negative when `a` stands before `b`. What has no time that can be read stands first. */
export function compareMessages(a: Place, b: Place): number {
  const [left, right] = [timeOf(a), timeOf(b)];
  return left !== right ? left - right : compareBytes(a.id, b.id);
}

export const timeOf = ({ publishedAt }: Pick<Place, 'publishedAt'>): number => {
  const time = Date.parse(publishedAt);
  return Number.isNaN(time) ? 0 : time;
};

export interface Merged {
  /** Oldest first. The same list as before when nothing is new. */
  readonly log: readonly Message[];
  /** Those that were not there before, oldest first. */
  readonly added: readonly Message[];
}

export function mergeMessages(log: readonly Message[], more: readonly Message[]): Merged {
  const known = new Set(log.map((message) => message.id));
  const added: Message[] = [];
  for (const message of more) {
    if (!message.kept || known.has(message.id)) continue;
    known.add(message.id);
    added.push(message);
  }
  if (added.length === 0) return { log, added };
  added.sort(compareMessages);
  const last = log.at(-1);
  const first = added[0];
  // Nearly always the new one is the newest.
  const all =
    last === undefined || (first !== undefined && compareMessages(last, first) < 0)
      ? [...log, ...added]
      : [...log, ...added].sort(compareMessages);
  return { log: all.length > LOG_MAX ? all.slice(-LOG_MAX) : all, added };
}

/**
 * What can be shown without a hole: everything from the oldest message that came by pages. What is older waits until its
 * page is there; `from` is null when all pages were read.
 */
export function shownFrom(log: readonly Message[], from: Place | null): readonly Message[] {
  if (from === null) return log;
  const first = log.findIndex((message) => compareMessages(message, from) >= 0);
  return first < 0 ? [] : first === 0 ? log : log.slice(first);
}
