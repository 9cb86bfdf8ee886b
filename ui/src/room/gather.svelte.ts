/**
 * "Bring everyone here": one person asks, and each of the others says whether to go. There is one question at a time; the
 * newest takes the place of the one before, and whoever was told "not now" may not ask this person again for a while.
 */
import { rowKey, type Message, type RowKey } from 'parlor-client';
import { sentenceOf } from '../app/app.svelte';
import type { Notes } from '../app/notes.svelte';
import type { Rect } from '../domain/camera';
import { lookingWith } from '../domain/follow';
import { GATHER } from '../domain/message-types';
import { viewportOf } from '../domain/seen';
import { t } from '../i18n';
import type { Person } from './person';
import type { RoomSession } from './session.svelte';

export interface Call {
  readonly by: Person;
  readonly where: Rect;
}

/** Between two calls of this person. */
export const ASK_EVERY_MS = 10_000;
/** How long a "not now" holds. */
export const QUIET_MS = 30_000;
/** By then they have gone on. */
export const ASKED_FOR_MS = 60_000;

export class Gather {
  call = $state.raw<Call | null>(null);
  #askedAt = -Infinity;
  readonly #quiet = new Map<RowKey, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: RoomSession,
    private readonly notes: Notes,
  ) {}

  /** Takes calls of others until the returned function is called. */
  listen(): () => void {
    const end = this.session.onEvent(GATHER, (message) => this.#hear(message));
    return () => {
      end();
      this.#close();
    };
  }

  /** Asks the others to look where this person does. */
  async ask(): Promise<void> {
    const { others, view } = this.session;
    const now = performance.now();
    if (others === 0) return this.notes.show(t.gather.alone);
    if (now - this.#askedAt < ASK_EVERY_MS) return this.notes.show(t.gather.again);
    this.#askedAt = now;
    const { x, y, w, h } = view.viewport;
    try {
      await this.session.tell(GATHER, { viewport: { x, y, w, h } });
      this.notes.show(t.gather.asked(others));
    } catch (cause) {
      this.#askedAt = -Infinity;
      this.notes.show(sentenceOf(cause));
    }
  }

  answer(go: boolean): void {
    const { call } = this;
    if (call === null) return;
    this.#close();
    const { view } = this.session;
    if (go) view.look(lookingWith(call.where, view.size));
    else this.#quiet.set(call.by.key, performance.now() + QUIET_MS);
  }

  /** Who asked may be gone, and then there is nothing to answer. */
  rowsChanged(people: readonly Person[]): void {
    const by = people.find((person) => person.key === this.call?.by.key);
    if (by === undefined || by.state === 'left') this.#close();
  }

  #hear(message: Message): void {
    const by = this.session.people.find((person) => person.key === rowKey(message));
    const { data } = message;
    const where = typeof data === 'object' && data !== null ? viewportOf(data as Record<string, unknown>) : null;
    if (by === undefined || by.self || by.state === 'left' || where === null || where.w === 0 || where.h === 0) return;
    const now = performance.now();
    for (const [key, until] of this.#quiet) if (until <= now) this.#quiet.delete(key);
    if (this.#quiet.has(by.key)) return;
    if (this.call?.by.key !== by.key) this.notes.say(t.gather.asks(by.name));
    this.call = { by, where };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#close(), ASKED_FOR_MS);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.call = null;
  }
}
