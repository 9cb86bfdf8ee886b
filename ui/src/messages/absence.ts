/**
 * Whether this person was away, and what was said meanwhile. Being away begins when they leave the room, hide the window
 * or do nothing for a while; coming back from a moment is nothing to tell. What others said reaches this window a little
 * after the person does, so for some seconds it still counts. Pure, but for the clock that is handed in.
 */
import type { Message } from 'parlor-client';
import { timeOf } from '../domain/message-log';

/** Whoever was away for less saw it all. */
const MOMENT_MS = 30_000;
const STILL_COMES_MS = 15_000;

export class Absence {
  #since: number | null = null;
  #backAt: number | null = null;
  #ids = new Set<string>();

  constructor(private readonly now: () => number = Date.now) {}

  /** When the person went away; null when nothing is to be told. */
  get since(): number | null {
    return this.#backAt === null ? null : this.#since;
  }

  goes(at: number = this.now()): void {
    [this.#since, this.#backAt, this.#ids] = [at, null, new Set()];
  }

  /** Answers whether they were away long enough for news. */
  comes(): boolean {
    if (this.#since === null || this.#backAt !== null) return false;
    if (this.now() - this.#since < MOMENT_MS) this.forget();
    else this.#backAt = this.now();
    return this.#since !== null;
  }

  forget(): void {
    [this.#since, this.#backAt, this.#ids] = [null, null, new Set()];
  }

  /** Messages that are news and came just now. */
  hears(news: readonly Message[]): void {
    if (this.#since === null) return;
    const back = this.#backAt;
    if (back !== null && this.now() - back > STILL_COMES_MS) return;
    for (const message of news) if (back === null || timeOf(message) < back) this.#ids.add(message.id);
  }

  heard(id: string): boolean {
    return this.#ids.has(id);
  }
}
