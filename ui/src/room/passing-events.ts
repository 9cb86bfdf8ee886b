/**
 * Messages that nobody keeps, handed to whoever in this window waits for their type. Whoever was not there when they were
 * said never hears of them, and neither does a listener that comes later.
 */
import type { Message } from 'parlor-client';

/** Hears one message. Its `data` is another's making: read it as `domain/message-types.ts` does. */
export type EventListener = (message: Message) => void;

export class PassingEvents {
  readonly #listeners = new Map<string, Set<EventListener>>();

  on(type: string, listener: EventListener): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  pass(message: Message): void {
    this.#listeners.get(message.type)?.forEach((listener) => listener(message));
  }
}
