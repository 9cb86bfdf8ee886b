/**
 * Other pages of this browser that are in the same room through the same peer. They share one member, so the page that
 * goes must not take it away from those that stay: only the last one leaves (reports M2).
 */
import { newId } from '../domain/ids';

type Message = { readonly type: 'hello' | 'here' | 'gone'; readonly room: string; readonly id: string };

export class Tabs {
  readonly #id = newId();
  readonly #others = new Set<string>();
  readonly #channel: BroadcastChannel | null;

  constructor(private readonly room: string) {
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('parlor-rooms');
    this.#channel?.addEventListener('message', (event: MessageEvent<Message>) => this.#hear(event.data));
    this.#say('hello');
  }

  /** Whether this is the only page in the room. */
  get alone(): boolean {
    return this.#others.size === 0;
  }

  close(): void {
    this.#say('gone');
    this.#channel?.close();
  }

  #hear({ type, room, id }: Message): void {
    if (room !== this.room) return;
    if (type === 'gone') this.#others.delete(id);
    else this.#others.add(id);
    if (type === 'hello') this.#say('here');
  }

  #say(type: Message['type']): void {
    this.#channel?.postMessage({ type, room: this.room, id: this.#id } satisfies Message);
  }
}
