/**
 * The events of a room over HTTP, one by one and in order, for programs that draw nothing: a server, a bot. It needs
 * `fetch` and no WebSocket. When the connection ends it is made again, after a back-off with jitter, from the last
 * event that was handed out: the peer sends what was missed, or says `resync` and sends a snapshot. What the peer does
 * inside (`inspect.ts`) comes by the same way.
 */
import type { Unsubscribe } from './backend';
import { bearer, type Guest, inRoom, pathOf, type Where } from './call';
import { type ParlorError, toParlorError } from './errors';
import type { Item } from './generated/Item';

/** Who asks whom. */
export interface FollowOptions {
  /** Scheme, host and port of the peer: `http://127.0.0.1:4700`. */
  readonly origin: string;
  readonly token: string;
  /**
   * The guest for whom the peer is asked; its own person when missing. The guest's members live while the stream is
   * open.
   */
  readonly guest?: Guest | null;
  /** Replaced in tests. */
  readonly world?: { readonly fetch?: typeof fetch; readonly random?: () => number };
}

/** Who is told. */
export interface Follower<T = Item> {
  /** What happened. A `snapshot` voids what was known before; `resync` announces one. */
  item(item: T): void;
  /** Whether the way to the peer works. */
  link?(up: boolean): void;
  /** The peer refuses, and would again: a wrong token, a name that breaks a rule. Nothing follows. */
  failed?(cause: ParlorError): void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
/** The peer sends a comment after 15 s of silence. */
const SILENCE_MS = 40_000;

/** Follows a room until the answer is called. */
export function followRoom(room: string, options: FollowOptions, follower: Follower): Unsubscribe {
  return follow(inRoom(room, '/events'), options, follower);
}

/** Follows a stream until the answer is called. */
export function follow<T>(where: Where, options: FollowOptions, follower: Follower<T>): Unsubscribe {
  const following = new Following(where, options, follower);
  void following.run();
  return () => following.end();
}

class Following<T> {
  readonly #ended = new AbortController();
  #place: string | null = null;
  #attempts = 0;
  #up = false;

  constructor(
    private readonly where: Where,
    private readonly options: FollowOptions,
    private readonly follower: Follower<T>,
  ) {}

  end(): void {
    this.#ended.abort();
  }

  async run(): Promise<void> {
    const random = this.options.world?.random ?? Math.random;
    const unsaid = this.#unsaid();
    if (unsaid !== null) return void this.follower.failed?.(unsaid);
    while (!this.#ended.signal.aborted) {
      const refused = await this.#once().catch(() => null);
      if (this.#ended.signal.aborted) return;
      this.#link(false);
      if (refused !== null) {
        this.follower.failed?.(refused);
        return;
      }
      const longest = Math.min(FIRST_WAIT_MS * 2 ** this.#attempts, LONGEST_WAIT_MS);
      this.#attempts += 1;
      await this.#wait(longest * (0.5 + 0.5 * random()));
    }
  }

  /** Why it cannot even be asked: a room or a guest that no request can name. */
  #unsaid(): ParlorError | null {
    try {
      pathOf(this.where);
      this.#headers();
      return null;
    } catch (cause) {
      return toParlorError(cause);
    }
  }

  /** One connection, to its end. Answers the refusal that is no use to ask against again. */
  async #once(): Promise<ParlorError | null> {
    const dead = new AbortController();
    const cut = () => dead.abort();
    this.#ended.signal.addEventListener('abort', cut);
    let silence = setTimeout(cut, SILENCE_MS);
    try {
      const request = this.options.world?.fetch ?? fetch;
      const address = this.options.origin + pathOf(this.where);
      const response = await request(address, { headers: this.#headers(), signal: dead.signal, cache: 'no-store' });
      if (!response.ok || response.body === null) return await refusal(response);
      this.#link(true);
      const parser = new EventParser((id, data) => this.#take(id, data));
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        clearTimeout(silence);
        if (done || this.#ended.signal.aborted) return null;
        silence = setTimeout(cut, SILENCE_MS);
        parser.push(value);
      }
    } finally {
      clearTimeout(silence);
      this.#ended.signal.removeEventListener('abort', cut);
      dead.abort();
    }
  }

  #headers(): Record<string, string> {
    const { token, guest } = this.options;
    return {
      ...bearer(token, guest),
      Accept: 'text/event-stream',
      ...(this.#place === null ? {} : { 'Last-Event-ID': this.#place }),
    };
  }

  #take(id: string | null, data: string): void {
    if (this.#ended.signal.aborted) return;
    const item = JSON.parse(data) as T;
    this.#attempts = 0;
    // First the place: what throws in the follower's hands is not handed to it again.
    this.#place = id ?? this.#place;
    this.follower.item(item);
  }

  #link(up: boolean): void {
    if (this.#up !== up) this.follower.link?.(up);
    this.#up = up;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#ended;
      const over = () => {
        clearTimeout(timer);
        // A peer that is away for long is waited for often.
        signal.removeEventListener('abort', over);
        resolve();
      };
      const timer = setTimeout(over, ms);
      signal.addEventListener('abort', over);
    });
  }
}

/** A refusal that would be the same again; `null` for one that may pass. */
async function refusal(response: Response): Promise<ParlorError | null> {
  const cause = toParlorError(await response.json().catch(() => ({ code: 'NETWORK_UNAVAILABLE', recoverable: true })));
  return cause.recoverable || response.status >= 500 ? null : cause;
}

/** Takes a stream of server-sent events apart (HTML, section 9.2.6). */
export class EventParser {
  #line = '';
  #data: string[] = [];
  #id: string | null = null;

  /** `dispatch` gets the `id` of an event if it has one itself, and its data. */
  constructor(private readonly dispatch: (id: string | null, data: string) => void) {}

  push(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  #take(line: string): void {
    if (line === '') {
      const [id, data] = [this.#id, this.#data];
      [this.#id, this.#data] = [null, []];
      if (data.length > 0) this.dispatch(id, data.join('\n'));
      return;
    }
    const colon = line.indexOf(':');
    const [field, rest] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
    const value = rest.startsWith(' ') ? rest.slice(1) : rest;
    if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
  }
}
