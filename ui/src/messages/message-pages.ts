/**
 * The log of a room, read by pages from the newest back. It knows how far back it came, so that reading again after the
 * feed began anew misses nothing of what is shown: a message may have come late, anywhere in the past.
 */
import type { HistoryPage, HistoryQuery, Message } from 'parlor-client';
import { compareMessages, mergeMessages, type Place } from '../domain/message-log';

const PAGE = 100;
const PAGE_MAX = 1_000;

export class MessagePages {
  /** The oldest that was read; null when that is all there is, undefined before the first page. */
  #from: Place | null | undefined;
  #cursor: string | null = null;

  constructor(
    private readonly ask: (query: HistoryQuery) => Promise<HistoryPage>,
    private readonly take: (messages: readonly Message[]) => void,
  ) {}

  get from(): Place | null | undefined {
    return this.#from;
  }

  get more(): boolean {
    return this.#cursor !== null;
  }

  /** The newest, and at least as far back as before; `shown` is how many there were. */
  async newest(shown: number): Promise<void> {
    const before = this.#from;
    await this.#page(Math.min(PAGE_MAX, Math.max(PAGE, shown)), null);
    while (before !== undefined && this.#cursor !== null && !this.#reaches(before)) await this.older();
  }

  async older(): Promise<void> {
    if (this.#cursor !== null) await this.#page(PAGE, this.#cursor);
  }

  /** All that is kept, together with what is known, oldest first. */
  async everything(known: readonly Message[]): Promise<readonly Message[]> {
    let all = known;
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: HistoryPage = await this.ask({ limit: PAGE_MAX, ...(cursor === undefined ? {} : { cursor }) });
      all = mergeMessages(all, page.messages).log;
      cursor = page.nextCursor;
    }
    return all;
  }

  async #page(limit: number, cursor: string | null): Promise<void> {
    const page = await this.ask(cursor === null ? { limit } : { limit, cursor });
    this.#cursor = page.nextCursor;
    this.#from = page.nextCursor === null ? null : (page.messages.at(-1) ?? null);
    this.take(page.messages);
  }

  #reaches(before: Place | null): boolean {
    if (before === null || this.#from === null || this.#from === undefined) return this.#from === null;
    return compareMessages(this.#from, before) <= 0;
  }
}
