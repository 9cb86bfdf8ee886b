/**
 * One WebSocket of one room: batches come in and are acknowledged from an animation frame, presence goes out with a
 * number and is answered. When the connection ends it is made again, after a back-off with jitter, and the peer opens
 * each new one with a snapshot; nothing is kept over from the old.
 */
import type { Subscriber } from './backend';
import { ParlorError, toParlorError } from './errors';
import type { Batch } from './generated/Batch';
import type { PresenceChange } from './generated/PresenceChange';
import { jsonOf } from './json';

/** What the outside world offers; tests bring their own. */
export interface SocketWorld {
  readonly WebSocket: new (url: string, protocols: string[]) => WebSocket;
  readonly requestAnimationFrame: (callback: () => void) => unknown;
  readonly random: () => number;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
/** How a peer closes when there is nothing to come back for. */
const OVER = 4001;

interface Waiting {
  resolve(): void;
  reject(cause: ParlorError): void;
}

export class RoomSocket {
  #socket: WebSocket | null = null;
  #closed = false;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();
  readonly #world: SocketWorld;

  constructor(
    private readonly url: string,
    private readonly protocols: string[],
    private readonly subscriber: Subscriber,
    world: Partial<SocketWorld> = {},
    /** Called instead of connecting again when the peer says that it is over. */
    private readonly over?: () => void,
  ) {
    this.#world = {
      WebSocket: world.WebSocket ?? globalThis.WebSocket,
      requestAnimationFrame: world.requestAnimationFrame ?? ((callback) => globalThis.requestAnimationFrame(callback)),
      random: world.random ?? Math.random,
    };
    this.#connect();
  }

  get isOpen(): boolean {
    return this.#socket !== null && this.#socket.readyState === 1;
  }

  presence(change: PresenceChange): Promise<void> {
    const socket = this.#socket;
    if (socket === null || !this.isOpen) return Promise.reject(lost());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // What cannot be said is refused before anybody waits for it.
      const text = jsonOf({ type: 'presence', id, ...change }, 'presence');
      this.#waiting.set(id, { resolve, reject });
      socket.send(text);
    });
  }

  /** Connects now if it is waiting to. */
  retry(): void {
    if (this.#closed || this.#socket !== null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
    this.#rejectAll();
  }

  #connect(): void {
    const socket = new this.#world.WebSocket(this.url, this.protocols);
    this.#socket = socket;
    socket.onmessage = (message: MessageEvent) => this.#receive(socket, message.data);
    socket.onclose = (event?: Partial<CloseEvent>) => {
      if (this.#socket !== socket) return; // closed on purpose, or an older one
      this.#socket = null;
      this.#rejectAll();
      if (event?.code === OVER && this.over !== undefined) {
        this.#closed = true;
        this.over();
        return;
      }
      this.subscriber.link?.(false);
      if (this.#closed) return;
      const longest = Math.min(FIRST_WAIT_MS * 2 ** this.#attempts, LONGEST_WAIT_MS);
      this.#attempts += 1;
      this.#timer = setTimeout(() => this.#connect(), longest * (0.5 + 0.5 * this.#world.random()));
    };
  }

  #receive(socket: WebSocket, data: unknown): void {
    let message: { type?: unknown; id?: unknown; ok?: unknown; error?: unknown };
    try {
      message = JSON.parse(String(data));
    } catch {
      return;
    }
    if (message.type === 'batch') {
      const batch = message as unknown as Batch;
      this.#world.requestAnimationFrame(() => {
        if (this.#socket !== socket) return; // a batch of a connection that ended meanwhile is old
        if (this.#attempts > 0 || batch.events[0]?.type === 'snapshot') {
          this.#attempts = 0;
          this.subscriber.link?.(true);
        }
        this.subscriber.batch(batch);
        if (this.isOpen) socket.send(JSON.stringify({ type: 'ack', seq: batch.seq }));
      });
    } else if (message.type === 'result' && typeof message.id === 'number') {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.ok === true) waiting?.resolve();
      else waiting?.reject(toParlorError(message.error));
    }
  }

  #rejectAll(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(lost());
    this.#waiting.clear();
  }
}

function lost(): ParlorError {
  return new ParlorError({
    code: 'NETWORK_UNAVAILABLE',
    message: 'The connection to the peer ended.',
    recoverable: true,
  });
}
