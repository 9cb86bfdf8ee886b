/**
 * The log as it is read: under a line for each day, what one person said within five minutes under one name, and a line
 * "New" before the first that was not read. Pure.
 */
import type { Message } from 'parlor-client';
import { timeOf } from './message-log';
import { chatIn } from './message-types';

/** Somebody who goes on speaking keeps their name above. */
export const TOGETHER_MS = 5 * 60_000;

/** A long speech has its name again from time to time, and no group is too large to be drawn at once. */
const GROUP_MAX = 20;

export interface MessageGroup {
  /** The id of its first message; new messages at its end do not change it. */
  readonly key: string;
  /** Midnight of the day, in this computer's time; null when the group before is of the same day. */
  readonly day: number | null;
  /** The line "New" stands before it. */
  readonly fresh: boolean;
  /** All by one writer, and at least one. */
  readonly messages: readonly Message[];
}

export function groupsOf(log: readonly Message[], firstFresh: string | null): readonly MessageGroup[] {
  const groups: { key: string; day: number | null; fresh: boolean; messages: Message[] }[] = [];
  let day: number | null = null;
  let last: Message | null = null;
  for (const message of log) {
    const today = midnight(timeOf(message));
    const fresh = message.id === firstFresh;
    const group = groups.at(-1);
    if (group && last && group.messages.length < GROUP_MAX && !fresh && today === day && together(last, message)) {
      group.messages.push(message);
    } else {
      groups.push({ key: message.id, day: today === day ? null : today, fresh, messages: [message] });
    }
    day = today;
    last = message;
  }
  return groups;
}

function together(before: Message, after: Message): boolean {
  return (
    before.actor.userId === after.actor.userId &&
    before.memberId === after.memberId &&
    before.actor.kind === after.actor.kind &&
    timeOf(after) - timeOf(before) < TOGETHER_MS &&
    // Words stand under a name, and what a tool said stands by itself.
    (chatIn(before) === null) === (chatIn(after) === null)
  );
}

export function midnight(time: number): number {
  const day = new Date(time);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}
