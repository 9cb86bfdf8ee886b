/**
 * The calls of a room as a server writes them: `live.room(id).join({ presence })`. Over the HTTP API of a peer, with
 * `fetch` alone, so it runs in Node as it does in a browser.
 *
 * A server has many users, and one peer for all of them: `resolveActor` says for whom the call under way is. It is
 * asked at every call, before anything is awaited, so it may look into what the server keeps for the request
 * (`AsyncLocalStorage`).
 */
import type { Unsubscribe } from './backend';
import { type Call, caller, type Guest, inRoom, searchOf } from './call';
import { ParlorError } from './errors';
import { type Follower, followRoom } from './event-stream';
import type { RoomSummary } from './generated/RoomSummary';
import { replays, type Replays } from './replay';
import type { Live } from './room';
import { liveBy, type Operation, type Way } from './room-handle';

/** For whom a call is; `undefined` when nobody can say, which is an error. */
type Resolved = Guest | null | undefined;

export interface LiveOptions {
  /** Scheme, host and port of the peer: `http://127.0.0.1:4700`. */
  readonly origin: string;
  readonly token: string;
  /**
   * Who acts in the call that is made: a guest of the peer, or `null` for its own person. `undefined` is refused as
   * `UNAUTHORIZED` before anything is sent: a call outside of a request must not be made as the host. Without this function
   * the peer's own person acts.
   */
  readonly resolveActor?: () => Resolved | Promise<Resolved>;
  /** Replaced in tests. */
  readonly world?: { readonly fetch?: typeof fetch; readonly random?: () => number };
}

/** A way to a peer for a program. */
export function createLive(options: LiveOptions): Live & Replays {
  return Object.assign(liveBy(new HttpWay(options)), replays(callerOf(options)));
}

const callerOf = ({ origin, token, world }: LiveOptions): Call =>
  caller(origin, token, world?.fetch ?? fetch.bind(globalThis));

/** How an operation is asked for: what it posts to, or what it gets with its arguments as the query. */
const ROUTES: Record<Operation, { readonly method: 'GET' | 'POST'; readonly rest: string }> = {
  join: { method: 'POST', rest: '/join' },
  presence: { method: 'POST', rest: '/presence' },
  leave: { method: 'POST', rest: '/leave' },
  members: { method: 'GET', rest: '/members' },
  metadata: { method: 'GET', rest: '/metadata' },
  set_metadata: { method: 'POST', rest: '/metadata' },
  board: { method: 'GET', rest: '/board' },
  set_board: { method: 'POST', rest: '/board' },
  publish: { method: 'POST', rest: '/messages' },
  history: { method: 'GET', rest: '/messages' },
  ticket: { method: 'POST', rest: '/ticket' },
};

class HttpWay implements Way {
  readonly #call: Call;

  constructor(private readonly options: LiveOptions) {
    this.#call = callerOf(options);
  }

  async ask<T>(operation: Operation, room: string, args?: unknown): Promise<T> {
    const guest = await this.#actor();
    const { method, rest } = ROUTES[operation];
    if (method === 'POST') {
      // A leave outlives the page that sends it.
      const keepalive = operation === 'leave';
      return this.#call<T>('POST', inRoom(room, rest), { body: args, guest, keepalive });
    }
    return this.#call<T>('GET', inRoom(room, rest + searchOf(args ?? {})), { guest });
  }

  async rooms(): Promise<RoomSummary[]> {
    const guest = await this.#actor();
    return (await this.#call<{ rooms: RoomSummary[] }>('GET', '/rooms', { guest })).rooms;
  }

  async createRoom(room: string, options?: { private?: boolean }): Promise<RoomSummary> {
    const guest = await this.#actor();
    return this.#call('POST', '/rooms', { body: { room, private: options?.private }, guest });
  }

  async forgetRoom(room: string): Promise<boolean> {
    const guest = await this.#actor();
    return (await this.#call<{ forgotten: boolean }>('DELETE', inRoom(room), { guest })).forgotten;
  }

  follow(room: string, follower: Follower): Unsubscribe {
    let end: Unsubscribe | null = null;
    let ended = false;
    const { origin, token, world } = this.options;
    const begin = async () => {
      const guest = await this.#actor();
      if (!ended) end = followRoom(room, { origin, token, guest, ...(world === undefined ? {} : { world }) }, follower);
    };
    begin().catch((cause: unknown) => {
      if (!ended) follower.failed?.(cause instanceof ParlorError ? cause : nobody(String(cause)));
    });
    return () => {
      ended = true;
      end?.();
    };
  }

  /** Asked before the first wait, in the context of whoever makes the call. */
  async #actor(): Promise<Guest | null> {
    const { resolveActor } = this.options;
    if (resolveActor === undefined) return null;
    const actor = await resolveActor();
    if (actor !== undefined) return actor;
    throw nobody("resolveActor says undefined, which is nobody; give { id } of a guest, or null for the peer's own person");
  }
}

function nobody(message: string): ParlorError {
  return new ParlorError({ code: 'UNAUTHORIZED', message, recoverable: false });
}
