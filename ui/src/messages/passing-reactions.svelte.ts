/**
 * Reactions: events that pass. For some seconds they stand by the message, or by the person, that they belong to; then
 * they were never there. However many come, what is drawn is bounded.
 */
import { rowKey, type Message } from 'parlor-client';
import { reactionIn } from '../domain/message-types';

export const SHOWN_MS = 4_000;
const ALL_MAX = 60;

/** What one may react with in Parlor's own windows. */
export const REACTIONS = ['👍', '❤️', '😂', '🎉', '👀', '✅', '🙏', '👎'] as const;

export interface Burst {
  readonly id: number;
  readonly emoji: string;
  /** The message it stands by; null for the cursor of the person. */
  readonly message: string | null;
  /** The row of whoever sent it. */
  readonly person: string;
  readonly userId: string;
}

export class PassingReactions {
  shown = $state.raw<readonly Burst[]>([]);
  #next = 1;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  hear(message: Message): void {
    const reaction = reactionIn(message);
    if (reaction === null) return;
    const person = rowKey(message);
    const burst: Burst = { id: this.#next++, ...reaction, person, userId: message.actor.userId };
    this.shown = [...this.shown, burst].slice(-ALL_MAX);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.shown = this.shown.filter((other) => other !== burst);
    }, SHOWN_MS);
    this.#timers.add(timer);
  }

  /** By message: each emoji once, with who sent it, in the order of the first. */
  at(message: string): readonly (readonly [emoji: string, people: readonly string[]])[] {
    const found = new Map<string, Set<string>>();
    for (const burst of this.shown) {
      if (burst.message !== message) continue;
      found.set(burst.emoji, (found.get(burst.emoji) ?? new Set()).add(burst.userId));
    }
    return [...found].map(([emoji, people]) => [emoji, [...people]] as const);
  }

  close(): void {
    this.#timers.forEach(clearTimeout);
    this.shown = [];
  }
}
