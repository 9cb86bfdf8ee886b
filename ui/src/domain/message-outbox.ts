/**
 * What this person says, from the moment they press Enter until the room has it. Each text carries a key, so that trying
 * again after a lost answer stores it once (design A12); one is sent after the other, so that they stay in order; and one
 * that the room has already told is taken off, whether or not its own answer came back.
 */
import { toParlorError, type Message, type ParlorError, type Publish } from 'parlor-client';
import { newId } from './ids';
import { timeOf } from './message-log';
import { CHAT, chatIn } from './message-types';

export interface Pending {
  readonly key: string;
  readonly text: string;
  readonly replyTo: string | null;
  /** When it was said, by this computer's clock. */
  readonly at: number;
  /** Null while it is on its way. */
  readonly error: ParlorError | null;
}

export interface MessageOutboxOptions {
  readonly publish: (args: Publish) => Promise<Message>;
  /** The list is another one. */
  readonly changed: (pending: readonly Pending[]) => void;
  /** The room has it. */
  readonly sent: (message: Message) => void;
  readonly now?: () => number;
  readonly newKey?: () => string;
}

/** The peer stamps a message a moment after it was said, or before by a clock that was just set. */
const CLOCK_STEP_MS = 2_000;

export class MessageOutbox {
  #pending: readonly Pending[] = [];
  /** Those that were handed to the peer at least once. */
  readonly #tried = new Set<string>();
  #sending = false;
  #closed = false;
  readonly #now: () => number;
  readonly #newKey: () => string;

  constructor(private readonly options: MessageOutboxOptions) {
    this.#now = options.now ?? Date.now;
    this.#newKey = options.newKey ?? (newId);
  }

  get pending(): readonly Pending[] {
    return this.#pending;
  }

  say(text: string, replyTo: string | null): void {
    if (this.#closed) return;
    const pending = { key: this.#newKey(), text, replyTo, at: this.#now(), error: null };
    this.#set([...this.#pending, pending]);
    void this.#send();
  }

  tryAgain(key: string): void {
    this.#set(this.#pending.map((one) => (one.key === key ? { ...one, error: null } : one)));
    void this.#send();
  }

  /** The way to the peer is there again: what failed for want of it is tried again by itself. */
  reachable(): void {
    const waits = ({ error }: Pending) => error !== null && ['NETWORK_UNAVAILABLE', 'NOT_JOINED'].includes(error.code);
    if (!this.#pending.some(waits)) return;
    this.#set(this.#pending.map((one) => (waits(one) ? { ...one, error: null } : one)));
    void this.#send();
  }

  /** Takes back one that failed; null when the room has it by now. */
  drop(key: string): Pending | null {
    const found = this.#pending.find((one) => one.key === key && one.error !== null) ?? null;
    if (found !== null) this.#set(this.#pending.filter((one) => one !== found));
    return found;
  }

  /** A message of this person that was not known before. */
  heard(message: Message): void {
    const chat = chatIn(message);
    const found = this.#pending.find(
      (one) =>
        this.#tried.has(one.key) &&
        one.text === chat?.text &&
        one.replyTo === chat.replyTo &&
        timeOf(message) >= one.at - CLOCK_STEP_MS,
    );
    if (found !== undefined) this.#remove(found.key);
  }

  close(): void {
    this.#closed = true;
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (;;) {
      const next = this.#pending.find((one) => one.error === null);
      if (next === undefined || this.#closed) break;
      this.#tried.add(next.key);
      try {
        const data = { text: next.text, ...(next.replyTo === null ? {} : { replyTo: next.replyTo }) };
        const message = await this.options.publish({ type: CHAT, data, keep: true, idempotencyKey: next.key });
        this.#remove(next.key);
        this.options.sent(message);
      } catch (cause) {
        const error = toParlorError(cause);
        this.#set(this.#pending.map((one) => (one.key === next.key ? { ...one, error } : one)));
      }
    }
    this.#sending = false;
  }

  #remove(key: string): void {
    if (this.#pending.some((one) => one.key === key)) this.#set(this.#pending.filter((one) => one.key !== key));
  }

  #set(pending: readonly Pending[]): void {
    this.#pending = pending;
    this.options.changed(pending);
  }
}
